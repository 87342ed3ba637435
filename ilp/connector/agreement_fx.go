package connector

import (
	"context"

	"pochi/ilp/packet"
)

// agreementFX converts what a packet asks for, in the agreement's asset, into the asset of the account that pays. It rounds
// down, and what arrives is converted from there: who spends under the agreement bears it.
func (c *Connector) agreementFX(ctx context.Context, t *Transit) packet.Reply {
	if t.Authority == nil {
		return nil
	}
	amount, reply := c.convert(ctx, t, t.Amount, t.Authority.Asset, t.From.Asset)
	t.AmountIn = amount
	return reply
}
