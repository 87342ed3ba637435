package connector

import (
	"context"

	"pochi/ilp/packet"
)

// fulfillment looks at a peer's answer: a fulfillment counts if it proves the condition and came before the packet expired at
// the peer (RFC 27). Of one that came later nothing is owed, though the peer may see that differently.
func (c *Connector) fulfillment(ctx context.Context, t *Transit, reply packet.Reply) (answer packet.Reply, doubt string) {
	f, ok := reply.(interface{ Fulfills(condition [32]byte) bool })
	if !ok || reply.Type() != packet.TypeFulfill {
		return reply, ""
	}
	if !f.Fulfills(t.Condition) {
		c.cfg.Log.WarnContext(ctx, "a peer sent a wrong fulfillment", "peer", t.Next.Name, "amount", t.AmountOut)
		return c.reject(packet.WrongCondition, "The next wallet's fulfillment doesn't match the condition."), ""
	}
	if !c.cfg.Now().Before(t.Packet.ExpiresAt()) {
		c.cfg.Log.WarnContext(ctx, "a peer's fulfillment came too late", "peer", t.Next.Name, "amount", t.AmountOut)
		return c.reject(packet.TimedOut, "The next wallet answered too late."), "the fulfillment came after the packet had expired"
	}
	return reply, ""
}
