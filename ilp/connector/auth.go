package connector

import (
	"context"

	"pochi/ilp"
	"pochi/ilp/packet"
)

// auth refuses a sender that isn't known by an account. The wallet's own links are known because the wallet made them.
func (c *Connector) auth(_ context.Context, t *Transit) packet.Reply {
	if t.From.Account == [16]byte{} || t.From.Asset == (ilp.Asset{}) {
		return c.reject(packet.BadRequest, "This link doesn't belong to an account.")
	}
	return nil
}
