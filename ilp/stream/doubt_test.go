package stream_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// Answers are lost from some moment on: the receiver has the money, and this node, which can't know, says that the packet
// failed for now. What was under way then is in doubt, and next to nothing follows, whatever the node says.
func TestAnswersAreLost(t *testing.T) {
	for _, code := range []packet.Code{packet.InternalError, packet.PeerUnreachable, packet.TimedOut, "T99"} {
		for _, jitter := range []time.Duration{0, 400 * time.Millisecond} {
			t.Run(string(code), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const inFlight, size = 100, 1000
					n := newNetwork(t, 1, faults{
						delay: 100 * time.Millisecond, jitter: jitter, max: []uint64{size}, loseAt: 5 * time.Second, loseCode: code,
					})
					result, err := n.pay(inFlight, stream.SendParams{Amount: 100_000_000, MinDelivered: 100_000_000})
					if err == nil || result.Sent == 0 {
						t.Fatalf("%+v, %v", result, err)
					}
					if most := uint64(inFlight+8) * size; n.unaccounted > most {
						t.Errorf("%d arrived that the sender knows nothing of, want at most %d", n.unaccounted, most)
					}
					if took := time.Since(n.begin); took > time.Minute {
						t.Errorf("it took %v to give up", took)
					}
				})
			})
		}
	}
}

// A node that fails for a while, with many in flight, is sent one packet at a time until one gets through, and then as many
// as before.
func TestDoubtEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 1, faults{delay: 100 * time.Millisecond, max: []uint64{1000}, busyFrom: 2 * time.Second, busyTo: 2500 * time.Millisecond})
		result, err := n.pay(100, stream.SendParams{Amount: 5_000_000, MinDelivered: 5_000_000})
		if err != nil || n.peak != 100 {
			t.Errorf("%+v, %v, %d in flight at most", result, err, n.peak)
		}
		// 5,000 packets take 5 s with 100 in flight, and 500 s one at a time.
		if took := time.Since(n.begin); took > 12*time.Second {
			t.Errorf("it took %v", took)
		}
		if most := 5000 + 100 + 20; n.carried > most {
			t.Errorf("%d packets, want at most %d", n.carried, most)
		}
	})
}
