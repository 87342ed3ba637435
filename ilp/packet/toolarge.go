package packet

import (
	"math/bits"

	"pochi/ilp/oer"
)

// AmountTooLarge is the data of a Reject with code TooLarge (asn1 InterledgerErrorData): 16 bytes.
type AmountTooLarge struct {
	// Received is what the rejecting node received, in its incoming units.
	Received uint64
	// Maximum is the most it takes, inclusive, in the same units.
	Maximum uint64
}

// ParseAmountTooLarge reads the data of a TooLarge reject; ok is false if it is missing or short.
func ParseAmountTooLarge(data []byte) (a AmountTooLarge, ok bool) {
	r := oer.NewReader(data)
	a = AmountTooLarge{r.Uint64(), r.Uint64()}
	if r.Err() != nil {
		return AmountTooLarge{}, false
	}
	return a, true
}

// Append appends the 16 bytes to dst.
func (a AmountTooLarge) Append(dst []byte) []byte {
	return oer.AppendUint64(oer.AppendUint64(dst, a.Received), a.Maximum)
}

// Limit returns the largest amount that a sender of sent may try next: floor(sent × Maximum / Received), exactly. ok is
// false if a says nothing useful, which is when Received is not above Maximum.
func (a AmountTooLarge) Limit(sent uint64) (limit uint64, ok bool) {
	if a.Received <= a.Maximum {
		return 0, false
	}
	hi, lo := bits.Mul64(sent, a.Maximum)
	limit, _ = bits.Div64(hi, lo, a.Received) // hi < Received, because Maximum < Received
	return limit, true
}
