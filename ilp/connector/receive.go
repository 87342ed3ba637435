package connector

import (
	"context"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// receive asks the receiver. If there is money, an answer that says how much arrived waits for the books: consent until it
// has moved, the answer to a probe until it is known that it could. All else goes straight back.
func (c *Connector) receive(_ context.Context, t *Transit) packet.Reply {
	reply := t.Connection.Receive(t.AmountOut, t.Condition, t.Packet.Data(), t.To.Asset, t.To.Limit)
	if j, ok := reply.(*packet.Reject); ok && j.Code != packet.ApplicationError || t.Amount == 0 {
		return reply
	}
	t.Answer = reply
	return nil
}

// full answers for a payment request that took the packet when it came, and doesn't any more: others have paid it meanwhile. The
// books said so, so it takes less than the packet brings, whatever can be seen of it yet.
func (c *Connector) full(ctx context.Context, t *Transit) packet.Reply {
	to, reply := c.payee(ctx, t.Connection.Tag)
	if reply != nil {
		return reply
	}
	var limit stream.Limit
	if to.Limit != nil {
		limit = *to.Limit
	}
	limit.Most = min(limit.Most, limit.Received+t.AmountOut-1)
	return t.Connection.Receive(t.AmountOut, t.Condition, t.Packet.Data(), t.To.Asset, &limit)
}
