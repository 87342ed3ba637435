package rates

import (
	"math/big"
	"math/bits"
)

// factor multiplies an amount by numerator/denominator and by a power of ten,
// and rounds down once. What fits 64 bits is done in 128, without allocating.
type factor struct {
	num, den uint64 // both 0 when one is above 64 bits
	value    *big.Rat
}

// same is the factor within a currency.
var same = newFactor(big.NewRat(1, 1))

func newFactor(value *big.Rat) factor {
	f := factor{value: value}
	if value.Num().IsUint64() && value.Denom().IsUint64() {
		f.num, f.den = value.Num().Uint64(), value.Denom().Uint64()
	}
	return f
}

// powers are the powers of ten below 2^64.
var powers = func() (out [20]uint64) {
	out[0] = 1
	for i := range out[1:] {
		out[i+1] = 10 * out[i]
	}
	return out
}()

// convert returns floor(amount × factor × 10^shift). ok is false when that is
// above 2^64-1.
func (f factor) convert(amount uint64, shift int) (out uint64, ok bool) {
	num, den, fits := f.shifted(shift)
	if !fits {
		return f.convertBig(amount, shift)
	}
	high, low := bits.Mul64(amount, num)
	if high >= den {
		return 0, false
	}
	out, _ = bits.Div64(high, low, den)
	return out, true
}

// shifted returns the factor × 10^shift, if that fits two numbers of 64 bits.
func (f factor) shifted(shift int) (num, den uint64, fits bool) {
	if f.den == 0 || shift <= -len(powers) || shift >= len(powers) {
		return 0, 0, false
	}
	var over uint64
	num, den = f.num, f.den
	if shift >= 0 {
		over, num = bits.Mul64(num, powers[shift])
	} else {
		over, den = bits.Mul64(den, powers[-shift])
	}
	return num, den, over == 0
}

// convertBig is convert for whatever doesn't fit.
func (f factor) convertBig(amount uint64, shift int) (out uint64, ok bool) {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil)
	num, den := f.value.Num(), f.value.Denom()
	if shift >= 0 {
		num = new(big.Int).Mul(num, power)
	} else {
		den = new(big.Int).Mul(den, power)
	}
	result := new(big.Int).SetUint64(amount)
	result.Mul(result, num).Quo(result, den)
	return result.Uint64(), result.IsUint64()
}
