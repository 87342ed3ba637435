package connector

import (
	"context"
	"errors"
	"fmt"

	"pochi/ilp/packet"
)

// account moves the money of a packet that the receiver wants, and asks whether the money of any other could move. The
// receiver's answer goes back if so, a reject if nothing moved, nothing if that can't be said. It is the last step, so that
// nothing can refuse a packet whose money has moved.
func (c *Connector) account(ctx context.Context, t *Transit) (packet.Reply, error) {
	left := t.ExpiresAt.Sub(c.cfg.Now())
	if left <= 0 {
		return c.expired(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	ask := c.cfg.Books.CanDeliver
	if t.Answer.Type() == packet.TypeFulfill {
		ask = c.cfg.Books.Deliver
	}
	err := ask(ctx, Delivery{
		From:      Party(t.From),
		To:        t.To,
		AmountIn:  t.Prepare.Amount,
		AmountOut: t.AmountOut,
	})
	switch {
	case err == nil:
		return t.Answer, nil
	case errors.Is(err, ErrUnknown):
		return nil, fmt.Errorf("deliver: %w", err)
	}
	return c.refusal(ctx, err), nil
}

// refusal tells the sender why the books said no.
func (c *Connector) refusal(ctx context.Context, err error) packet.Reply {
	switch {
	case errors.Is(err, ErrInsufficient):
		return c.reject(packet.InsufficientLiquidity, "There is not enough money for this packet right now.")
	case errors.Is(err, ErrRefused):
		return c.reject(packet.CannotReceive, "This payment is not accepted.")
	case errors.Is(err, context.DeadlineExceeded):
		return c.expired()
	}
	return c.internal(ctx, "account", err)
}
