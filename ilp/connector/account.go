package connector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pochi/ilp/packet"
)

// account moves the money of a packet that the receiver wants, and asks whether the money of any other could move. The
// receiver's answer goes back if so, a reject if nothing moved, nothing if that can't be said. It is the last step, so that
// nothing can refuse a packet whose money has moved.
func (c *Connector) account(ctx context.Context, t *Transit) (packet.Reply, error) {
	ask := c.cfg.Books.CanDeliver
	if t.Answer.Type() == packet.TypeFulfill {
		ask = c.cfg.Books.Deliver
	}
	reply, err := c.ask(ctx, t, ask)
	if reply == nil && err == nil {
		return t.Answer, nil
	}
	return reply, err
}

// setAside sets the money of a packet to a peer aside. A packet that only asks is looked at and no more.
func (c *Connector) setAside(ctx context.Context, t *Transit) (packet.Reply, error) {
	switch {
	case t.Amount == 0:
		return nil, nil
	case t.Sender.probing():
		return c.ask(ctx, t, c.cfg.Books.CanDeliver)
	}
	return c.ask(ctx, t, c.cfg.Books.Take)
}

// ask asks the books, as long as there is time. Both results are nil if they agree.
func (c *Connector) ask(ctx context.Context, t *Transit, books func(context.Context, Delivery) error) (packet.Reply, error) {
	left := t.ExpiresAt.Sub(c.cfg.Now())
	if left <= 0 {
		return c.expired(), nil
	}
	if end, ends := ctx.Deadline(); !ends || end.After(t.ExpiresAt.Add(time.Millisecond)) { // expiries are in milliseconds
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, left)
		defer cancel()
	}
	err := books(ctx, t.delivery())
	switch {
	case err == nil:
		return nil, nil
	case errors.Is(err, ErrUnknown):
		return nil, fmt.Errorf("ask the books: %w", err)
	}
	return c.refusal(ctx, t, err), nil
}

// settle posts or puts back what was set aside for a packet, and returns the answer that may then be passed on.
func (c *Connector) settle(ctx context.Context, t *Transit, answer packet.Reply, doubt string) (packet.Reply, error) {
	fulfilled := answer.Type() == packet.TypeFulfill
	switch {
	case t.Amount == 0:
		return answer, nil
	case t.Sender.probing() && fulfilled:
		return nil, fmt.Errorf("%w: somebody fulfilled a packet that nobody can", ErrUnknown)
	case t.Sender.probing():
		return answer, nil
	}
	books := func(ctx context.Context, d Delivery) error { return c.cfg.Books.Release(ctx, d, doubt) }
	if fulfilled {
		books = c.cfg.Books.Post
	}
	// Nobody's patience counts any more: what was set aside must not stay so.
	if err := books(context.WithoutCancel(ctx), t.delivery()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return answer, nil
}

// refusal tells the sender why the books said no.
func (c *Connector) refusal(ctx context.Context, t *Transit, err error) packet.Reply {
	switch {
	case errors.Is(err, ErrFull):
		return c.full(ctx, t)
	case errors.Is(err, ErrCredit) && t.Peer != nil:
		return c.creditUsed(ctx, t.Peer, err)
	case errors.Is(err, ErrAllowance):
		return c.allowanceUsed()
	case errors.Is(err, ErrDisallowed):
		return c.notAllowed()
	case errors.Is(err, ErrInsufficient) && t.Authority == nil && t.From.Asset != t.To.Asset:
		return c.reject(packet.InsufficientLiquidity, "This wallet can't exchange that much right now.")
	case errors.Is(err, ErrInsufficient):
		return c.reject(packet.InsufficientLiquidity, "There is not enough money for this packet right now.")
	case errors.Is(err, ErrRefused):
		return c.reject(packet.CannotReceive, "This payment is not accepted.")
	case errors.Is(err, ErrBusy):
		return c.reject(packet.ConnectorBusy, "Other packets have to end before this one. Try again soon.")
	case errors.Is(err, ErrTooFast):
		return c.reject(packet.RateLimited, "Too many payments begin here at once. Wait a second, then begin fewer, or send more packets in each.")
	case errors.Is(err, context.DeadlineExceeded):
		return c.expired()
	}
	return c.internal(ctx, "account", err)
}

// creditUsed tells a peer that it owes as much as it may, and whoever runs this node.
func (c *Connector) creditUsed(ctx context.Context, p *peer, err error) packet.Reply {
	if p.warned.due(c.cfg.Now()) {
		c.cfg.Log.WarnContext(ctx, "a peer has reached its credit limit: its packets are refused until it settles", "peer", p.Name,
			"when_paid", "pochi admin peer settle "+p.Name+" --received N", "error", err)
	}
	return c.reject(packet.InsufficientLiquidity, "You have reached the credit that this wallet gives you. Settle first.")
}
