package stream

import "math"

const (
	// startPackets is how many packets are in flight at first, once it is known how large they may be.
	startPackets = 4
	// stepPart is which part of the window it had after the last setback a window gains in each round trip.
	stepPart = 8
)

// window is how much money may be in flight, in units of the sender's asset. It starts by doubling each round trip, is
// halved when the path can't keep up, and from there grows by the same step each round trip.
type window struct {
	size      uint64
	threshold uint64 // from which on it grows in steps
	most      uint64
}

func newWindow(most uint64) window { return window{size: most, threshold: math.MaxUint64, most: most} }

// start sets the size for packets of at most limit, when nothing has got through yet.
func (w *window) start(limit uint64) {
	if size, _ := mulDiv(startPackets, limit, 1); size < w.size {
		w.size = size
	}
}

// grow learns that a packet of amount got through.
func (w *window) grow(amount uint64) {
	gain := amount
	if w.size >= w.threshold {
		step := max(1, w.threshold/stepPart)
		part, exact := mulDiv(step, min(amount, w.size), w.size)
		if !exact {
			part++
		}
		gain = part
	}
	w.size = min(w.most, addSaturating(w.size, gain))
}

// halve learns that the path couldn't keep up with so much in flight. It leaves no less than least, which is at least 1.
func (w *window) halve(inFlight, least uint64) {
	w.size = max(min(w.size, inFlight)/2, min(least, w.size))
	w.threshold = w.size
}
