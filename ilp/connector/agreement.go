package connector

import (
	"context"

	"pochi/ilp/packet"
)

// agreement asks under which terms a packet may spend a person's money, if it comes from somebody else. What it uses of the
// allowance moves with the money, in one chain, so no race overspends it.
func (c *Connector) agreement(ctx context.Context, t *Transit) packet.Reply {
	if t.Sender.kind != agreement {
		return nil
	}
	if c.cfg.Agreements == nil {
		return c.reject(packet.BadRequest, "This link doesn't belong to an agreement.")
	}
	terms, err := c.cfg.Agreements.Agreement(ctx, t.Sender.id, t.Amount)
	if err != nil {
		return c.refusal(ctx, t, err)
	}
	t.From = terms.Account
	authority := terms.Authority
	authority.Amount = t.Amount
	t.Authority = &authority
	return nil
}
