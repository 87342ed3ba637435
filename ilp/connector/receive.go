package connector

import (
	"context"

	"pochi/ilp/packet"
)

// receive asks the receiver. If there is money, an answer that says how much arrived waits for the books: consent until it
// has moved, the answer to a probe until it is known that it could. All else goes straight back.
func (c *Connector) receive(_ context.Context, t *Transit) packet.Reply {
	reply := t.Connection.Receive(t.AmountOut, t.Condition, t.Packet.Data(), t.To.Asset)
	if j, ok := reply.(*packet.Reject); ok && j.Code != packet.ApplicationError || t.Amount == 0 {
		return reply
	}
	t.Answer = reply
	return nil
}
