package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"pochi/ilp/connector"
	"pochi/ilp/packet"
)

// wire is one direction of a link between two nodes. It keeps to what ilphttp promises: one answer, or an error when nobody
// knows, at the latest when the packet expires.
type wire struct {
	world    *world
	from, to *node
	at       id // the account of to at from, and its id as a peer
	back     id // that of from at to
	name     string

	mu       sync.Mutex
	flights  int
	value    uint64
	passages []*passage
	forgot   time.Time
}

// forget is called when the node has its peer as a new one, of whose packets in flight it knows nothing.
func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forgot = time.Now()
}

// passage is one packet that was sent over a wire.
type passage struct {
	*wire
	amount    uint64
	condition [32]byte
	bytes     []byte
	expires   time.Time
	by        *visit
	visits    []*visit // at the node that it was sent to: more than one if it was repeated

	fate fate
	mu   sync.Mutex
	word word // what came back
}

// word is what a node hears from a peer about a packet.
type word string

const (
	nothing   word = "nothing"
	fulfilled word = "the fulfillment"
	late      word = "the fulfillment, too late"
	forged    word = "a wrong fulfillment"
	rejected  word = "a reject"
)

// heard is what came back. A packet that never left was rejected.
func (g *passage) heard() word {
	if g == nil {
		return rejected
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.word
}

// fate is what becomes of a packet on a wire.
type fate string

const (
	passes        fate = "passes"
	packetLost    fate = "packet lost"
	answerLost    fate = "answer lost"
	comesLate     fate = "comes late"
	answersLate   fate = "answers late"
	lateFulfill   fate = "fulfillment handed over after its time"
	twice         fate = "sent twice at once"
	again         fate = "sent once more later"
	refused       fate = "refused on the way"
	forgedAfter   fate = "fulfillment forged after the peer acted"
	forgedBefore  fate = "fulfillment forged without the peer"
	linkPanics    fate = "panic in the link"
	noReply       fate = "neither answer nor error"
	garbledAnswer fate = "data of the answer garbled"
)

var fates = []fate{packetLost, answerLost, comesLate, answersLate, lateFulfill, twice, again, refused, refused, refused,
	forgedAfter, forgedBefore, linkPanics, noReply, garbledAnswer}

// codes are what links and other nodes refuse packets with.
var codes = []packet.Code{"F00", "F01", "F02", "F03", "F04", "F05", "F06", "F07", "F08", "F99", "T00", "T01", "T02", "T03", "T04", "T05", "T99",
	"R00", "R01", "R02", "R99", "X17"}

// unknown is what a link says when nobody knows what became of a packet.
type unknown struct {
	cause string
	code  packet.Code
}

func (u unknown) Error() string         { return u.cause }
func (u unknown) Relay() *packet.Reject { return packet.NewReject(u.code, "test.relay", u.cause) }

// SendPacket implements connector.Link.
func (w *wire) SendPacket(ctx context.Context, p *packet.PrepareView) (reply packet.Reply, err error) {
	g := &passage{wire: w, amount: p.Amount(), condition: p.Condition(), bytes: append([]byte(nil), p.Bytes()...), expires: p.ExpiresAt(), word: nothing}
	v := visitOf(ctx)
	g.by = v
	dice := w.world.dice("wire "+w.name, g.condition[:])
	g.fate = passes
	if dice.IntN(1000) < w.world.trouble {
		g.fate = fates[dice.IntN(len(fates))]
	}
	w.begin(g, v)
	v.depart(g)
	defer w.end(g)
	answered := make(chan func() (packet.Reply, error), 1)
	go func() { answered <- g.travel(dice) }()
	left := time.NewTimer(g.expires.Sub(w.from.now()) + g.grace())
	defer left.Stop()
	select {
	case answer := <-answered:
		reply, err = answer()
	case <-left.C:
		err = unknown{"no answer in time", packet.TimedOut}
	}
	g.hear(reply, err)
	return reply, err
}

// grace lets a link hand over an answer that its node has to refuse.
func (g *passage) grace() time.Duration {
	if g.fate == lateFulfill {
		return time.Minute
	}
	return 0
}

// tryAll asks the peer something that takes up all that may be in flight: nothing is any more.
func (w *wire) tryAll() {
	p := w.from.peer(w.at)
	prepare := packet.Prepare{
		Amount: max(1, p.MaxInFlightValue), ExpiresAt: w.from.now().Add(20 * time.Second), Condition: [32]byte{1: w.at[1], 2: w.at[2]},
		Destination: w.to.address + ".nobody",
	}
	wire, err := prepare.Append(nil)
	if err != nil {
		w.world.failf("%v", err)
	}
	view, err := packet.ViewPrepare(wire)
	if err != nil {
		w.world.failf("%v", err)
	}
	ctx, v := w.from.visit(context.Background(), nil, &view)
	v.probe = true
	reply, err := w.from.connector.Handle(ctx, connector.FromWallet(w.at, p.Asset, id{}), &view)
	v.end(reply, err)
	if v.sent == nil {
		w.world.failf("%s: nothing is in flight, and a packet of %d may not leave: %+v", w.name, prepare.Amount, reply)
	}
	if text := fmt.Sprint(reply); strings.Contains(text, "in flight") {
		w.world.failf("%s: nothing is in flight, and %s", w.name, text)
	}
}

// travel takes the packet to the peer and returns what the link is to say. It goes on when the link has given up.
func (g *passage) travel(dice *rand.Rand) (answer func() (packet.Reply, error)) {
	hop := func() time.Duration { return time.Duration(1 + dice.Int64N(int64(g.world.latency))) }
	once := hop() // until it is repeated
	time.Sleep(hop())
	switch g.fate {
	case packetLost:
		return func() (packet.Reply, error) { return nil, unknown{"connection reset", packet.PeerUnreachable} }
	case linkPanics:
		return func() (packet.Reply, error) { panic("a bug in a link") }
	case noReply:
		return func() (packet.Reply, error) { return nil, nil }
	case refused:
		return func() (packet.Reply, error) { return g.refuse(dice), nil }
	case forgedBefore:
		return func() (packet.Reply, error) { return viewed(&packet.Fulfill{Fulfillment: [32]byte{1}}), nil }
	case comesLate:
		time.Sleep(g.left() + time.Duration(dice.Int64N(int64(3*time.Second))))
	case twice:
		go func() {
			time.Sleep(once / 50)
			_, _ = g.arrive()
		}()
	}
	reply, err := g.arrive()
	switch g.fate {
	case answerLost:
		err = errors.New("connection reset")
	case answersLate, lateFulfill:
		time.Sleep(g.left() + time.Duration(dice.Int64N(int64(4*time.Second))))
	case forgedAfter:
		if err == nil && reply.Type() == packet.TypeFulfill {
			reply = viewed(&packet.Fulfill{Fulfillment: [32]byte{2}})
		}
	case garbledAnswer:
		if f, ok := reply.(*packet.ReplyView); ok && f.Type() == packet.TypeFulfill {
			reply = viewed(&packet.Fulfill{Fulfillment: f.Fulfillment(), Data: []byte("garbled")})
		}
	case again:
		go func() {
			time.Sleep(once)
			_, _ = g.arrive()
		}()
	}
	time.Sleep(hop())
	if err != nil {
		return func() (packet.Reply, error) { return nil, unknown{err.Error(), packet.InternalError} }
	}
	return func() (packet.Reply, error) { return reply, nil }
}

// left is how long the packet lives, by the sender's clock.
func (g *passage) left() time.Duration { return max(0, g.expires.Sub(g.from.now())) }

// refuse is a reject of somebody on the way.
func (g *passage) refuse(dice *rand.Rand) packet.Reply {
	j := packet.NewReject(codes[dice.IntN(len(codes))], "test.elsewhere", "refused on the way")
	if j.Code == packet.TooLarge && dice.IntN(2) == 0 {
		j.Data = packet.AmountTooLarge{Received: g.amount, Maximum: dice.Uint64N(g.amount + 1)}.Append(nil)
	}
	return viewed(j)
}

func viewed(reply packet.Reply) packet.Reply {
	b, err := reply.Append(nil)
	if err != nil {
		panic(err)
	}
	v, err := packet.ViewReply(b)
	if err != nil {
		panic(err)
	}
	return &v
}

// arrive has the peer handle the packet.
func (g *passage) arrive() (packet.Reply, error) {
	view, err := packet.ViewPrepare(append([]byte(nil), g.bytes...))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), max(0, view.ExpiresAt().Sub(g.to.now())))
	defer cancel()
	ctx, v := g.to.visit(ctx, g.wire, &view)
	g.mu.Lock()
	g.visits = append(g.visits, v)
	g.mu.Unlock()
	reply, err := g.to.connector.Handle(ctx, connector.FromPeer(g.back), &view)
	v.end(reply, err)
	if err != nil {
		return nil, fmt.Errorf("status 500: %w", err)
	}
	return viewed(reply), nil
}

// hear writes down what the link says.
func (g *passage) hear(reply packet.Reply, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.from.now()
	switch {
	case err != nil || reply == nil:
		g.word = nothing
	case reply.Type() != packet.TypeFulfill:
		g.word = rejected
	case !fulfills(reply, g.condition):
		g.word = forged
	case now.Before(g.expires):
		g.word = fulfilled
	default:
		g.word = late
	}
}

// begin counts a packet in, and fails the test if its node sends more than was agreed with the peer, or the same packet twice at
// once, or on a wrong way.
func (w *wire) begin(g *passage, v *visit) {
	w.world.saw(g.fate)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passages = append(w.passages, g)
	w.flights++
	w.value += g.amount
	p := w.from.peer(w.at)
	if p == nil {
		return // removed since the packet came
	}
	if known := time.Since(w.forgot) > maxHold; known && !w.from.changed() {
		w.limits(v, p)
	}
	if v.from != nil && v.from.from == w.to {
		v.failf("goes back to where it came from")
	}
	if next := w.from.next(v); next != w.to && !w.from.changed() {
		v.failf("goes to %s", w.to.name)
	}
}

func (w *wire) limits(v *visit, p *connector.Peer) {
	if most := p.MaxInFlightCount; most > 0 && uint64(w.flights) > most {
		v.failf("%d packets are in flight over %s", w.flights, w.name)
	}
	if most := p.MaxInFlightValue; most > 0 && w.value > most {
		v.failf("%d are in flight over %s", w.value, w.name)
	}
}

func (w *wire) end(g *passage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flights--
	w.value -= g.amount
}
