package connector

import (
	"context"
	"math"

	"pochi/ilp/packet"
)

// maxAmount is the largest amount of a packet: the books hold signed 64-bit integers.
const maxAmount = math.MaxInt64

// maxPacket refuses a packet that is larger than the books, or what was agreed with the peer, allow.
func (c *Connector) maxPacket(_ context.Context, t *Transit) packet.Reply {
	most := uint64(maxAmount)
	if t.Peer != nil {
		most = min(most, t.Peer.maxPacket())
	}
	if t.Amount <= most {
		return nil
	}
	return c.tooLarge(t.Amount, most, "The amount is larger than a packet may be here. Send it in smaller ones.")
}

// tooLarge says how much would pass (RFC 27, F08), in units of the link that the packet came over.
func (c *Connector) tooLarge(received, most uint64, message string) *packet.Reject {
	j := c.reject(packet.TooLarge, message)
	j.Data = packet.AmountTooLarge{Received: received, Maximum: most}.Append(nil)
	return j
}
