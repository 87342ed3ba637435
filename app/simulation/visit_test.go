package simulation

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
)

// visit is what happens to one packet at one node, from when it comes until it is answered. The node's books, its rates and its
// links write into it, by way of the packet's context, and each fails the test when what it sees breaks a rule.
type visit struct {
	node      *node
	from      *wire // nil: a payment of the node's own people
	payment   *payment
	probe     bool // of a payment: nothing is reserved
	open      bool // of a payment: it can be fulfilled
	twin      bool // the same packet was on its way through the node already
	began     time.Time
	ended     time.Time
	amount    uint64
	least     uint64 // that is known to have arrived with it, of what wasn't known before
	condition [32]byte
	expires   time.Time // by the packet, at most maxHold from when it came
	stale     bool      // it had expired when it came
	wire      []byte    // as it came

	mu        sync.Mutex
	rate      *conversion
	taken     *connector.Delivery
	state     state
	doubt     string
	delivered *connector.Delivery
	sent      *passage
	reply     packet.Reply
	err       error
}

type state string

const (
	untouched state = ""
	held      state = "held"
	posted    state = "posted"
	released  state = "released"
)

type conversion struct {
	in, out  uint64
	from, to ilp.Asset
}

const (
	maxHold       = 30 * time.Second
	messageWindow = time.Second
	slowest       = 5 * time.Millisecond // a disk
)

type visitKey struct{}

func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// visit begins the visit of a packet.
func (n *node) visit(ctx context.Context, from *wire, p *packet.PrepareView) (context.Context, *visit) {
	v := &visit{node: n, from: from, began: time.Now(), amount: p.Amount(), condition: p.Condition(), expires: p.ExpiresAt(), wire: bytes.Clone(p.Bytes())}
	if latest := n.now().Add(maxHold); v.expires.After(latest) {
		v.expires = latest
	}
	v.stale = !n.now().Before(v.expires)
	n.begin(v)
	return context.WithValue(ctx, visitKey{}, v), v
}

// dice are the same for this packet at this node, whatever else goes on.
func (v *visit) dice(what string) *rand.Rand {
	return v.node.world.dice(what, []byte(v.node.name), v.condition[:])
}

func (v *visit) failf(format string, args ...any) {
	v.node.world.failf("%s, packet %x of %d: %s", v.node.name, v.condition[:4], v.amount, fmt.Sprintf(format, args...))
}

func (v *visit) convert(in, out uint64, from, to ilp.Asset) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rate = &conversion{in, out, from, to}
}

// amounts fails the test unless a delivery is of this packet's money, exchanged at the rate that the node had, rounded down.
func (v *visit) amounts(d connector.Delivery) {
	if d.AmountIn != v.amount {
		v.failf("%d are taken", d.AmountIn)
	}
	if (v.from != nil) != d.From.Peer || v.from != nil && d.From.Account != v.from.back {
		v.failf("the money is taken from %x", d.From.Account)
	}
	switch r := v.rate; {
	case d.From.Asset == d.To.Asset && d.AmountIn != d.AmountOut:
		v.failf("%d are taken, and %d given, in one asset", d.AmountIn, d.AmountOut)
	case d.From.Asset != d.To.Asset && (r == nil || *r != conversion{d.AmountIn, d.AmountOut, d.From.Asset, d.To.Asset}):
		v.failf("%d %v are taken, and %d %v given: the rate was %+v", d.AmountIn, d.From.Asset, d.AmountOut, d.To.Asset, r)
	}
}

// take is called when the books set the packet's money aside.
func (v *visit) take(d connector.Delivery) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.state != untouched || v.sent != nil {
		v.failf("its money is taken when it is %s, sent %t", v.state, v.sent != nil)
	}
	v.amounts(d)
	v.taken, v.state = &d, held
}

// settle is called when the books post or release what was set aside. It returns false if that was wrong.
func (v *visit) settle(ctx context.Context, d connector.Delivery, as state, doubt string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if ctx.Err() != nil {
		v.failf("%s only as long as somebody waits for it", as)
	}
	if v.taken == nil || *v.taken != d || v.state != held {
		v.failf("%s when it is %q: %+v, taken was %+v", as, v.state, d, v.taken)
		return false
	}
	heard := rejected // if it never left
	if v.sent != nil {
		heard = v.sent.heard()
	}
	if as == posted && heard != fulfilled {
		v.failf("posted, and the link heard %s", heard)
	}
	if as == released && (heard == fulfilled || (doubt != "") != (heard == nothing || heard == late)) {
		v.failf("released with doubt %q, and the link heard %s", doubt, heard)
	}
	v.state, v.doubt = as, doubt
	return true
}

// deliver is called when the books give the packet's money to somebody here.
func (v *visit) deliver(d connector.Delivery) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.delivered != nil || v.state != untouched || v.sent != nil || v.twin {
		v.failf("delivered twice, or when it is on its way already, or after it was sent on")
	}
	v.amounts(d)
	v.delivered = &d
}

// depart is called when the packet leaves for a peer.
func (v *visit) depart(g *passage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	came, err := packet.ViewPrepare(v.wire)
	if err != nil {
		v.failf("%v", err)
	}
	switch {
	case v.sent != nil || v.twin:
		v.failf("sent twice")
	case v.amount == 0 && g.amount != 0:
		v.failf("%d are sent", g.amount)
	case v.amount > 0 && !v.probe && (v.state != held || v.taken.AmountOut != g.amount || v.taken.To.Account != g.at):
		v.failf("%d are sent to %x when the money is %q: %+v", g.amount, g.at, v.state, v.taken)
	}
	v.sent = g
	if latest := v.expires.Add(-messageWindow); g.expires.After(latest) || g.expires.Before(v.node.now().Add(messageWindow-slowest)) {
		v.failf("came to expire in %v and expires at the peer in %v", v.expires.Sub(v.node.now()), g.expires.Sub(v.node.now()))
	}
	if left, err := packet.ViewPrepare(g.bytes); err != nil || left.Condition() != came.Condition() ||
		!bytes.Equal(left.Destination(), came.Destination()) || !bytes.Equal(left.Data(), came.Data()) {
		v.failf("another packet is sent on")
	}
}

// end is called with the answer that the node gives.
func (v *visit) end(reply packet.Reply, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reply, v.err, v.ended = reply, err, time.Now()
	defer v.node.end(v)
	moved := v.state == posted || v.delivered != nil
	if v.stale && (v.taken != nil || v.sent != nil || moved || err != nil || codeOf(reply) == packet.ApplicationError) {
		v.failf("had expired when it came, and the receiver was asked: %s", codeOf(reply))
	}
	switch {
	case v.state == held:
		v.failf("its money is still in flight at the end")
	case err != nil:
		if v.from == nil && v.sent != nil && v.doubt == "" || v.from != nil && v.sent != nil {
			v.failf("no answer (%v), and the money is %q, in doubt because of %q", err, v.state, v.doubt)
		}
	case fulfills(reply, v.condition):
		if v.amount > 0 && !moved {
			v.failf("fulfilled, and the money is %q", v.state)
		}
	case reply.Type() == packet.TypeFulfill:
		v.failf("a wrong fulfillment is passed on")
	case moved:
		v.failf("rejected, and the money moved")
	case v.from == nil && v.doubt != "":
		v.failf("rejected to the wallet's own sender, and in doubt because of %q", v.doubt)
	}
}

// gives is what the node's books gave for the packet, and to whom.
func (v *visit) moved() *connector.Delivery {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.state == posted {
		return v.taken
	}
	return v.delivered
}

// codeOf is a reject's code, or "".
func codeOf(reply packet.Reply) packet.Code {
	switch j := reply.(type) {
	case *packet.Reject:
		return j.Code
	case *packet.ReplyView:
		if j.Type() == packet.TypeReject {
			return j.Code()
		}
	}
	return ""
}

func fulfills(reply packet.Reply, condition [32]byte) bool {
	f, ok := reply.(interface{ Fulfills([32]byte) bool })
	return ok && f.Fulfills(condition)
}
