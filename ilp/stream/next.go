package stream

import "context"

// next returns how large the next packet is, 0 if none can be sent now.
func (run *sending) next() uint64 {
	todo := run.todo()
	if todo == 0 || run.flying.count >= run.most() {
		return 0
	}
	if run.Whole {
		return todo
	}
	largest := run.sizes.next()
	if !run.sizes.exact && largest > run.sizes.fits && run.flying.count > 0 {
		return 0 // one at a time, while it isn't known how large they may be
	}
	_, size := split(todo, max(1, min(largest, run.window.size)))
	if larger := run.sizes.larger(min(todo, run.window.size/tryRoom)); larger > 0 {
		size = larger
	}
	if run.flying.count > 0 && size > run.window.size-min(run.window.size, run.flying.amount) {
		return 0
	}
	return size
}

// most returns how many packets may be in flight: one, as long as answers may be getting lost. What is in doubt then is no
// more than was under way when it began, and a packet for each try after that.
func (run *sending) most() uint64 {
	if run.patience.doubts >= maxDoubts {
		return 1
	}
	return uint64(run.cfg.MaxInFlight)
}

// todo returns how much is to be sent, of what is neither sent nor under way: all of it, unless less is wanted or allowed
// by the receiver.
func (run *sending) todo() uint64 {
	todo := run.Amount - run.result.Sent - run.result.Unknown - run.flying.amount
	if run.Whole {
		return todo
	}
	if run.FixedReceive {
		coming := addSaturating(run.result.Delivered, run.flying.expected)
		costs := run.scale().costs(run.MinDelivered - min(run.MinDelivered, coming))
		if costs > 0 {
			costs = max(costs, run.least) // the last of it mustn't be dust
		}
		todo = min(todo, costs)
	}
	if run.limit.known {
		coming := addSaturating(run.result.Delivered-run.Done.Delivered, run.flying.expected)
		todo = min(todo, run.scale().within(run.limit.max-min(run.limit.max, coming)))
	}
	return todo
}

// scale returns the rate of the path, or the agreed one as long as nothing is known.
func (run *sending) scale() rate {
	if run.rate.known() {
		return run.rate
	}
	return rate{run.Amount, run.MinDelivered}
}

// expect returns what is to be expected of a packet.
func (run *sending) expect(size uint64) uint64 { return run.scale().arrives(size) }

// minimum returns what must arrive of the next packet: its share of the price rounded down, which every path that keeps to
// the price can meet, and whatever more it takes not to fall too far behind, whichever of those under way get through.
func (run *sending) minimum(size uint64) (price, minimum uint64) {
	price = share(run.MinDelivered, size, run.Amount)
	due := share(run.MinDelivered, run.result.Sent+run.flying.amount+size, run.Amount)
	coming := addSaturating(run.result.Delivered, run.flying.price)
	behind := due - min(due, coming)
	allowed := min(run.MaxRounding, run.MinDelivered-1) // something arrives in any case
	return price, max(price, behind-min(behind, allowed))
}

// blocked tells a receiver that takes no more that there is more, and waits (RFC 29, section 5.3.13).
func (run *sending) blocked(ctx context.Context) {
	a, err := run.exchange(ctx, request{deadline: run.Deadline, frames: []Frame{StreamMoneyBlocked{
		StreamID: moneyStream, SendMax: run.Amount - run.Done.Sent, TotalSent: run.result.Sent - run.Done.Sent,
	}}})
	switch {
	case err != nil:
		run.fail(err)
		return
	case run.closed:
		run.fail(&Failure{Reason: run.whyClosed(), Reject: a.reject})
		return
	}
	v := verdict{reason: Full, retry: true}
	if a.reject != nil && !a.authentic {
		v = judge(a.reject.Code)
		v.shrink = false
	}
	run.slowDown(v, a.reject)
}

// lied reports whether the receiver has proved not to be worth more packets, whatever has been reached.
func (run *sending) lied() bool {
	failure, ok := run.failure.(*Failure)
	return ok && (failure.Reason == BadAnswer || failure.Reason == AssetChanged)
}
