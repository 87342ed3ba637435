package simulation

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"pochi/ilp/packet"
)

// cargo is a packet between two nodes. It keeps to what ilphttp promises: one answer, or an error when nobody knows, at the
// latest when the packet expires.
type cargo struct {
	world     *world
	amount    uint64
	condition [32]byte
	bytes     []byte
	expires   time.Time
	now       func() time.Time             // the sender's clock
	arrive    func() (packet.Reply, error) // has the peer handle it
	dice      *rand.Rand
	fate      fate

	mu   sync.Mutex
	word word // what came back
}

// load draws what becomes of a packet.
func (w *world) load(way string, p *packet.PrepareView, now func() time.Time, arrive func() (packet.Reply, error)) *cargo {
	g := &cargo{
		world: w, amount: p.Amount(), condition: p.Condition(), bytes: append([]byte(nil), p.Bytes()...), expires: p.ExpiresAt(),
		now: now, arrive: arrive, fate: passes, word: nothing,
	}
	g.dice = w.dice("wire "+way, g.condition[:])
	if g.dice.IntN(1000) < w.trouble {
		g.fate = fates[g.dice.IntN(len(fates))]
	}
	w.count("packet: " + string(g.fate))
	return g
}

// carry takes the packet to the peer, and says what the link is to say.
func (g *cargo) carry() (reply packet.Reply, err error) {
	answered := make(chan func() (packet.Reply, error), 1)
	go func() { answered <- g.travel(g.dice) }()
	left := time.NewTimer(g.expires.Sub(g.now()) + g.grace())
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

// word is what a node hears from a peer about a packet.
type word string

const (
	nothing   word = "nothing"
	fulfilled word = "the fulfillment"
	late      word = "the fulfillment, too late"
	forged    word = "a wrong fulfillment"
	rejected  word = "a reject"
)

// heard is what came back.
func (g *cargo) heard() word {
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

// grace lets a link hand over an answer that its node has to refuse.
func (g *cargo) grace() time.Duration {
	if g.fate == lateFulfill {
		return time.Minute
	}
	return 0
}

// travel takes the packet to the peer and returns what the link is to say. It goes on when the link has given up.
func (g *cargo) travel(dice *rand.Rand) (answer func() (packet.Reply, error)) {
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
func (g *cargo) left() time.Duration { return max(0, g.expires.Sub(g.now())) }

// refuse is a reject of somebody on the way.
func (g *cargo) refuse(dice *rand.Rand) packet.Reply {
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

// hear writes down what the link says.
func (g *cargo) hear(reply packet.Reply, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
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
