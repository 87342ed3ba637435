package connector

import (
	"context"
	"errors"

	"pochi/ilp/packet"
)

// account moves the money, and answers: with the receiver's consent if it moved, with a reject if nothing did. It is the
// last step, so that nothing can refuse a packet whose money has moved.
func (c *Connector) account(ctx context.Context, t *Transit) packet.Reply {
	left := t.ExpiresAt.Sub(c.cfg.Now())
	if left <= 0 {
		return c.expired()
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	err := c.cfg.Books.Deliver(ctx, Delivery{
		From:      Party(t.From),
		To:        t.To,
		AmountIn:  t.Prepare.Amount,
		AmountOut: t.AmountOut,
	})
	switch {
	case err == nil:
		return t.Fulfill
	case errors.Is(err, ErrInsufficient):
		return c.reject(packet.InsufficientLiquidity, "There is not enough money for this packet right now.")
	case errors.Is(err, ErrRefused):
		return c.reject(packet.CannotReceive, "This payment is not accepted.")
	case errors.Is(err, context.DeadlineExceeded):
		return c.expired()
	}
	return c.internal(ctx, "account", err)
}
