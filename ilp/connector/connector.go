// Package connector takes packets through one chain of named steps, each a file (RFC 27, RFC 34):
//
//	auth           who sent it, and for which account
//	agreement      under which terms, if somebody else spends a person's money
//	rate_limit     are there too many of this peer's
//	max_packet     is it small enough
//	expiry         is there time left
//	ildcp          packets that end here by their address, and addresses that don't belong on this network
//	duplicate      is it on its way here already, around a loop
//	route          who is next, by the destination: a receiver here, a peer, the uplink
//	agreement_fx   from the agreement's asset to the account's
//	exchange       from there to the next one's
//	throughput     how much is in flight, and in a second
//
// Then, if the receiver is here:
//
//	receive        does the receiver want it
//	account        the money: whether it can move, and if the receiver wants it, moving it
//
// And if the next one is a peer:
//
//	account        the money is set aside, on disk
//	uplink         the packet goes out, with less time, and the answer comes back
//	fulfillment    is the answer one that counts
//	account        the money is posted, on disk, or put back
//
// A step either answers, which ends the chain, or leaves what it found in the Transit for the next. What needs no money is
// checked before the account step takes any, and a Fulfill is returned only when the money has moved for good: then, always.
// When nobody can say whether it moved there is no reply, since a Reject would say that it didn't.
package connector

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"pochi/ilp/address"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// Config is what a Connector is built from. Every field is required but Agreements.
type Config struct {
	// Address is the node's own. Rejects are triggered by it.
	Address  address.Address
	Receiver *stream.Receiver
	Payees   Payees
	Books    Books
	Rates    Rates
	// Agreements may be nil: then nobody has one.
	Agreements Agreements
	// Now is the clock.
	Now func() time.Time
	Log *slog.Logger
}

// Connector answers packets. It is safe for concurrent use.
type Connector struct {
	cfg     Config
	steps   []step // before a packet goes to its receiver or to a peer
	setting sync.Mutex
	peers   atomic.Pointer[table]
	passing passing
	tally   tally
}

// Transit is one packet on its way through the chain.
type Transit struct {
	// Sender is as it came, Amount, Condition and Destination are the packet's own. No step changes them.
	Sender      Sender
	Amount      uint64
	Condition   [32]byte
	Destination address.Address
	// Minimum is a Delivery's.
	Minimum uint64
	// Packet is rewritten when it goes to a peer.
	Packet *packet.PrepareView

	// From is whose money it is. Set by auth or agreement.
	From Party
	// Peer is the one that sent it, nil for others. Set by auth.
	Peer *peer
	// Authority is what it uses of an allowance, nil if it needs none. Set by agreement.
	Authority *Authority
	// ExpiresAt is when the packet's money must have moved. Set by expiry.
	ExpiresAt time.Time
	// Next is the peer that is next, or Connection the local receiver; To is its account. Set by route.
	Next       *peer
	Connection *stream.Connection
	To         Party
	// AmountIn is what From pays, in units of From.Asset, AmountOut what To gets, in units of To.Asset. Set by agreement_fx and
	// exchange.
	AmountIn, AmountOut uint64
	// Answer is the local receiver's, kept back until the books have agreed. Set by receive.
	Answer packet.Reply

	ends []func()
}

// onEnd has something done when the packet's way has ended, whatever came of it.
func (t *Transit) onEnd(do func()) { t.ends = append(t.ends, do) }

func (t *Transit) end() {
	for _, do := range t.ends {
		do()
	}
}

// spending reports whether it is the wallet's own money that moves.
func (t *Transit) spending() bool {
	return t.Sender.kind == wallet && !t.Sender.probing() && t.Amount > 0
}

// delivery is what the books are asked for.
func (t *Transit) delivery() Delivery {
	return Delivery{
		From: t.From, To: t.To, AmountIn: t.AmountIn, AmountOut: t.AmountOut, Minimum: t.Minimum, Authority: t.Authority,
	}
}

// step looks at a packet. A reply ends the chain; nil hands the packet on.
type step struct {
	name string
	run  func(context.Context, *Transit) packet.Reply
}

// New returns a Connector without peers. It fails if Address is no address.
func New(cfg Config) (*Connector, error) {
	if err := cfg.Address.Validate(); err != nil {
		return nil, err
	}
	c := &Connector{cfg: cfg, tally: newTally()}
	c.peers.Store(new(table))
	c.steps = []step{
		{"auth", c.auth},
		{"agreement", c.agreement},
		{"rate_limit", c.rateLimit},
		{"max_packet", c.maxPacket},
		{"expiry", c.expiry},
		{"ildcp", c.ildcp},
		{"duplicate", c.duplicate},
		{"route", c.route},
		{"agreement_fx", c.agreementFX},
		{"exchange", c.exchange},
		{"throughput", c.throughput},
	}
	return c, nil
}

// Handle takes one packet from one sender through the chain and returns its answer, whatever the packet is: a *packet.Fulfill
// or *packet.Reject of this node's, or what a peer answered, as it came. There is none only if nobody can say whether the
// packet's money moved: because the books can't, or because a peer didn't answer to a packet of the wallet's own. Then the error is
// ErrUnknown, wrapped. The packet is Handle's own from now on.
func (c *Connector) Handle(ctx context.Context, from Sender, p *packet.PrepareView) (packet.Reply, error) {
	return c.handle(ctx, &Transit{Sender: from, Packet: p})
}

// handle counts what becomes of a packet, also of one whose handling panics.
func (c *Connector) handle(ctx context.Context, t *Transit) (reply packet.Reply, err error) {
	defer func() { c.tally.count(t.Sender, reply) }()
	return c.chain(ctx, t)
}

func (c *Connector) chain(ctx context.Context, t *Transit) (packet.Reply, error) {
	t.Amount, t.Condition, t.Destination = t.Packet.Amount(), t.Packet.Condition(), address.Address(t.Packet.Destination())
	t.AmountIn = t.Amount
	defer t.end()
	for _, s := range c.steps {
		if reply := s.run(ctx, t); reply != nil {
			c.logReply(ctx, s.name, t, reply)
			return reply, nil
		}
	}
	last := c.deliver
	if t.Next != nil {
		last = c.forward
	}
	name, reply, err := last(ctx, t)
	if err != nil {
		c.cfg.Log.ErrorContext(ctx, "nobody can say what became of a packet", "step", name, "amount", t.Amount, "error", err)
		return nil, err
	}
	c.logReply(ctx, name, t, reply)
	return reply, nil
}

// deliver hands a packet to the local receiver, with its money.
func (c *Connector) deliver(ctx context.Context, t *Transit) (step string, reply packet.Reply, err error) {
	if reply := c.receive(ctx, t); reply != nil {
		return "receive", reply, nil
	}
	reply, err = c.account(ctx, t)
	return "account", reply, err
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
	if !c.cfg.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{slog.String("step", step), slog.Uint64("amount", t.Amount)}
	if t.Peer != nil {
		attrs = append(attrs, slog.String("from", t.Peer.Name))
	}
	if t.Next != nil {
		attrs = append(attrs, slog.String("to", t.Next.Name))
	}
	if j, ok := reply.(*packet.Reject); ok {
		attrs = append(attrs, slog.String("code", string(j.Code)), slog.String("message", j.Message))
	}
	c.cfg.Log.LogAttrs(ctx, slog.LevelDebug, "packet answered", attrs...)
}
