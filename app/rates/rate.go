package rates

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"pochi/db"
)

// Source says where a rate comes from.
type Source string

// The sources.
const (
	Configuration Source = "configuration" // POCHI_RATES
	Admin         Source = "admin"         // was set for these two currencies
	Derived       Source = "derived"       // follows from what was set for others, and from POCHI_RATES
)

// Rate is what one whole unit of a currency buys of another.
type Rate struct {
	From, To  string
	Value     *big.Rat // whole units of To, before the spread; not to be changed
	SpreadBps int      // hundredths of a percent that the wallet keeps of it
	Source    Source
	Inverse   bool      // the other direction was set, and this is its inverse
	SetAt     time.Time // zero unless it was set
	GoodUntil time.Time // zero if it is the configuration's: that is never too old
	Renew     string    // the pair to set again when it is too old: "USD EUR"; "" if it is the configuration's
	Of        []string  // the pairs that a derived rate depends on, each as it was set: "USD EUR"
}

// spreadWhole is all of it, in basis points.
const spreadWhole = 10_000

// SpreadMax is the largest spread, in basis points: of the whole nothing would be left.
const SpreadMax = spreadWhole - 1

// Effective returns what one unit brings, after the spread.
func (r Rate) Effective() *big.Rat {
	kept := big.NewRat(spreadWhole-int64(r.SpreadBps), spreadWhole)
	return kept.Mul(kept, r.Value)
}

// Stale reports whether the rate is too old at a time.
func (r Rate) Stale(now time.Time) bool { return !r.GoodUntil.IsZero() && !now.Before(r.GoodUntil) }

// pair returns the currencies.
func (r Rate) pair() pair { return pair{r.From, r.To} }

// samePair reports whether two rates are of the same currencies, in either direction.
func (r Rate) samePair(o Rate) bool { return r.pair() == o.pair() || r.pair() == o.inverse().pair() }

// inverse returns the rate that serves the other direction, at the same spread.
func (r Rate) inverse() Rate {
	r.From, r.To, r.Value, r.Inverse = r.To, r.From, new(big.Rat).Inv(r.Value), true
	return r
}

// String says what one unit brings: "1 USD = 0.9137 EUR".
func (r Rate) String() string {
	return fmt.Sprintf("1 %s = %s %s", r.From, significant(r.Effective()), r.To)
}

// significant prints a rate with four decimals, or more while it is small.
func significant(rate *big.Rat) string {
	decimals := 4
	for small := big.NewRat(1, 10); rate.Cmp(small) < 0 && decimals < 24; decimals++ {
		small.Quo(small, big.NewRat(10, 1))
	}
	text := strings.TrimRight(rate.FloatString(decimals), "0")
	return strings.TrimSuffix(text, ".")
}

// List returns what is in force in each direction, too old or not, in the order
// of the currencies.
func List(ctx context.Context, tx db.Tx, table Table) ([]Rate, error) {
	set, at, err := newest(ctx, tx)
	if err != nil {
		return nil, err
	}
	return sorted(inForce(table, set, at).rates()), nil
}

func sorted(rates map[pair]Rate) []Rate {
	return slices.SortedFunc(maps.Values(rates), func(a, b Rate) int {
		if c := strings.Compare(a.From, b.From); c != 0 {
			return c
		}
		return strings.Compare(a.To, b.To)
	})
}
