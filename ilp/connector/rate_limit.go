package connector

import (
	"context"

	"pochi/ilp/packet"
)

// rateLimit refuses the packets of a peer that sends more in a second than was agreed.
func (c *Connector) rateLimit(_ context.Context, t *Transit) packet.Reply {
	if t.Peer == nil || t.Peer.RateLimit == 0 || t.Peer.packets.take(1, t.Peer.RateLimit, c.cfg.Now()) {
		return nil
	}
	return c.reject(packet.RateLimited, "Too many packets in a second. Send fewer.")
}
