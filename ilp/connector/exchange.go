package connector

import (
	"context"
	"errors"
	"math/bits"

	"pochi/ilp/packet"
)

// exchange converts the amount into the receiver's asset, rounding down. The same asset passes unchanged; code and scale
// must both be equal. Zero stays zero, and nothing else becomes zero.
func (c *Connector) exchange(ctx context.Context, t *Transit) packet.Reply {
	amount, from, to := t.Prepare.Amount, t.From.Asset, t.To.Asset
	if amount == 0 || from == to {
		t.AmountOut = amount
		return nil
	}
	out, err := c.cfg.Rates.Convert(ctx, amount, from, to)
	switch {
	case errors.Is(err, ErrNoRate):
		return c.reject(packet.InternalError, "There is no exchange rate from "+from.Code+" to "+to.Code+" right now.")
	case errors.Is(err, ErrOverflow):
		return c.tooLarge(ctx, t)
	case err != nil:
		return c.internal(ctx, "exchange", err)
	case out == 0:
		return c.reject(packet.InsufficientSource, "The amount is too small: nothing of it would arrive.")
	}
	t.AmountOut = out
	return nil
}

// tooLarge says which amount could still be converted. It looks for it bit by bit, from the highest.
func (c *Connector) tooLarge(ctx context.Context, t *Transit) packet.Reply {
	var maximum uint64
	for bit := bits.Len64(t.Prepare.Amount) - 1; bit >= 0; bit-- {
		try := maximum | 1<<bit
		if try >= t.Prepare.Amount {
			continue
		}
		if _, err := c.cfg.Rates.Convert(ctx, try, t.From.Asset, t.To.Asset); err == nil {
			maximum = try
		}
	}
	j := c.reject(packet.TooLarge, "The amount is too large to be converted.")
	j.Data = packet.AmountTooLarge{Received: t.Prepare.Amount, Maximum: maximum}.Append(nil)
	return j
}
