package connector

import (
	"context"
	"errors"
	"math/bits"

	"pochi/ilp"
	"pochi/ilp/packet"
)

// exchange converts what is paid into the asset of who is next.
func (c *Connector) exchange(ctx context.Context, t *Transit) packet.Reply {
	amount, reply := c.convert(ctx, t, t.AmountIn, t.From.Asset, t.To.Asset)
	t.AmountOut = amount
	return reply
}

// convert rounds down. The same asset passes unchanged; code and scale must both be equal. Zero stays zero, and nothing else
// becomes zero.
func (c *Connector) convert(ctx context.Context, t *Transit, amount uint64, from, to ilp.Asset) (uint64, packet.Reply) {
	if amount == 0 || from == to {
		return amount, nil
	}
	out, err := c.cfg.Rates.Convert(ctx, amount, from, to)
	switch {
	case errors.Is(err, ErrStaleRate):
		return 0, c.reject(packet.InternalError, "The exchange rate from "+from.Code+" to "+to.Code+" is out of date. Try again later.")
	case errors.Is(err, ErrNoRate):
		return 0, c.reject(packet.InternalError, "There is no exchange rate from "+from.Code+" to "+to.Code+" right now.")
	case errors.Is(err, ErrOverflow):
		return 0, c.unconvertible(ctx, t, amount, from, to)
	case err != nil:
		return 0, c.internal(ctx, "exchange", err)
	case out == 0:
		return 0, c.reject(packet.InsufficientSource, "The amount is too small: nothing of it would arrive.")
	case out > maxAmount:
		return 0, c.unconvertible(ctx, t, amount, from, to)
	}
	return out, nil
}

// unconvertible says which amount could still be converted. It looks for it bit by bit, from the highest.
func (c *Connector) unconvertible(ctx context.Context, t *Transit, amount uint64, from, to ilp.Asset) packet.Reply {
	var fits uint64
	for bit := bits.Len64(amount) - 1; bit >= 0; bit-- {
		try := fits | 1<<bit
		if try >= amount {
			continue
		}
		if out, err := c.cfg.Rates.Convert(ctx, try, from, to); err == nil && out <= maxAmount {
			fits = try
		}
	}
	if amount != t.Amount { // it was converted before: in proportion
		high, low := bits.Mul64(t.Amount, fits)
		fits, _ = bits.Div64(high, low, amount) // fits < amount, and at most t.Amount
	}
	return c.tooLarge(t.Amount, fits, "The amount is too large to be converted.")
}
