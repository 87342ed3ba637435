package connector

import (
	"context"
	"errors"

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
		return c.disallowed(ctx, t, err)
	}
	t.From = terms.Account
	authority := terms.Authority
	authority.Amount = t.Amount
	t.Authority = &authority
	return nil
}

// disallowed tells the app which of an agreement's limits a packet meets.
func (c *Connector) disallowed(ctx context.Context, t *Transit, err error) packet.Reply {
	switch {
	case errors.Is(err, ErrAllowance), errors.Is(err, ErrInsufficient):
		return c.allowanceUsed()
	case errors.Is(err, ErrRefused):
		return c.notAllowed()
	}
	return c.refusal(ctx, t, err)
}

func (c *Connector) notAllowed() packet.Reply {
	return c.reject(packet.BadRequest,
		"This agreement allows no packets now: it hasn't begun, was paused or has ended, or it names receivers or a limit for each payment.")
}

func (c *Connector) allowanceUsed() packet.Reply {
	return c.reject(packet.InsufficientLiquidity,
		"The agreement has less than this left until it renews. Ask it what is left, and send no more than that.")
}
