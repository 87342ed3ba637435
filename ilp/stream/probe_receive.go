package stream

import (
	"context"
	"errors"
	"math"
)

// ProbeReceive asks the path what to send so that at least want arrives, in units of the receiver's asset, also if it takes
// twice as many packets as it seems now. It returns the probe of that amount, which is the smallest that does it, or nearly so where
// few questions can't tell: mostly four or five, each of one packet, or a Probe if the path takes smaller ones. Want is at
// least 1. A failure is a *Failure.
func (s *Sender) ProbeReceive(ctx context.Context, want uint64) (Probe, error) {
	return s.probeReceive(ctx, want, s.Probe, func(p Probe) uint64 { return p.AtLeast(2 * p.Packets) })
}

// ProbeReceiveWhole is ProbeReceive for what is sent as one packet: it asks with ProbeWhole.
func (s *Sender) ProbeReceiveWhole(ctx context.Context, want uint64) (Probe, error) {
	return s.probeReceive(ctx, want, s.ProbeWhole, func(p Probe) uint64 { return p.Received })
}

const (
	// maxAsks is after how many questions no amount is found that brings enough.
	maxAsks = 40
	// maxBetter is how many more are asked for a smaller amount, once there is one.
	maxBetter = 16
	// stride is how many times as much is asked about when nothing arrived, or to know the rate better.
	stride = 16
)

// probeReceive looks for the smallest amount of which arrives says that it brings want.
func (s *Sender) probeReceive(
	ctx context.Context, want uint64, ask func(context.Context, uint64) (Probe, error), arrives func(Probe) uint64,
) (Probe, error) {
	if want == 0 {
		return Probe{}, &Failure{Reason: TooSmall}
	}
	b := bracket{want: want, limit: math.MaxUint64, failure: &Failure{Reason: TooSmall}}
	next := want
	if s.rate.known() {
		next = max(1, s.rate.costs(want))
	}
	for better, n := 0, 0; n < maxAsks && better < maxBetter && next > 0; n++ {
		p, err := ask(ctx, next)
		switch {
		case err == nil:
			b.answer(p, arrives(p))
		case !b.refusal(next, err):
			return Probe{}, err
		}
		if b.found.Sent > 0 {
			better++
		}
		next = b.next()
	}
	if b.found.Sent == 0 {
		return Probe{}, b.failure
	}
	return b.found, nil
}

// bracket is what questions have told about the smallest amount that brings want.
type bracket struct {
	want    uint64
	low     uint64 // brings less
	found   Probe  // brings enough, and nothing smaller is known to; its zero value: nothing is known to
	limit   uint64 // the path refuses it as too much
	failure error  // why, or that nothing arrived
	rate    rate   // as the latest answer has it
	short   int    // how many answers in a row were too little
	stage   int    // what was tried to do better than found, since the rate knew no better
}

// answer learns what arrives of an amount.
func (b *bracket) answer(p Probe, arrives uint64) {
	switch {
	case arrives < b.want:
		b.tooLittle(p.Sent)
	case b.found.Sent == 0 || p.Sent < b.found.Sent:
		b.found, b.short = p, 0
	}
	if arrives > 0 {
		b.rate = rate{p.Sent, arrives}
	}
}

func (b *bracket) tooLittle(sent uint64) {
	b.low = max(b.low, sent)
	b.short++
}

// refusal learns that the path didn't take an amount: because nothing would arrive, or because it is too much. Any other
// reason says nothing about amounts, and it returns false.
func (b *bracket) refusal(sent uint64, err error) bool {
	var failure *Failure
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.Reason {
	case TooSmall:
		b.tooLittle(sent)
	case TooLarge, Illiquid, Exhausted:
		b.limit, b.failure = min(b.limit, sent), failure
	default:
		return false
	}
	return true
}

// next returns the amount to ask about next, or 0 if there is none between those that are known.
func (b *bracket) next() uint64 {
	if b.found.Sent > 0 {
		return b.better()
	}
	half := b.low + (b.limit-b.low)/2
	switch guess := b.guess(); {
	case b.limit-b.low <= 1:
		return 0
	case b.rate.known() && guess < b.limit:
		return guess
	case b.rate.known():
		return half
	case b.low > 0:
		return min(half, stride*min(b.low, math.MaxUint64/stride))
	}
	return max(1, b.limit/stride)
}

// guess returns what the rate says, but four times as far from low each time that it was too little: where somebody on the way
// counts in large units, what arrives doesn't change for long.
func (b *bracket) guess() uint64 {
	if !b.rate.known() {
		return 0
	}
	guess := b.rate.costs(b.want)
	if b.short > 0 {
		guess = max(guess, addSaturating(b.low, 1<<min(2*b.short-2, 62)))
	}
	return guess
}

// better returns an amount to ask about that may be enough and is less than found. First that is the guess, for as long as it is
// less. When it isn't, one unit less shows whether there is nothing better; if that was enough too, the rate is asked for
// again, of an amount so large that rounding says next to nothing about it. In the end it is half-way.
func (b *bracket) better() uint64 {
	if b.found.Sent-b.low <= 1 {
		return 0
	}
	guess := b.guess()
	if guess > b.low && guess < b.found.Sent {
		return guess
	}
	if guess > b.low {
		b.stage++
		switch large := stride * stride * min(b.found.Sent, math.MaxUint64/stride/stride); {
		case b.stage == 1 || b.stage == 3:
			return b.found.Sent - 1
		case b.stage == 2 && large < b.limit:
			return large
		}
	}
	return b.low + (b.found.Sent-b.low)/2
}
