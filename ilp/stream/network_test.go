package stream_test

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// faults says what a network does to packets. Chances are of a thousand.
type faults struct {
	delay, jitter    time.Duration // there and back; jitter puts packets out of order
	refusedLate      time.Duration // how much later than others a packet comes back that went no further
	stallEach        int           // after so many packets the sender does nothing for stall, as on a busy machine
	stall            time.Duration
	lost             int           // never arrives: R00 at its expiry
	lostReply        int           // arrives, and R00 all the same
	silent           int           // arrives or not, and the link fails
	twice            int           // arrives twice
	busy             int           // T00
	busyFrom, busyTo time.Duration // T00, all packets of that time
	wrong            int           // the fulfillment is wrong
	bare             bool          // F08 without data
	max              []uint64      // the largest packet, one after another, second by second; 0 is none
	liquidity        uint64        // T04 above so much in flight; 0 is no limit
	perSecond        int           // T05 above so many packets; 0 is no limit
	multiply, divide uint64
	fallAt           time.Duration // when the rate falls by a tenth; 0 is never
	dieAt            time.Duration // from when on the link fails; 0 is never
	refuseAt         time.Duration // from when on packets go no further; 0 is never
	refuseCode       packet.Code
	loseAt           time.Duration // from when on packets arrive, and this node says loseCode of them; 0 is never
	loseCode         packet.Code
}

// network is a link to a receiver in simulated time: to be used in a bubble.
type network struct {
	faults
	t        *testing.T
	seed     uint64
	receiver *stream.Receiver
	keys     *stream.Keys
	begin    time.Time

	mu          sync.Mutex
	params      stream.SendParams // for what is checked on the way
	inFlight    uint64            // money, as the sender sees it
	held        uint64            // and of that, what was passed on
	packets     int               // under way
	peak        int               // the most of them
	carried     int               // all of them
	refused     int               // of those, the ones that went no further
	tooLarge    int               // and of those, the ones that were too large
	instant     time.Time         // of the last
	turn        time.Duration     // and when it comes back after the first of that instant
	second      int64             // of which perSecond counts
	inSecond    int
	sent        uint64 // of packets whose fulfillment came back
	delivered   uint64 // of those
	unaccounted uint64 // what arrived besides: its answer was lost, changed or doubled
	lostTrack   uint64 // in flight when the sender lost track of a packet for the first time
	lostAt      time.Time
	unknown     uint64 // what it lost track of
}

func newNetwork(t *testing.T, seed uint64, f faults) *network {
	if f.multiply == 0 {
		f.multiply, f.divide = 1, 1
	}
	return &network{faults: f, t: t, seed: seed, receiver: newReceiver(t), begin: time.Now()}
}

// sender returns a Sender to a fresh connection.
func (n *network) sender(maxInFlight int) *stream.Sender {
	to, secret, err := n.receiver.Credentials(nil)
	if err != nil {
		n.t.Fatal(err)
	}
	n.keys = stream.NewKeys(secret)
	return stream.NewSender(stream.SenderConfig{
		Link: n, Destination: to, Secret: secret, Clock: &stalling{each: n.stallEach, stall: n.stall},
		Random: rand.NewChaCha8([32]byte{byte(n.seed), byte(n.seed >> 8), 1}), MaxInFlight: maxInFlight,
	})
}

// stalling is the clock of a sender on a busy machine: after each so many looks at it, which is one for each packet, the
// sender gets nothing done for a while.
type stalling struct {
	stream.SystemClock
	each, looks int
	stall       time.Duration
}

func (c *stalling) Now() time.Time {
	if c.looks++; c.each > 0 && c.looks%c.each == 0 {
		time.Sleep(c.stall)
	}
	return c.SystemClock.Now()
}

// outcome is what became of a packet.
type outcome struct {
	reply       packet.Reply // nil if the link fails
	delivered   uint64       // if the fulfillment came back
	unaccounted uint64       // what arrived besides
	unknown     bool         // the sender can't tell
}

// SendPacket draws what happens to a packet from the seed and the packet's number.
func (n *network) SendPacket(_ context.Context, p packet.Prepare) (packet.Reply, error) {
	request, ok := n.request(p)
	if !ok {
		n.t.Error("a packet that can't be read")
	}
	if !p.ExpiresAt.After(time.Now()) {
		return packet.NewReject(packet.TimedOut, "test.net", ""), nil
	}
	refusal, turn := n.enter(p)
	o := n.travel(p, refusal, turn, rand.New(rand.NewPCG(n.seed, request.Sequence)))
	n.leave(p, refusal != nil, o)
	if o.reply == nil {
		return nil, errors.New("no answer")
	}
	return o.reply, nil
}

func (n *network) travel(p packet.Prepare, refusal packet.Reply, turn time.Duration, r *rand.Rand) (o outcome) {
	chance := func(of int) bool { return r.IntN(1000) < of }
	reject := func(code packet.Code) packet.Reply { return packet.NewReject(code, "test.net", "") }
	delay := n.delay + turn
	if n.jitter > 0 {
		delay += time.Duration(r.Int64N(int64(n.jitter)))
	}
	lost, lostReply, silent := chance(n.lost), chance(n.lostReply), chance(n.silent)
	arrives, twice, busy, wrong := chance(500), chance(n.twice), chance(n.busy), chance(n.wrong)

	time.Sleep(delay / 2)
	switch {
	case n.dead():
		return outcome{unknown: true}
	case refusal != nil:
		time.Sleep(delay/2 + n.refusedLate)
		return outcome{reply: refusal}
	case lost:
		time.Sleep(time.Until(p.ExpiresAt))
		return outcome{reply: reject(packet.TimedOut)}
	case busy, n.since(n.busyFrom) && !n.since(n.busyTo):
		time.Sleep(delay / 2)
		return outcome{reply: reject(packet.InternalError)}
	case silent && !arrives:
		time.Sleep(time.Until(p.ExpiresAt))
		return outcome{unknown: true}
	}
	reply, received := n.receive(p)
	if twice {
		_, o.unaccounted = n.receive(p)
	}
	switch {
	case silent, lostReply:
		time.Sleep(time.Until(p.ExpiresAt))
		o.unaccounted += received
		if o.unknown = silent; !silent {
			o.reply = reject(packet.TimedOut)
		}
		return o
	}
	time.Sleep(delay - delay/2)
	f, fulfilled := reply.(*packet.Fulfill)
	switch {
	case n.since(n.loseAt):
		o.unaccounted += received
		o.reply = reject(n.loseCode)
		return o
	case n.dead():
		o.unaccounted += received
		o.unknown = true
		return o
	case fulfilled && wrong && p.Amount > 0:
		f.Fulfillment[7] ^= 1
		o.unaccounted += received
		o.unknown = true
	case fulfilled:
		o.delivered = received
	}
	o.reply = reply
	return o
}

func (n *network) request(p packet.Prepare) (stream.Packet, bool) {
	plain, err := n.keys.Open(p.Data)
	if err != nil {
		return stream.Packet{}, false
	}
	request, err := stream.DecodePacket(plain)
	return request, err == nil
}

// money reports whether a packet can be fulfilled, and so moves something.
func (n *network) money(p packet.Prepare) bool {
	return p.Amount > 0 && p.Condition == stream.Condition(n.keys.Fulfillment(p.Data))
}

// enter counts a packet and says why it goes no further, if it doesn't, and when it is its turn among those of the same
// instant: a path carries one after the other, so the order in which they come back isn't that in which goroutines wake.
func (n *network) enter(p packet.Prepare) (refusal packet.Reply, turn time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := time.Now(); now.Equal(n.instant) {
		n.turn += time.Microsecond
	} else {
		n.instant, n.turn = now, 0
	}
	if refusal = n.admit(p); refusal != nil {
		n.refused++
	}
	return refusal, n.turn
}

func (n *network) admit(p packet.Prepare) packet.Reply {
	n.carried++
	n.packets++
	n.peak = max(n.peak, n.packets)
	if n.money(p) {
		if n.sent+n.unknown+n.inFlight+p.Amount > n.params.Amount {
			n.t.Errorf("more than the debit: %d sent, %d unknown, %d in flight, and now %d", n.sent, n.unknown, n.inFlight, p.Amount)
		}
		if d := n.params.Deadline; !d.IsZero() && p.ExpiresAt.After(d) {
			n.t.Errorf("a packet with money expires after the deadline")
		}
		switch {
		case n.unknown == 0:
		case time.Now().Equal(n.lostAt): // at the same moment
			n.lostTrack += p.Amount
		default:
			n.t.Error("money is sent after a packet was lost track of")
		}
	}
	n.inFlight += p.Amount
	if second := int64(time.Since(n.begin) / time.Second); second != n.second {
		n.second, n.inSecond = second, 0
	}
	n.inSecond++
	if largest := n.largest(); largest > 0 && p.Amount > largest {
		n.tooLarge++
		j := packet.NewReject(packet.TooLarge, "test.net", "")
		if !n.bare {
			j.Data = packet.AmountTooLarge{Received: p.Amount, Maximum: largest}.Append(nil)
		}
		return j
	}
	switch {
	case n.since(n.refuseAt):
		return packet.NewReject(n.refuseCode, "test.net", "")
	case n.liquidity > 0 && n.held+p.Amount > n.liquidity:
		return packet.NewReject(packet.InsufficientLiquidity, "test.net", "")
	case n.perSecond > 0 && n.inSecond > n.perSecond:
		return packet.NewReject(packet.RateLimited, "test.net", "")
	}
	n.held += p.Amount
	return nil
}

// leave counts what became of a packet, and checks what was paid against what was agreed.
func (n *network) leave(p packet.Prepare, refused bool, o outcome) {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer func() { n.packets, n.inFlight = n.packets-1, n.inFlight-p.Amount }()
	if !refused {
		n.held -= p.Amount
	}
	n.unaccounted += o.unaccounted
	if !n.money(p) {
		return
	}
	if o.unknown {
		if n.unknown == 0 {
			n.lostTrack, n.lostAt = n.inFlight, time.Now()
		}
		n.unknown += p.Amount
		return
	}
	if _, ok := o.reply.(*packet.Fulfill); !ok {
		return
	}
	n.sent += p.Amount
	n.delivered += o.delivered
	if least := mulDiv(n.params.MinDelivered, p.Amount, n.params.Amount); o.delivered < least {
		n.t.Errorf("a packet of %d brought %d, and %d was agreed", p.Amount, o.delivered, least)
	}
	if due := mulDiv(n.params.MinDelivered, n.sent, n.params.Amount); n.delivered+n.params.MaxRounding < due {
		n.t.Errorf("%d sent, %d delivered, %d due", n.sent, n.delivered, due)
	}
}

func (n *network) largest() uint64 {
	if len(n.max) == 0 {
		return 0
	}
	return n.max[int(time.Since(n.begin)/time.Second)%len(n.max)]
}

func (n *network) dead() bool { return n.since(n.dieAt) }

// since reports whether a moment, counted from the beginning, is over; 0 is never.
func (n *network) since(at time.Duration) bool { return at > 0 && time.Since(n.begin) >= at }

func (n *network) receive(p packet.Prepare) (reply packet.Reply, received uint64) {
	connection, ok := n.receiver.Identify(p.Destination)
	if !ok {
		return packet.NewReject(packet.Unreachable, "test.net", ""), 0
	}
	p.Amount = n.convert(p.Amount)
	reply = receive(connection, p, usd)
	if reply.Type() != packet.TypeFulfill {
		return reply, 0
	}
	return reply, p.Amount
}

func (n *network) convert(amount uint64) uint64 {
	multiply, divide := n.multiply, n.divide
	if n.since(n.fallAt) {
		multiply, divide = multiply*9, divide*10
	}
	return mulDiv(amount, multiply, divide)
}

func mulDiv(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, _ := bits.Div64(hi, lo, c)
	return q
}

// pay sends over the network and checks what both ends say of it.
func (n *network) pay(maxInFlight int, params stream.SendParams) (stream.Result, error) {
	n.t.Helper()
	params.Asset = usd
	n.params = params
	s := n.sender(maxInFlight)
	result, err := s.Send(context.Background(), params)
	done := !params.FixedReceive && result.Sent == params.Amount ||
		params.FixedReceive && (result.Delivered >= params.MinDelivered || result.Sent == params.Amount)
	for _, c := range []struct {
		ok   bool
		what string
	}{
		{result.Sent == n.sent, "what was sent isn't what was fulfilled"},
		{result.Delivered == n.delivered, "what was delivered isn't what the receiver has"},
		{result.Unknown == n.unknown, "what is unknown isn't what was lost"},
		{result.Unknown <= n.lostTrack, "more is unknown than was in flight"},
		{result.Sent+result.Unknown <= params.Amount, "more than the debit"},
		{(result.Unknown == 0) == (result.UnknownReason == ""), "the reason of the unknown is wrong"},
		{(err == nil) == (done && result.Unknown == 0), "the error is wrong"},
		{n.packets == 0, "packets were left behind"},
		{n.peak <= max(1, maxInFlight), "more packets in flight than allowed"},
	} {
		if !c.ok {
			n.t.Errorf("seed %d: %s: %+v, %v; %s", n.seed, c.what, result, err, n)
		}
	}
	var failure *stream.Failure
	if err != nil && (!errors.As(err, &failure) || failure.Reason == "") {
		n.t.Errorf("seed %d: %v is no failure with a reason", n.seed, err)
	}
	return result, err
}

func (n *network) String() string {
	return fmt.Sprintf("sent %d, delivered %d, unaccounted %d, lost track of %d with %d in flight, %d packets, %+v",
		n.sent, n.delivered, n.unaccounted, n.unknown, n.lostTrack, n.carried, n.faults)
}
