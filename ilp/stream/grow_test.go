package stream_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// A path that took small packets at first and takes large ones later gets large ones, found out one packet at a time.
func TestPacketsGrowBack(t *testing.T) {
	for _, bare := range []bool{false, true} {
		t.Run(fmt.Sprintf("bare %v", bare), func(t *testing.T) {
			limits := append([]uint64{50}, slices.Repeat([]uint64{1000}, 100)...)
			n, took := timed(t, faults{delay: 100 * time.Millisecond, max: limits, bare: bare}, 100, 5_000_000)
			// 1,300 packets of 50 in the first second, and 4,900 of 1,000 after it. It would be 100,000.
			if n.carried > 9000 || took > 12*time.Second {
				t.Errorf("%d packets in %v", n.carried, took)
			}
			if n.tooLarge > 30 {
				t.Errorf("%d packets were too large", n.tooLarge)
			}
		})
	}
}

// A path that takes now more, now less costs some packets that come back, each time after a longer while.
func TestPacketsDoNotOscillate(t *testing.T) {
	for _, limits := range [][]uint64{{1000, 700}, {1000, 40}, {300, 700, 500, 1000, 100}} {
		for _, bare := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v, bare %v", limits, bare), func(t *testing.T) {
				const inFlight = 200
				n, _ := timed(t, faults{delay: 100 * time.Millisecond, max: limits, bare: bare}, inFlight, 2_500_000)
				if n.tooLarge > inFlight+n.carried/20 {
					t.Errorf("%d packets of %d were too large", n.tooLarge, n.carried)
				}
			})
		}
	}
}

// Looking for more costs next to nothing on a path that never takes more.
func TestLookingForMoreIsRare(t *testing.T) {
	for _, bare := range []bool{false, true} {
		n, _ := timed(t, faults{delay: 10 * time.Millisecond, max: []uint64{1000}, bare: bare}, 100, 20_000_000)
		if n.tooLarge > 40 {
			t.Errorf("bare %v: %d packets of %d were too large", bare, n.tooLarge, n.carried)
		}
	}
}
