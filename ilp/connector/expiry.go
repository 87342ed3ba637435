package connector

import (
	"context"
	"time"

	"pochi/ilp/packet"
)

// maxHold is how long a packet may keep money waiting, whatever its own expiry says.
const maxHold = 30 * time.Second

// expiry refuses a packet that came too late, and caps its time (RFC 27, section 4).
func (c *Connector) expiry(_ context.Context, t *Transit) packet.Reply {
	now := c.cfg.Now()
	if !now.Before(t.Prepare.ExpiresAt) {
		return c.expired()
	}
	t.ExpiresAt = t.Prepare.ExpiresAt
	if latest := now.Add(maxHold); t.ExpiresAt.After(latest) {
		t.ExpiresAt = latest
	}
	return nil
}

func (c *Connector) expired() *packet.Reject {
	return c.reject(packet.TimedOut, "The packet expired. Allow more time, or check that both clocks are right.")
}
