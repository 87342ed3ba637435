package connector

import (
	"context"
	"time"

	"pochi/ilp/packet"
)

const (
	// maxHold is how long a packet may keep money waiting, whatever its own expiry says.
	maxHold = 30 * time.Second
	// messageWindow is how much earlier a packet expires at the next node: time to bring its fulfillment back.
	messageWindow = time.Second
)

// expiry refuses a packet that came too late, and caps its time (RFC 27, section 4).
func (c *Connector) expiry(_ context.Context, t *Transit) packet.Reply {
	now := c.cfg.Now()
	t.ExpiresAt = t.Packet.ExpiresAt()
	if !now.Before(t.ExpiresAt) {
		return c.expired()
	}
	if latest := now.Add(maxHold); t.ExpiresAt.After(latest) {
		t.ExpiresAt = latest
	}
	return nil
}

// shorten takes the message window off, for the next node. There must be as much again left.
func (c *Connector) shorten(t *Transit) packet.Reply {
	next := t.ExpiresAt.Add(-messageWindow)
	if next.Sub(c.cfg.Now()) < messageWindow {
		return c.reject(packet.InsufficientTimeout, "There is too little time left to send this packet on. Allow more.")
	}
	if err := t.Packet.SetExpiresAt(next); err != nil {
		return c.reject(packet.InvalidPacket, err.Error())
	}
	return nil
}

func (c *Connector) expired() *packet.Reject {
	return c.reject(packet.TimedOut, "The packet expired. Allow more time, or check that both clocks are right.")
}
