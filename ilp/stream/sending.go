package stream

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// sending is one payment on its way. All of it belongs to the goroutine of Send; others only carry packets.
type sending struct {
	*Sender
	SendParams
	sizes    sizes
	window   window
	patience patience
	result   Result

	told     uint64 // of result.Delivered, to a MinimumLink
	flying   flying
	landed   chan *money
	peak     uint64        // the most that was under way at once since the last setback
	recovery uint64        // the last packet that was under way at the last setback: earlier ones say nothing new
	least    uint64        // a packet of half of it was too small, 0 if none was
	short    *Failure      // the last time that a packet was refused for its size, since one got through
	barred   int           // how often in a row not even dust got through
	asking   bool          // whether dust gets through
	pause    time.Duration // before the next packet
	failure  error         // why nothing more is sent
	broken   error         // what a panic in the link said
}

// money is a packet that carries some.
type money struct {
	flight
	price    uint64 // what it must bring at the agreed price, without what rounding took from others
	expected uint64 // what it will bring, as far as is known
}

// flying is the sums of the packets that are under way.
type flying struct{ count, amount, price, expected, besides uint64 }

func newSending(s *Sender, p SendParams) *sending {
	left := p.Amount - p.Done.Sent
	return &sending{
		Sender: s, SendParams: p, result: p.Done, told: p.Done.Delivered,
		sizes:  newSizes(left),
		window: newWindow(left),
		landed: make(chan *money, s.cfg.MaxInFlight),
	}
}

// discover asks the path for its rate and for its largest packet, before any money is sent.
func (run *sending) discover(ctx context.Context) error {
	largest, _, err := run.largest(ctx, run.Amount-run.result.Sent, &patience{probing: true, left: probePauses})
	if err != nil {
		return err
	}
	run.sizes = newSizes(largest)
	run.sizes.accept(largest)
	run.window.start(largest)
	return nil
}

// all keeps as many packets in flight as it can until nothing is left, then waits for those that are.
func (run *sending) all(ctx context.Context) error {
	for {
		run.fill(ctx)
		if run.flying.count == 0 {
			break
		}
		run.settle(<-run.landed)
	}
	switch {
	case run.broken != nil:
		panic(run.broken)
	case run.reached(run.result) && run.result.Unknown == 0 && !run.lied():
		return nil
	}
	return run.failure
}

// fill sends packets until the window is full, or something says to stop.
func (run *sending) fill(ctx context.Context) {
	for run.goesOn(ctx) {
		if run.asking {
			run.asking = false
			run.askDust(ctx)
			continue
		}
		size := run.next()
		if size == 0 {
			if run.flying.count > 0 {
				return // until one lands
			}
			run.blocked(ctx)
			continue
		}
		price, minimum := run.minimum(size)
		if minimum > price && run.flying.count > 0 {
			return // so much that those under way may still make up for
		}
		run.launch(ctx, size, price, minimum)
	}
}

// goesOn takes in what has landed, pauses if it says so, and reports whether another packet may be sent.
func (run *sending) goesOn(ctx context.Context) bool {
	for {
		run.land()
		switch {
		case run.failure != nil || run.reached(run.result):
			return false
		case ctx.Err() != nil:
			run.fail(stopped(ctx, nil))
			return false
		case run.closed: // a question was answered so: money goes on only while it is open
			run.fail(&Failure{Reason: run.whyClosed()})
			return false
		case !run.Deadline.IsZero() && !run.cfg.Clock.Now().Before(run.Deadline):
			run.fail(&Failure{Reason: TimedOut})
			return false
		case run.pause == 0:
			return true
		}
		run.rest(ctx)
	}
}

// land settles what has landed without waiting for more.
func (run *sending) land() {
	for {
		select {
		case m := <-run.landed:
			run.settle(m)
		default:
			return
		}
	}
}

// rest pauses, but not beyond the deadline. What lands meanwhile is settled after it.
func (run *sending) rest(ctx context.Context) {
	pause := run.pause
	run.pause = 0
	if !run.Deadline.IsZero() {
		pause = min(pause, run.Deadline.Sub(run.cfg.Clock.Now()))
	}
	_ = run.cfg.Clock.Sleep(ctx, pause) // its only error is ctx's
}

// launch sends one packet.
func (run *sending) launch(ctx context.Context, size, price, minimum uint64) {
	m := &money{price: price, expected: run.expect(size)}
	err := run.prepare(&m.flight, request{
		amount:      size,
		minimum:     minimum,
		besides:     run.untold(),
		fulfillable: true,
		deadline:    run.Deadline,
		frames:      moneyFrames,
	})
	if err != nil {
		run.fail(err)
		return
	}
	if size > run.sizes.max {
		run.sizes.trying = m.sequence
	}
	run.paying = true
	run.flying.count++
	run.flying.amount += size
	run.peak = max(run.peak, run.flying.amount)
	run.flying.price += price
	run.flying.besides += m.besides
	run.flying.expected = addSaturating(run.flying.expected, m.expected)
	if run.Whole || run.cfg.MaxInFlight == 1 {
		run.carry(ctx, &m.flight)
		run.landed <- m
		return
	}
	go run.carryApart(ctx, m)
}

// untold returns what of earlier packets arrived besides their minimums, and hasn't been told nor is being told.
func (run *sending) untold() uint64 {
	return run.result.Delivered - min(run.result.Delivered, addSaturating(run.told, run.flying.besides))
}

// moneyFrames are the frames of every packet with money.
var moneyFrames = []Frame{StreamMoney{StreamID: moneyStream, Shares: 1}}

// carryApart carries a packet in a goroutine of its own.
func (run *sending) carryApart(ctx context.Context, m *money) {
	defer func() {
		if value := recover(); value != nil {
			m.answer = answer{unknown: NoAnswer}
			m.err = &panicked{fmt.Errorf("panic in the link: %v\n%s", value, debug.Stack())}
		}
		run.landed <- m
	}()
	run.carry(ctx, &m.flight)
}

// panicked is a panic on its way from the goroutine that carried a packet to the caller's.
type panicked struct{ error }

// fail stops the payment. The first failure is the one that counts, and what made packets so small that they are worth nothing
// counts more than that.
func (run *sending) fail(err error) {
	var failure *Failure
	if run.short != nil && errors.As(err, &failure) && failure.Reason == TooSmall {
		err = run.short
	}
	if run.failure == nil {
		run.failure = err
	}
}
