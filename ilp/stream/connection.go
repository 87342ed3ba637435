package stream

import (
	"io"
	"sync"

	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/packet"
)

// Connection is one connection as a Receiver sees it. It remembers nothing: a replayed packet is another packet, with
// money of its own. It is safe for concurrent use.
type Connection struct {
	// Tag is what the credentials were made for. It must not be changed.
	Tag []byte

	node   address.Address // rejects are triggered by it
	keys   *Keys
	random io.Reader
}

// Limit is how much a receiver takes over one connection, in units of its asset.
type Limit struct {
	Most     uint64 // in all
	Received uint64 // of that so far
}

// Left returns how much more it takes.
func (l Limit) Left() uint64 { return l.Most - min(l.Most, l.Received) }

// Receive decides about a packet of which amount arrives, in units of asset, the receiver's, which takes no more than limit, if that isn't nil;
// condition and data are those of the Prepare, and data isn't kept. A *packet.Fulfill is to be returned only once the money is the receiver's for good; a
// *packet.Reject moves nothing.
//
// A packet that isn't the sender's own is rejected with F06, without a word of why. Every other answer carries what was
// received, encrypted: a packet below its minimum and one that nobody can fulfill (which is how senders ask for the rate)
// are rejected with F99, as senders old and new understand it. So is one that brings more than the limit leaves, and every
// answer says what that is (RFC 29, section 5.3.12). A limit is never raised: once it leaves nothing, whoever brings or asks
// to bring more is told that the connection is closed, and needn't try again.
func (c *Connection) Receive(amount uint64, condition [32]byte, data []byte, asset ilp.Asset, limit *Limit) packet.Reply {
	room := plaintexts.Get().(*plaintextRoom)
	defer plaintexts.Put(room)
	plaintext, err := c.keys.AppendOpen(room[:0], data)
	if err != nil {
		return c.unexpected()
	}
	request, err := ViewPacket(plaintext)
	if err != nil || request.Type != packet.TypePrepare {
		return c.unexpected()
	}
	reply := Packet{packet.TypeFulfill, request.Sequence, amount, answers(request, asset)}
	fits := true
	if limit != nil {
		fits = amount <= limit.Left()
		reply.Frames = append(reply.Frames, limit.frame())
		if limit.Left() == 0 && (amount > 0 || wantsMore(request)) {
			reply.Frames = append(reply.Frames, ConnectionClose{CodeApplicationError, "Nothing more is taken for this payment."})
		}
	}
	fulfillment := c.keys.Fulfillment(data)
	fulfills := fits && amount >= request.Amount && Condition(fulfillment) == condition
	if !fulfills {
		reply.Type = packet.TypeReject
	}
	sealed, err := c.keys.Seal(c.random, reply.Append(room[:0])) // of the request nothing is needed any more
	switch {
	case err != nil:
		return packet.NewReject(packet.InternalError, c.node, "")
	case fulfills:
		return &packet.Fulfill{Fulfillment: fulfillment, Data: sealed}
	}
	j := packet.NewReject(packet.ApplicationError, c.node, "")
	j.Data = sealed
	return j
}

// frame tells a sender the limit. All money of a connection counts, whatever stream it is on.
func (l Limit) frame() Frame { return StreamMaxMoney{moneyStream, l.Most, min(l.Received, l.Most)} }

// wantsMore reports whether a request says that its sender would send more money than it may.
func wantsMore(request PacketView) bool {
	for t := range request.Frames() {
		if t == TypeStreamMoneyBlocked {
			return true
		}
	}
	return false
}

// plaintexts are rooms that plaintexts are read and written in while a packet is decided about: those of money are short.
var plaintexts = sync.Pool{New: func() any { return new(plaintextRoom) }}

type plaintextRoom [512]byte

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
