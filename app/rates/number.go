package rates

import (
	"errors"
	"math/big"
	"strings"
)

// numberMax is how many characters a rate may have: more than the two numbers
// of 63 bits of a fraction.
const numberMax = 40

// errNumber is how a rate has to be written.
var errNumber = errors.New("a rate is a number above 0 such as 0.9137 or 9/10, and as a fraction no part of it is above 2^63-1")

// parseNumber reads a rate: a decimal or a fraction, more than 0, that is a
// fraction of two numbers of 63 bits.
func parseNumber(text string) (*big.Rat, error) {
	top, bottom, fraction := strings.Cut(text, "/")
	whole, decimals, decimal := strings.Cut(text, ".")
	valid := digits(text)
	switch {
	case fraction:
		valid = digits(top) && digits(bottom)
	case decimal:
		valid = digits(whole) && digits(decimals)
	}
	if !valid || len(text) > numberMax {
		return nil, errNumber
	}
	value, ok := new(big.Rat).SetString(text)
	if !ok || value.Sign() == 0 || !value.Num().IsInt64() || !value.Denom().IsInt64() {
		return nil, errNumber
	}
	return value, nil
}

// digits reports whether text is decimal digits, one at least.
func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
