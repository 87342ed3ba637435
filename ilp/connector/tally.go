package connector

import (
	"sync/atomic"

	"pochi/ilp/packet"
)

// The outcomes of packets that no code of RFC 27 says.
const (
	Fulfilled = "fulfilled"
	OtherCode = "other"   // a reject with a code that RFC 27 doesn't list
	NoOutcome = "unknown" // there was no reply
)

// Count is how many packets of one kind of sender had one outcome.
type Count struct {
	From    string // peer, app, wallet; or probe, of the wallet's own packets that only ask
	Outcome string // Fulfilled, OtherCode, NoOutcome, or the code of a reject
	Packets uint64
}

// senderNames are the From of Counts, by senderKind; probe comes after the last.
var senderNames = [...]string{nobody: "nobody", wallet: "wallet", peerNode: "peer", agreement: "app", probe: "probe"}

const probe = agreement + 1

// tally counts what became of packets. It is made once and never grows, whatever codes peers answer with.
type tally [len(senderNames)]map[string]*atomic.Uint64

func newTally() (t tally) {
	for i := range t {
		t[i] = map[string]*atomic.Uint64{Fulfilled: {}, OtherCode: {}, NoOutcome: {}}
		for _, code := range packet.Codes() {
			t[i][string(code)] = new(atomic.Uint64)
		}
	}
	return t
}

func (t *tally) count(from Sender, reply packet.Reply) {
	kind := from.kind
	if from.probing() {
		kind = probe
	}
	n := t[kind][outcomeOf(reply)]
	if n == nil {
		n = t[kind][OtherCode]
	}
	n.Add(1)
}

func outcomeOf(reply packet.Reply) string {
	switch reply := reply.(type) {
	case nil:
		return NoOutcome
	case *packet.Reject:
		return string(reply.Code)
	case *packet.ReplyView:
		if reply.Type() == packet.TypeReject {
			return string(reply.Code())
		}
	}
	return Fulfilled
}

// Counts returns what became of all packets since the node was made, as far as there were any, in no order.
func (c *Connector) Counts() (out []Count) {
	for kind, outcomes := range c.tally {
		for outcome, n := range outcomes {
			if packets := n.Load(); packets > 0 {
				out = append(out, Count{senderNames[kind], outcome, packets})
			}
		}
	}
	return out
}

// Flight is what is in flight between this node and a peer in one direction.
type Flight struct {
	Peer            string // its name
	ToPeer          bool
	Packets, Amount uint64 // Amount is in units of the peer's asset
	InDoubt         uint64 // units that went to it and may have arrived, though the answers were lost
}

// Flights returns both directions of every peer, in no order.
func (c *Connector) Flights() (out []Flight) {
	for _, p := range c.peers.Load().byID {
		out = append(out, p.in.seen(p.Name, false), p.out.seen(p.Name, true))
	}
	return out
}

func (f *flights) seen(peer string, toPeer bool) Flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Flight{Peer: peer, ToPeer: toPeer, Packets: f.all.count, Amount: f.all.value, InDoubt: f.doubt}
}
