package rates

import (
	"maps"
	"math/big"
	"slices"
	"time"
)

// one is what a circle brings that nobody gains by.
var one = big.NewRat(1, 1)

// anyOther stands for a currency that no admin has named, whether the
// configuration has one or not: it may get one at the next start.
const anyOther = "any other currency"

// walk is a way from one currency to another.
type walk struct {
	codes []string
	gets  *big.Rat // what one unit becomes
}

// circle returns a way to exchange in a circle, from the first currency to the
// same again, that brings more than was put in, and what it brings for one unit;
// nil if there is none. What is too old now never comes back, and is no way.
// What groups are worth in each other falls out of every circle, so it counts
// them all as known.
func (v values) circle(now time.Time) (codes []string, gets *big.Rat) {
	best := v.walks(now)
	nodes := v.named()
	for _, via := range nodes {
		for _, from := range nodes {
			for _, to := range nodes {
				there, on := best[pair{from, via}], best[pair{via, to}]
				if there.gets == nil || on.gets == nil {
					continue
				}
				w := walk{slices.Concat(there.codes, on.codes[1:]), new(big.Rat).Mul(there.gets, on.gets)}
				old := best[pair{from, to}].gets
				switch {
				case from == to && w.gets.Cmp(one) > 0:
					return w.codes, w.gets
				case from != to && (old == nil || w.gets.Cmp(old) > 0):
					best[pair{from, to}] = w
				}
			}
		}
	}
	return nil, nil
}

// walks returns the single exchanges.
func (v values) walks(now time.Time) map[pair]walk {
	out := map[pair]walk{}
	for _, from := range v.named() {
		for _, to := range v.named() {
			if from == to {
				continue
			}
			if r := v.rate(from, to); !r.Stale(now) {
				out[pair{from, to}] = walk{[]string{from, to}, r.Effective()}
			}
		}
	}
	return out
}

// named returns the currencies that admins have named, in order, and anyOther.
func (v values) named() []string {
	v.group(anyOther)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(v.groups)), func(code string) bool {
		return code != anyOther && len(v.groups[code].set) == 0
	})
}
