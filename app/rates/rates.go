// Package rates converts amounts between currencies with a fixed table. Rates
// are rationals; what is converted is rounded down, and what rounding leaves
// stays with the wallet's exchange account.
package rates

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"pochi/ilp"
	"pochi/ilp/connector"
)

// Table holds how many units of each currency one unit of the base buys.
type Table struct {
	units map[string]*big.Rat
}

// Parse reads a table: "USD=1,EUR=0.9137,JPY=149.62" says what one and the
// same value is in each currency. A rate is a decimal or a fraction ("10/11"),
// and more than 0.
func Parse(text string) (Table, error) {
	t := Table{units: map[string]*big.Rat{}}
	for entry := range strings.SplitSeq(text, ",") {
		code, value, ok := strings.Cut(strings.TrimSpace(entry), "=")
		rate, valid := new(big.Rat).SetString(value)
		if !ok || !valid || code == "" || rate.Sign() <= 0 {
			return Table{}, fmt.Errorf("rate %q: want CODE=NUMBER with a number above 0", entry)
		}
		if _, twice := t.units[code]; twice {
			return Table{}, fmt.Errorf("rate %q: %s has a rate already", entry, code)
		}
		t.units[code] = rate
	}
	return t, nil
}

// Has reports whether the table knows a currency.
func (t Table) Has(code string) bool { return t.units[code] != nil }

// rate returns how many whole units of to one whole unit of from buys.
func (t Table) rate(from, to string) (*big.Rat, error) {
	a, b := t.units[from], t.units[to]
	if a == nil || b == nil {
		return nil, fmt.Errorf("%w from %s to %s", connector.ErrNoRate, from, to)
	}
	return new(big.Rat).Quo(b, a), nil
}

// Convert implements connector.Rates: amount in from's smallest unit becomes
// to's, rounded down once.
func (t Table) Convert(_ context.Context, amount uint64, from, to ilp.Asset) (uint64, error) {
	rate, err := t.rate(from.Code, to.Code)
	if err != nil {
		return 0, err
	}
	num := new(big.Int).Mul(rate.Num(), new(big.Int).SetUint64(amount))
	num.Mul(num, powerOf10(to.Scale))
	den := new(big.Int).Mul(rate.Denom(), powerOf10(from.Scale))
	out := num.Quo(num, den)
	if !out.IsUint64() {
		return 0, fmt.Errorf("%w: %d %s in %s", connector.ErrOverflow, amount, from.Code, to.Code)
	}
	return out.Uint64(), nil
}

// Describe says the rate in words, "1 USD = 0.9137 EUR", with at least four
// significant digits. It is "" between the same currencies and without a rate.
func (t Table) Describe(from, to string) string {
	rate, err := t.rate(from, to)
	if err != nil || from == to {
		return ""
	}
	return fmt.Sprintf("1 %s = %s %s", from, significant(rate), to)
}

// significant prints a rate with four decimals, or more while it is small.
func significant(rate *big.Rat) string {
	decimals := 4
	for small := big.NewRat(1, 10); rate.Cmp(small) < 0 && decimals < 12; decimals++ {
		small.Quo(small, big.NewRat(10, 1))
	}
	text := strings.TrimRight(rate.FloatString(decimals), "0")
	return strings.TrimSuffix(text, ".")
}

func powerOf10(scale uint8) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
}
