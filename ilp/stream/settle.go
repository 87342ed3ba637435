package stream

import (
	"errors"

	"pochi/ilp/packet"
)

// settle takes in what became of a packet.
func (run *sending) settle(m *money) {
	run.flying.count--
	run.flying.amount -= m.amount
	run.flying.price -= m.price
	run.flying.besides -= m.besides
	run.flying.expected -= min(run.flying.expected, m.expected)
	run.learn(&m.flight)
	a := &m.answer
	switch {
	case a.fulfilled:
		run.account(m)
	case a.unknown != "":
		run.result.Unknown += m.amount
		if run.result.UnknownReason == "" {
			run.result.UnknownReason = a.unknown
		}
	}
	var broken *panicked
	switch {
	case errors.As(m.err, &broken):
		run.broken = broken
		run.fail(&Failure{Reason: NoAnswer, Err: broken})
	case m.err != nil:
		run.fail(m.err)
	case a.fulfilled && a.authentic && a.received < m.minimum:
		run.fail(&Failure{Reason: BadAnswer, Err: errors.New("the receiver fulfilled less than the minimum")})
	case run.closed && !run.reached(run.result):
		run.fail(&Failure{Reason: run.whyClosed(), Reject: a.reject})
	case !a.fulfilled:
		run.refused(m)
	}
}

// account adds a fulfilled packet.
func (run *sending) account(m *money) {
	run.result.Sent += m.amount
	run.result.Packets++
	run.told = addSaturating(run.told, m.tells())
	delivered := max(m.minimum, m.answer.received)
	run.result.Delivered = addSaturating(run.result.Delivered, delivered) // a receiver can claim anything
	if m.sequence == run.sizes.trying {
		run.sizes.grew(m.amount)
	}
	run.sizes.accept(m.amount)
	if m.sequence > run.recovery {
		run.window.grow(m.amount)
	}
	run.patience, run.short, run.barred = patience{}, nil, 0
}

// dustPart is which part of a payment may count as dust, because somebody on the way said that it is too small.
const dustPart = 1000

// refused takes in a reject: the packet's money will be sent again, later or in other sizes, or nothing more is sent.
func (run *sending) refused(m *money) {
	j := m.answer.reject
	v := judge(j.Code)
	if m.answer.authentic {
		v = judgeReceived(m.answer.received, m.price, m.minimum)
		if v.reason == Refused && run.limit.known {
			v.reason = Full
		}
		if run.Whole && m.answer.tooMuch() {
			v = verdict{reason: Full}
		}
	}
	if v.doubt {
		run.patience.doubts++
	}
	if v.shrink {
		run.short = &Failure{Reason: v.reason, Reject: j}
	}
	if v.reason == TooSmall {
		run.least = max(run.least, min(addSaturating(m.amount, m.amount), run.Amount/dustPart))
	}
	tooLarge := v.shrink && !v.retry && !run.Whole
	if m.sequence == run.sizes.trying {
		run.sizes.tried(m.amount, j.Data)
		if tooLarge {
			return
		}
	}
	switch {
	case !v.retry && !tooLarge:
		run.fail(&Failure{Reason: v.reason, Reject: j})
	case tooLarge && m.amount > run.sizes.max:
		// Others that were under way have said so before: it was made smaller since.
	case tooLarge:
		run.cut(m.amount, v, j)
	case m.sequence > run.recovery:
		run.recovery = run.sequence
		if v.slow {
			run.narrow(v)
		}
		run.slowDown(v, j)
	}
}

// cut learns that a packet of amount is too large.
func (run *sending) cut(amount uint64, v verdict, j *packet.Reject) {
	run.sizes.shrink(amount, j.Data)
	run.patience.shrinks++
	run.peak = run.flying.amount // this packet wasn't carried
	if run.sizes.max == 0 || run.patience.shrinks >= maxShrinks {
		run.fail(&Failure{Reason: v.reason, Reject: j})
		return
	}
	if run.result.Packets == run.Done.Packets {
		run.window.start(run.sizes.max)
	}
}

// narrow makes the window smaller after a setback: to less than one packet only if it was for want of liquidity. How much
// was too much is what was under way when the packet was sent and after, not what of it is left when the answer is found:
// others of the same moment, or of a moment in which the sender's machine was busy, may have been found before.
func (run *sending) narrow(v verdict) {
	least := uint64(1)
	if !v.shrink {
		least = run.sizes.next()
	}
	run.window.halve(run.peak, least)
	run.peak = run.flying.amount
}

// slowDown makes the next packet wait after one that was refused, or gives up.
func (run *sending) slowDown(v verdict, j *packet.Reject) {
	v.shrink = false
	pause, err := run.patience.refused(v, j)
	if err != nil {
		run.fail(err)
		return
	}
	run.pause = max(run.pause, pause)
	run.asking = v.reason == Illiquid && run.patience.tries >= askTries && run.result.Packets == run.Done.Packets && !run.Whole
}
