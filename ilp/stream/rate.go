package stream

import (
	"math"
	"math/bits"
)

// rate is what the receiver said of packets lately: of sent, received arrived. It decides how large packets are, never
// what must arrive of them. The zero rate is unknown.
type rate struct{ sent, received uint64 }

// observe learns what arrived of a packet. Every hop rounds down, so of two answers that agree the higher rate is closer;
// one that doesn't agree is of a new rate, or of a packet large enough to know better.
func (r *rate) observe(sent, received uint64) {
	if sent == 0 || received == 0 {
		return
	}
	if r.known() {
		expected := r.arrives(sent)
		if agrees := max(expected, received)-min(expected, received) <= 1; agrees && !(rate{sent, received}).above(*r) {
			return
		}
	}
	r.sent, r.received = sent, received
}

func (r rate) above(other rate) bool {
	hi, lo := bits.Mul64(r.received, other.sent)
	otherHi, otherLo := bits.Mul64(other.received, r.sent)
	return hi > otherHi || hi == otherHi && lo > otherLo
}

func (r rate) known() bool { return r.sent != 0 }

// arrives returns what is to be expected of a packet, rounded down.
func (r rate) arrives(sent uint64) uint64 {
	q, _ := mulDiv(sent, r.received, r.sent)
	return q
}

// costs returns what to send that at least received arrives.
func (r rate) costs(received uint64) uint64 {
	q, exact := mulDiv(received, r.sent, r.received)
	if exact || q == math.MaxUint64 {
		return q
	}
	return q + 1
}

// within returns what may be sent that no more than received arrives.
func (r rate) within(received uint64) uint64 {
	q, _ := mulDiv(received, r.sent, r.received)
	return q
}

// mulDiv returns floor(a × b / c), or 2^64-1 if it is larger, and whether nothing was rounded. C is not 0.
func mulDiv(a, b, c uint64) (quotient uint64, exact bool) {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return math.MaxUint64, false
	}
	quotient, rest := bits.Div64(hi, lo, c)
	return quotient, rest == 0
}

// addSaturating returns a + b, or 2^64-1 if that is larger.
func addSaturating(a, b uint64) uint64 {
	if sum, carry := bits.Add64(a, b, 0); carry == 0 {
		return sum
	}
	return math.MaxUint64
}
