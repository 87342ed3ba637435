package connector

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// In no stretch of time more passes than the bound and what that time brings: hazard 7, for amounts beyond 2^53 too.
func TestBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.OneOf(rapid.Uint64Range(1, 10), rapid.Uint64Range(1, math.MaxInt64)).Draw(t, "rate")
		var b bucket
		begin := time.Unix(1e9, 0)
		now, passed := begin, 0.0
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "pause")))
			amount := rapid.Uint64Range(0, rate).Draw(t, "amount")
			if b.take(amount, rate, now) {
				passed += float64(amount)
			}
			if most := float64(rate) * (1 + now.Sub(begin).Seconds()); passed > most*(1+1e-9) {
				t.Fatalf("%.0f passed, %.0f may", passed, most)
			}
		}
		if !b.take(rate, rate, now.Add(time.Second)) {
			t.Fatal("after a second without traffic a second's amount passes")
		}
	})
}

func TestBucketIsExact(t *testing.T) {
	const rate = 1<<53 + 1
	var b bucket
	now := time.Unix(1e9, 0)
	if !b.take(1<<53, rate, now) || !b.take(1, rate, now) || b.take(1, rate, now) {
		t.Error("2^53 and 1 pass, and not 1 more")
	}
}
