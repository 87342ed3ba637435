// Package connector takes packets through one chain of named steps, each a file (RFC 27, RFC 34):
//
//	auth           who sent it, and for which account
//	expiry         is there time left
//	peer_protocol  packets that end here by their address, and addresses that don't belong on this network
//	route          who is paid, by the destination
//	exchange       from the sender's asset to the receiver's
//	receive        does the receiver want it
//	account        the money: whether it can move, and if the receiver wants it, moving it
//
// A step either answers, which ends the chain, or leaves what it found in the Transit for the next. What needs no money is
// checked before the last step takes any, and a Fulfill is returned only when the money has moved for good: then, always.
// When nobody can say whether it moved there is no reply, since a Reject would say that it didn't.
package connector

import (
	"context"
	"log/slog"
	"time"

	"pochi/ilp/address"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// Config is what a Connector is built from. Every field is required.
type Config struct {
	// Address is the node's own. Rejects are triggered by it.
	Address  address.Address
	Receiver *stream.Receiver
	Payees   Payees
	Books    Books
	Rates    Rates
	// Now is the clock.
	Now func() time.Time
	Log *slog.Logger
}

// Connector answers packets. It is safe for concurrent use.
type Connector struct {
	cfg   Config
	steps []step // all but the last
}

// Transit is one packet on its way through the chain.
type Transit struct {
	// From and Prepare are as they came. No step changes them.
	From    Sender
	Prepare packet.Prepare
	// ExpiresAt is when the packet's money must have moved. Set by expiry.
	ExpiresAt time.Time
	// Connection and To are the local receiver. Set by route.
	Connection *stream.Connection
	To         Party
	// AmountOut is what arrives, in units of To.Asset. Set by exchange.
	AmountOut uint64
	// Answer is the receiver's, kept back until the books have agreed. Set by receive.
	Answer packet.Reply
}

// step looks at a packet. A reply ends the chain; nil hands the packet on.
type step struct {
	name string
	run  func(context.Context, *Transit) packet.Reply
}

// New returns a Connector. It fails if Address is no address.
func New(cfg Config) (*Connector, error) {
	if err := cfg.Address.Validate(); err != nil {
		return nil, err
	}
	c := &Connector{cfg: cfg}
	c.steps = []step{
		{"auth", c.auth},
		{"expiry", c.expiry},
		{"peer_protocol", c.peerProtocol},
		{"route", c.route},
		{"exchange", c.exchange},
		{"receive", c.receive},
	}
	return c, nil
}

// Handle takes one packet from one sender through the chain and returns its answer, whatever the packet is. There is none
// only if the books can't say whether the packet's money moved: then the error is ErrUnknown, wrapped.
func (c *Connector) Handle(ctx context.Context, from Sender, p packet.Prepare) (packet.Reply, error) {
	if err := p.Validate(); err != nil {
		return c.reject(packet.InvalidPacket, err.Error()), nil
	}
	t := &Transit{From: from, Prepare: p}
	for _, s := range c.steps {
		if reply := s.run(ctx, t); reply != nil {
			c.logReply(ctx, s.name, t, reply)
			return reply, nil
		}
	}
	reply, err := c.account(ctx, t)
	if err != nil {
		c.cfg.Log.ErrorContext(ctx, "nobody can say what became of a packet", "amount", p.Amount, "error", err)
		return nil, err
	}
	c.logReply(ctx, "account", t, reply)
	return reply, nil
}

func (c *Connector) reject(code packet.Code, message string) *packet.Reject {
	return packet.NewReject(code, c.cfg.Address, message)
}

// internal answers for an error that is the wallet's own: the log gets it, the sender doesn't.
func (c *Connector) internal(ctx context.Context, step string, err error) *packet.Reject {
	c.cfg.Log.ErrorContext(ctx, "packet failed", "step", step, "error", err)
	return c.reject(packet.InternalError, "This wallet has a problem. Try again later.")
}

// logReply keeps addresses and data out of the log: they are keys to a connection.
func (c *Connector) logReply(ctx context.Context, step string, t *Transit, reply packet.Reply) {
	attrs := []slog.Attr{slog.String("step", step), slog.Uint64("amount", t.Prepare.Amount)}
	if j, ok := reply.(*packet.Reject); ok {
		attrs = append(attrs, slog.String("code", string(j.Code)), slog.String("message", j.Message))
	}
	c.cfg.Log.LogAttrs(ctx, slog.LevelDebug, "packet answered", attrs...)
}
