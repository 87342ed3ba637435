package rates_test

import (
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"pochi/app/rates"
	"pochi/ilp/connector"

	"pgregory.net/rapid"
)

// ends fails unless these pairs, and no others, are too old when a rate is.
func (f *fixture) ends(when string, codes []string, old func(from, to string) bool) {
	f.t.Helper()
	for _, from := range codes {
		for _, to := range codes {
			if err := f.Check(from, to); from != to && errors.Is(err, connector.ErrStaleRate) != old(from, to) {
				f.t.Errorf("%s: from %s to %s: %v", when, from, to, err)
			}
		}
	}
}

// A rate that is too old takes those pairs with it that it moved, in either
// direction, and no others.
func TestStaleRateReachesWhatItMoved(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9,GBP=0.8,KES=130,JPY=150")
	codes := []string{"USD", "EUR", "GBP", "KES", "JPY"}
	one := func(code string) func(from, to string) bool {
		return func(from, to string) bool { return from == code || to == code }
	}
	short := func(from, to, rate string) {
		t.Helper()
		if _, err := f.Set(t.Context(), rates.Change{From: from, To: to, Rate: rate, SpreadBps: 50, Valid: time.Minute}); err != nil {
			t.Fatal(err)
		}
	}
	short("USD", "EUR", "0.9")
	f.set("KES", "GBP", "1/160", 100)
	f.converts("USD", "KES", 130_000_00) // nothing moved these two, so that nothing is kept
	f.converts("USD", "GBP", 804_37)
	f.clock.advance(time.Hour)
	f.ends("the euro was moved", codes, one("EUR"))

	f.set("EUR", "JPY", "166", 0) // is where the euro is
	f.ends("the yen went with it", codes, func(from, to string) bool {
		there := func(code string) bool { return code == "EUR" || code == "JPY" }
		return there(from) != there(to)
	})

	f.set("USD", "EUR", "0.9", 0)
	f.clock.advance(time.Hour)
	short("GBP", "EUR", "1.12") // moves the dollar with the euro and the yen
	f.clock.advance(time.Hour)
	f.ends("three were moved", codes, func(from, to string) bool {
		there := func(code string) bool { return code == "EUR" || code == "JPY" || code == "USD" }
		return there(from) != there(to)
	})
}

// A pair depends on just those rates without which it would be another.
func TestDerivedRatesDependOnWhatMovesThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMarket(t)
		var set []rates.Rate
		for range rapid.IntRange(1, 8).Draw(t, "sets") {
			r := m.draw(t, 5)
			if !slices.ContainsFunc(set, func(o rates.Rate) bool { return o.Renew == r.Renew || o.Renew == r.To+" "+r.From }) {
				set = append(set, r)
			}
		}
		before := rates.Narrow(m.table, set)
		moved := make([]map[string]bool, len(set))
		for i := range set {
			other := slices.Clone(set)
			other[i].Value = new(big.Rat).Mul(set[i].Value, big.NewRat(7, 11))
			moved[i] = map[string]bool{}
			for j, r := range rates.Narrow(m.table, other) {
				moved[i][r.From+" "+r.To] = r.Value.Cmp(before[j].Value) != 0
			}
		}
		for _, r := range before {
			if r.Source == rates.Admin {
				continue
			}
			spread, until := 0, time.Time{}
			for i, s := range set {
				on := moved[i][r.From+" "+r.To]
				if on != slices.Contains(r.Of, s.Renew) {
					t.Fatalf("%v says that it depends on %v; is moved by %v: %t", r, r.Of, s, on)
				}
				if on {
					spread = max(spread, s.SpreadBps)
				}
				if on && (until.IsZero() || s.GoodUntil.Before(until)) {
					until = s.GoodUntil
				}
			}
			if r.SpreadBps != spread || !r.GoodUntil.Equal(until) {
				t.Fatalf("%v: spread %d until %v, want %d until %v", r, r.SpreadBps, r.GoodUntil, spread, until)
			}
		}
	})
}

// Between currencies that close a circle people could gain if what is derived
// depended only on what moved it: then it depends on all, as it always did, and
// the rates that were set stay in force. With another configuration it is
// other pairs, and nobody gains either.
func TestACircleMakesRatesDependOnAll(t *testing.T) {
	r := func(from, to, value string, bps int) rates.Rate {
		v, _ := new(big.Rat).SetString(value)
		return rates.Rate{From: from, To: to, Value: v, SpreadBps: bps, Source: rates.Admin, Renew: from + " " + to}
	}
	set := []rates.Rate{r("AA", "BB", "1", 100), r("BB", "CC", "1", 100), r("AA", "CC", "1.015", 0)}
	for _, table := range []string{"AA=1,BB=1,CC=1,EE=1", "BB=1,EE=1", "CC=1,EE=1"} {
		book := rates.BookOf(parse(t, table), then)
		for _, r := range set {
			if err := book.Put(r, true); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
		}
		for _, other := range []string{"AA=1,EE=1", "BB=1,EE=1", "CC=1,EE=1", "DD=1,EE=1"} {
			in := rates.BookOf(parse(t, other), then, set...).InForce()
			if circle, gets := gains(in, then()); circle != nil {
				t.Errorf("set with %s, then with %s: %v gets %s", table, other, circle, gets.FloatString(6))
			}
		}
	}
}
