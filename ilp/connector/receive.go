package connector

import (
	"context"

	"pochi/ilp/packet"
)

// receive asks the receiver. Its rejects go straight back: they carry what arrived, for the sender alone. Its consent waits
// for the money, if there is any.
func (c *Connector) receive(_ context.Context, t *Transit) packet.Reply {
	p := t.Prepare
	p.Amount = t.AmountOut
	reply := t.Connection.Receive(p, t.To.Asset)
	fulfill, ok := reply.(*packet.Fulfill)
	if !ok || t.Prepare.Amount == 0 {
		return reply
	}
	t.Fulfill = fulfill
	return nil
}
