package stream

import (
	"context"
	"errors"
	"time"

	"pochi/ilp/packet"
)

// verdict is what a reject means for what to do next.
type verdict struct {
	reason Reason // if nothing helps
	retry  bool   // it may work later
	shrink bool   // it may work with a smaller packet
	slow   bool   // the path can't keep up
	// doubt says that a node on the way, this one perhaps, may have lost the answer: the receiver may have the money.
	doubt bool
}

// judge reads a reject by its code, and by its family if the code is unknown. F is final but for F08 and F99, T is worth
// another try, R is final but for R00, which a busy path causes, and R01.
func judge(code packet.Code) verdict {
	switch code {
	case packet.TooLarge:
		return verdict{reason: TooLarge, shrink: true}
	case packet.InsufficientLiquidity:
		return verdict{reason: Illiquid, shrink: true, retry: true, slow: true}
	case packet.PeerUnreachable:
		return verdict{reason: Unreachable, retry: true, slow: true, doubt: true}
	case packet.InsufficientSource:
		return verdict{reason: TooSmall, retry: true}
	case packet.ApplicationError:
		return verdict{reason: Refused, retry: true}
	case packet.Unreachable:
		return verdict{reason: Unreachable}
	case packet.TimedOut:
		return verdict{reason: TimedOut, retry: true, slow: true, doubt: true}
	case packet.InsufficientTimeout:
		return verdict{reason: TimedOut}
	case packet.PeerBusy, packet.ConnectorBusy, packet.RateLimited: // said before a packet goes on
		return verdict{reason: Busy, retry: true, slow: true}
	}
	if code.Temporary() {
		return verdict{reason: Busy, retry: true, slow: true, doubt: true}
	}
	return verdict{reason: Refused}
}

// judgeReceived reads the receiver's own reject of a packet that had to bring minimum: at least price is what it would have
// brought at the agreed rate.
func judgeReceived(received, price, minimum uint64) verdict {
	switch {
	case received >= minimum:
		return verdict{reason: Refused, retry: true}
	case received >= price:
		return verdict{reason: Rounding}
	}
	return verdict{reason: RateTooLow, retry: true}
}

const (
	// How often in a row a packet is refused before the sender gives up: for a reason that time may cure, and for its size.
	maxTries   = 8
	maxShrinks = 64
	// maxDoubts is after how many packets in a row that may have arrived all the same there is one in flight at a time.
	maxDoubts = 3
	// probePauses is how long all pauses of a probe may take: somebody waits for its answer.
	probePauses = time.Second
)

// patience counts refusals in a row.
type patience struct {
	tries, shrinks, doubts int
	// probing says that no money is sent. Then time changes nothing about sizes, and of left, all pauses are taken.
	probing bool
	left    time.Duration
}

// wait lets time pass before the next try, or returns why there is none.
func (p *patience) wait(ctx context.Context, clock Clock, v verdict, j *packet.Reject) error {
	pause, err := p.refused(v, j)
	if err != nil || pause == 0 {
		return err
	}
	if err := clock.Sleep(ctx, pause); err != nil {
		return stopped(ctx, j)
	}
	return nil
}

// refused returns how long to wait before the next try, or why there is none.
func (p *patience) refused(v verdict, j *packet.Reject) (time.Duration, error) {
	if p.probing && (v.shrink || v.reason == TooSmall || v.reason == TimedOut) {
		v.retry = false
	}
	if v.shrink {
		p.shrinks++
	}
	if v.retry {
		p.tries++
	}
	if !v.retry && !v.shrink || p.tries >= maxTries || p.shrinks >= maxShrinks {
		return 0, &Failure{Reason: v.reason, Reject: j}
	}
	if !v.retry {
		return 0, nil
	}
	pause := backoff(p.tries)
	if p.probing {
		if pause > p.left {
			return 0, &Failure{Reason: v.reason, Reject: j}
		}
		p.left -= pause
	}
	return pause, nil
}

// backoff returns how long to wait after the nth failure in a row: 100 ms, doubling to 5 s.
func backoff(n int) time.Duration {
	const first, most = 100 * time.Millisecond, 5 * time.Second
	return min(most, first<<min(n-1, 10))
}

// stopped returns the failure of a context that ended; j is the reject before it, or nil.
func stopped(ctx context.Context, j *packet.Reject) *Failure {
	reason := Cancelled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		reason = TimedOut
	}
	return &Failure{Reason: reason, Reject: j, Err: ctx.Err()}
}
