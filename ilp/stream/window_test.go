package stream_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pochi/ilp/stream"
)

// timed pays amount over a network in simulated time, 1:1, and returns how long it took.
func timed(t *testing.T, f faults, maxInFlight int, amount uint64) (n *network, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n = newNetwork(t, 1, f)
		result, err := n.pay(maxInFlight, stream.SendParams{Amount: amount, MinDelivered: amount})
		if err != nil || result.Delivered != amount {
			t.Errorf("%+v, %v; %s", result, err, n)
		}
		took = time.Since(n.begin)
	})
	t.Logf("took %v, %d packets", took, n.carried)
	return n, took
}

// A path of 100 ms takes any number of packets: the window grows until it carries as many as allowed.
func TestWindowFillsALongPath(t *testing.T) {
	const packets, inFlight = 20_000, 500
	n, took := timed(t, faults{delay: 100 * time.Millisecond, max: []uint64{1000}}, inFlight, packets*1000)
	// Full from the first moment on it would be 4 s; one at a time, 2,000 s. The question, the packet that is too large,
	// and from 4 packets to 500 in 7 round trips: a second more.
	if want := 5200 * time.Millisecond; took > want {
		t.Errorf("%d packets took %v, want at most %v", packets, took, want)
	}
	if n.peak != inFlight || n.carried > packets+10 {
		t.Errorf("%d in flight at most, %d packets in all", n.peak, n.carried)
	}
}

// A path that is short of liquidity is used for the most of it all the same, and isn't stormed.
func TestWindowKeepsToTheLiquidity(t *testing.T) {
	const packets, carries = 20_000, 64
	n, took := timed(t, faults{delay: 100 * time.Millisecond, max: []uint64{1000}, liquidity: carries * 1000}, 500, packets*1000)
	full := packets / carries * 100 * time.Millisecond
	if took > full*10/6 {
		t.Errorf("%d packets took %v, and on a path always full %v", packets, took, full)
	}
	if refused := n.carried - packets; refused > packets/20 {
		t.Errorf("%d packets of %d were refused", refused, packets)
	}
}

// It makes no difference in which order answers of one moment come, nor whether the sender is there to take each as it comes
// or finds them all at once, because its machine was busy.
func TestWindowDoesNotDependOnScheduling(t *testing.T) {
	const packets, carries = 20_000, 64
	full := packets / carries * 100 * time.Millisecond
	for name, f := range map[string]faults{
		"refusals come last":       {refusedLate: time.Millisecond, stallEach: packets},
		"answers come all at once": {stallEach: 211, stall: 150 * time.Millisecond},
		"refusals are found last":  {refusedLate: time.Millisecond, stallEach: 211, stall: 150 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			f.delay, f.max, f.liquidity = 100*time.Millisecond, []uint64{1000}, carries*1000
			n, took := timed(t, f, 500, packets*1000)
			stalls := time.Duration(n.carried/f.stallEach) * f.stall
			if took-stalls > full*10/6 {
				t.Errorf("%d packets took %v, of which it stalled %v, and on a path always full %v", packets, took, stalls, full)
			}
			if refused := n.carried - packets; refused > packets/20 {
				t.Errorf("%d packets of %d were refused", refused, packets)
			}
		})
	}
}

// A path that takes so many packets a second isn't stormed either, and its packets stay large.
func TestWindowKeepsToTheRateLimit(t *testing.T) {
	const packets, perSecond = 2_000, 100
	n, took := timed(t, faults{delay: 100 * time.Millisecond, max: []uint64{1000}, perSecond: perSecond}, 500, packets*1000)
	if full := packets / perSecond * time.Second; took > 2*full {
		t.Errorf("%d packets took %v, and at the limit %v", packets, took, full)
	}
	if refused := n.carried - packets; refused > packets/4 {
		t.Errorf("%d packets of %d were refused", refused, packets)
	}
}

// A path without any limit gets one packet.
func TestWithoutALimitThereIsOnePacket(t *testing.T) {
	n, took := timed(t, faults{delay: 100 * time.Millisecond}, 500, 1<<40)
	if n.carried != 2 || took != 200*time.Millisecond {
		t.Errorf("%d packets in %v; want a question and the money", n.carried, took)
	}
}

// Hazard 21: the largest packet is known exactly from the first F08 with data, and none is too large after it, also when
// the limit falls while hundreds are in flight: those come back once.
func TestLargestPacketChangesWhileManyAreInFlight(t *testing.T) {
	n, _ := timed(t, faults{delay: 100 * time.Millisecond, max: []uint64{1000, 700}}, 200, 2_000_000)
	if n.carried > 2000+1000+200+10 {
		t.Errorf("%d packets", n.carried)
	}
}

// Without data the size is found by halving, one packet at a time.
func TestLargestPacketIsNotTold(t *testing.T) {
	n, _ := timed(t, faults{delay: 100 * time.Millisecond, max: []uint64{1000}, bare: true}, 200, 2_000_000)
	if n.carried > 2_000_000/940+30 {
		t.Errorf("%d packets", n.carried)
	}
}
