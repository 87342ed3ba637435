package connector

import (
	"math"
	"math/bits"
	"sync"
	"time"
)

// bucket bounds how much passes in a second: as much at once as in a second, then as time makes room again. Its zero value is
// empty. It counts in integers, exactly up to 2^64-1, and never lets more through than the bound.
type bucket struct {
	mu    sync.Mutex
	level uint64    // what has passed and not yet leaked
	at    time.Time // until when it has leaked
}

// take takes amount, unless that makes more than rate. A rate of 0 is no bound.
func (b *bucket) take(amount, rate uint64, now time.Time) bool {
	if rate == 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leak(rate, now)
	if amount > rate || b.level > rate-amount {
		return false
	}
	b.level += amount
	return true
}

// leak makes the room that time has brought, in whole units: the rest of the time counts the next time.
func (b *bucket) leak(rate uint64, now time.Time) {
	leaked := leakedIn(now.Sub(b.at), rate)
	if leaked >= b.level {
		b.level, b.at = 0, now
		return
	}
	b.level -= leaked
	high, low := bits.Mul64(leaked, uint64(time.Second))
	spent, rest := bits.Div64(high, low, rate) // at most the time that has passed
	if rest > 0 {
		spent++
	}
	b.at = b.at.Add(time.Duration(spent))
}

// leakedIn returns floor(passed × rate), for a rate in a second.
func leakedIn(passed time.Duration, rate uint64) uint64 {
	if passed <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(passed), rate)
	if high >= uint64(time.Second) {
		return math.MaxUint64
	}
	leaked, _ := bits.Div64(high, low, uint64(time.Second))
	return leaked
}
