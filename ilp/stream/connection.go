package stream

import (
	"io"

	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/packet"
)

// Connection is one connection as a Receiver sees it. It remembers nothing: a replayed packet is another packet, with
// money of its own.
type Connection struct {
	// Tag is what the credentials were made for.
	Tag []byte

	node   address.Address // rejects are triggered by it
	keys   *Keys
	random io.Reader
}

// Receive decides about a packet whose Amount is in units of asset, the receiver's. A *packet.Fulfill is to be returned
// only once the money is the receiver's for good; a *packet.Reject moves nothing.
//
// A packet that isn't the sender's own is rejected with F06, without a word of why. Every other answer carries what was
// received, encrypted: a packet below its minimum and one that nobody can fulfill (which is how senders ask for the rate)
// are rejected with F99, as senders old and new understand it.
func (c *Connection) Receive(p packet.Prepare, asset ilp.Asset) packet.Reply {
	plaintext, err := c.keys.Open(p.Data)
	if err != nil {
		return c.unexpected()
	}
	request, err := ViewPacket(plaintext)
	if err != nil || request.Type != packet.TypePrepare {
		return c.unexpected()
	}
	frames := answers(request, asset)
	fulfillment := c.keys.Fulfillment(p.Data)
	if p.Amount < request.Amount || Condition(fulfillment) != p.Condition {
		return c.reject(request.Sequence, p.Amount, frames)
	}
	data, err := c.seal(Packet{packet.TypeFulfill, request.Sequence, p.Amount, frames})
	if err != nil {
		return packet.NewReject(packet.InternalError, c.node, "")
	}
	return &packet.Fulfill{Fulfillment: fulfillment, Data: data}
}

// answers returns the frames that a reply owes to those of a request: the asset to a new address, and a goodbye to a
// goodbye. Nothing else asks for an answer, so no two ends can keep each other talking.
func answers(request PacketView, asset ilp.Asset) []Frame {
	var newAddress, closing bool
	for t := range request.Frames() {
		newAddress = newAddress || t == TypeConnectionNewAddress
		closing = closing || t == TypeConnectionClose
	}
	var replies []Frame
	if newAddress {
		replies = append(replies, ConnectionAssetDetails{asset.Code, asset.Scale}, ConnectionMaxStreamID{maxStreamID})
	}
	if closing {
		replies = append(replies, ConnectionClose{CodeNoError, ""})
	}
	return replies
}

// maxStreamID is the highest stream that senders are told they may open. One would do.
const maxStreamID = 20

func (c *Connection) unexpected() *packet.Reject {
	return packet.NewReject(packet.UnexpectedPayment, c.node, "")
}

func (c *Connection) reject(sequence, received uint64, frames []Frame) *packet.Reject {
	data, err := c.seal(Packet{packet.TypeReject, sequence, received, frames})
	if err != nil {
		return packet.NewReject(packet.InternalError, c.node, "")
	}
	j := packet.NewReject(packet.ApplicationError, c.node, "")
	j.Data = data
	return j
}

func (c *Connection) seal(p Packet) ([]byte, error) {
	return c.keys.Seal(c.random, p.Append(nil))
}
