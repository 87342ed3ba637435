package stream

import (
	"math/bits"

	"pochi/ilp/packet"
)

// sizes knows how large the packets of a path may be.
type sizes struct {
	fits uint64 // the largest that got through, 0 if none did
	max  uint64 // nothing larger is tried
	// exact says that max is worth trying as it is; else it is only known that nothing larger gets through.
	exact bool
	growth
}

// newSizes returns what is known when largest is worth trying.
func newSizes(largest uint64) sizes {
	return sizes{max: largest, exact: true, growth: newGrowth(largest)}
}

// shrink learns that a packet of sent was refused for its size; data is that of the reject. Max falls every time.
func (z *sizes) shrink(sent uint64, data []byte) {
	if limit, ok := toldLimit(sent, data); ok {
		z.max, z.exact = limit, true
	} else {
		z.max, z.exact = sent-1, false
	}
	if z.fits > z.max { // the path has changed
		z.fits = 0
		z.failed()
	}
	z.step = z.max
}

// toldLimit returns the largest packet that fits, if the reject of one that was too large says it and makes sense.
func toldLimit(sent uint64, data []byte) (limit uint64, ok bool) {
	tooLarge, ok := packet.ParseAmountTooLarge(data)
	if !ok {
		return 0, false
	}
	limit, ok = tooLarge.Limit(sent)
	return limit, ok && limit < sent
}

// accept learns that a packet of sent got through. One that is larger than max was on its way before the path changed.
func (z *sizes) accept(sent uint64) {
	if sent <= z.max {
		z.fits = max(z.fits, sent)
		z.through++
	}
}

// found reports whether a larger packet than fits is not worth looking for.
func (z *sizes) found() bool {
	if z.exact {
		return z.fits == z.max
	}
	return z.fits > 0 && z.max-z.fits <= z.fits/16
}

// next returns the size to try: what fits if the search is over, else max, or half-way to it. It is 0 only if max is.
func (z *sizes) next() uint64 {
	switch {
	case z.found():
		return z.fits
	case z.exact:
		return z.max
	}
	return z.fits + (z.max-z.fits+1)/2
}

// split returns into how many packets of at most limit an amount goes, as even as they can be, and how large the first of
// them is. There is no small last packet that rounding eats. Neither argument is 0.
func split(amount, limit uint64) (packets, first uint64) {
	packets = (amount-1)/limit + 1
	return packets, (amount-1)/packets + 1
}

// share returns floor(total × part / whole), for part not above whole, which is not 0.
func share(total, part, whole uint64) uint64 {
	if part == whole {
		return total
	}
	hi, lo := bits.Mul64(total, part)
	quotient, _ := bits.Div64(hi, lo, whole) // hi < whole, because part < whole
	return quotient
}
