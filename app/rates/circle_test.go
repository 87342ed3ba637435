package rates_test

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pochi/app/problem"
	"pochi/app/rates"
	"pochi/ilp"
	"pochi/ilp/connector"

	"pgregory.net/rapid"
)

// market is five currencies whose rates are set at random, most of them near
// what is worth what. An admin never names the last one.
type market struct {
	worth map[string]int64
	table rates.Table
	all   bool // the configuration has all of them
	clock *clock
	*rates.Book
}

var codes = []string{"AA", "BB", "CC", "DD", "EE"}

func drawMarket(t *rapid.T) *market {
	m := &market{worth: map[string]int64{}, all: true, clock: &clock{now: time.Unix(1_000_000, 0)}}
	var entries []string
	for i, code := range codes {
		m.worth[code] = rapid.Int64Range(1, 200).Draw(t, code)
		if i == len(codes)-1 || rapid.IntRange(0, 5).Draw(t, "configured") > 0 {
			entries = append(entries, fmt.Sprintf("%s=%d", code, m.worth[code]))
		} else {
			m.all = false
		}
	}
	var err error
	if m.table, err = rates.Parse(strings.Join(entries, ",")); err != nil {
		t.Fatal(err)
	}
	m.Book = rates.BookOf(m.table, m.clock.Now)
	return m
}

func (m *market) draw(t *rapid.T, named int) rates.Rate {
	two := rapid.Permutation(codes[:named]).Draw(t, "pair")
	near := rapid.OneOf(rapid.Just[int64](0), rapid.Int64Range(-30, 30), rapid.Int64Range(-300, 300)).Draw(t, "near")
	value := big.NewRat(m.worth[two[1]], m.worth[two[0]])
	return rates.Rate{
		From: two[0], To: two[1], Value: value.Mul(value, big.NewRat(10_000+near, 10_000)), Source: rates.Admin,
		SpreadBps: rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 50), rapid.IntRange(0, 300)).Draw(t, "bps"),
		SetAt:     m.clock.Now(), GoodUntil: m.clock.Now().Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "valid")) * time.Hour),
		Renew: two[0] + " " + two[1],
	}
}

// gains tries all circles of what is not too old, and returns the best one of
// those that bring more than was put in.
func gains(in []rates.Rate, now time.Time) (circle []string, gets *big.Rat) {
	gets = big.NewRat(1, 1)
	effective := map[[2]string]*big.Rat{}
	for _, r := range in {
		if !r.Stale(now) {
			effective[[2]string{r.From, r.To}] = r.Effective()
		}
	}
	var walk func(way []string, has *big.Rat)
	walk = func(way []string, has *big.Rat) {
		last := way[len(way)-1]
		if back := effective[[2]string{last, way[0]}]; back != nil {
			if all := new(big.Rat).Mul(has, back); all.Cmp(gets) > 0 {
				circle, gets = slices.Clone(way), all
			}
		}
		for _, next := range codes {
			if on := effective[[2]string{last, next}]; on != nil && !slices.Contains(way, next) {
				walk(append(way, next), new(big.Rat).Mul(has, on))
			}
		}
	}
	for _, code := range codes {
		walk([]string{code}, big.NewRat(1, 1))
	}
	return circle, gets
}

// Whatever is set, in whatever order, and however old it gets: there never is a
// circle that brings more than was put in. What was set is just that; what is
// refused changes nothing, and would have opened a circle.
func TestNoCircleGains(t *testing.T) {
	refused, closed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := drawMarket(t)
		var newest []rates.Rate
		for range rapid.IntRange(1, 12).Draw(t, "sets") {
			r := m.draw(t, 4)
			same := func(o rates.Rate) bool { return o.From == r.From && o.To == r.To || o.From == r.To && o.To == r.From }
			after := append(slices.DeleteFunc(slices.Clone(newest), same), r)
			would := rates.BookOf(m.table, m.clock.Now, after...).InForce()
			circle, _ := gains(would, m.clock.Now())
			before := m.InForce()
			if len(newest) > 0 && rapid.IntRange(0, 7).Draw(t, "remove") == 0 {
				i := rapid.IntRange(0, len(newest)-1).Draw(t, "which")
				if err := m.Take(newest[i].To, newest[i].From); err == nil {
					newest = slices.Delete(newest, i, i+1)
				}
				before = m.InForce()
				after = append(slices.DeleteFunc(slices.Clone(newest), same), r)
				circle, _ = gains(rates.BookOf(m.table, m.clock.Now, after...).InForce(), m.clock.Now())
			}
			switch err := m.Put(r, true); {
			case err == nil:
				newest = after
			case problem.CodeOf(err) != problem.Conflict || !sameRates(before, m.InForce()):
				t.Fatalf("refused with %v: %v before, %v after", err, before, m.InForce())
			case m.all && circle == nil:
				t.Fatalf("refused %v, but nobody gains: %v", r, err)
			default:
				refused++
			}
			if len(newest) > 3 {
				closed++
			}
			for _, r := range newest {
				holds(t, m.Book, r)
			}
			for range 2 {
				if circle, gets := gains(m.InForce(), m.clock.Now()); circle != nil {
					t.Fatalf("%v gets %s at %v", circle, gets.FloatString(9), m.InForce())
				}
				other := drawMarket(t).table // a start with another configuration
				in := rates.BookOf(other, m.clock.Now, newest...).InForce()
				if circle, gets := gains(in, m.clock.Now()); circle != nil {
					t.Fatalf("with %v: %v gets %s at %v", other, circle, gets.FloatString(9), in)
				}
				m.clock.advance(time.Duration(rapid.IntRange(0, 4).Draw(t, "later")) * time.Hour)
			}
		}
	})
	if refused == 0 || closed == 0 {
		t.Errorf("%d refused, %d with a pair that closes a circle", refused, closed)
	}
}

// holds fails unless a pair is just what was set, and the inverse of it.
func holds(t *rapid.T, book *rates.Book, set rates.Rate) {
	found := 0
	for _, r := range book.InForce() {
		switch {
		case r.From == set.From && r.To == set.To && r.Value.Cmp(set.Value) == 0 && r.SpreadBps == set.SpreadBps,
			r.From == set.To && r.To == set.From && r.Value.Cmp(new(big.Rat).Inv(set.Value)) == 0 && r.SpreadBps == set.SpreadBps:
			found++
		}
	}
	if found != 2 {
		t.Fatalf("%v was set, and %v is in force", set, book.InForce())
	}
}

func sameRates(a, b []rates.Rate) bool {
	return slices.EqualFunc(a, b, func(a, b rates.Rate) bool {
		return a.From == b.From && a.To == b.To && a.Value.Cmp(b.Value) == 0 && a.SpreadBps == b.SpreadBps && a.GoodUntil.Equal(b.GoodUntil)
	})
}

// What was not set is the quotient of values: it makes no difference which way
// one goes.
func TestDerivedRatesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMarket(t)
		for range rapid.IntRange(1, 8).Draw(t, "sets") {
			_ = m.Put(m.draw(t, 4), true)
		}
		value := map[[2]string]*big.Rat{}
		for _, r := range m.InForce() {
			if r.Source != rates.Admin {
				value[[2]string{r.From, r.To}] = r.Value
			}
		}
		for _, a := range codes {
			for _, b := range codes {
				for _, c := range codes {
					ab, bc, ac := value[[2]string{a, b}], value[[2]string{b, c}], value[[2]string{a, c}]
					if ab != nil && bc != nil && ac != nil && new(big.Rat).Mul(ab, bc).Cmp(ac) != 0 {
						t.Fatalf("%s %s %s: %s × %s is not %s", a, b, c, ab, bc, ac)
					}
				}
			}
		}
	})
}

// A pair that is too old has no way round, and once the market has moved the
// pairs of a circle can be set again when they are too old.
func TestACircleThatIsTooOld(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9,GBP=0.8,JPY=150")
	f.set("USD", "EUR", "0.9", 50)
	f.set("EUR", "GBP", "0.89", 50)
	f.set("GBP", "USD", "1.25", 50)
	moved := [][3]string{{"USD", "EUR", "0.96"}, {"EUR", "GBP", "0.87"}, {"GBP", "USD", "1.2"}}
	for _, m := range moved {
		if _, err := f.Set(t.Context(), rates.Change{From: m[0], To: m[1], Rate: m[2], SpreadBps: 50, Valid: time.Hour, Force: true}); problem.CodeOf(err) != problem.Conflict {
			t.Errorf("%v: %v", m, err)
		}
	}
	f.clock.advance(24 * time.Hour)
	for i, m := range moved {
		f.set(m[0], m[1], m[2], 50)
		if _, err := f.Convert(t.Context(), 1000, jpy, usd); i < 2 && (!errors.Is(err, connector.ErrStaleRate) || !strings.Contains(err.Error(), "rate set ")) || i == 2 && err != nil {
			t.Errorf("after %v: %v", m, err)
		}
	}
}

// Nobody gains over a currency that no admin has named, where going round the
// named ones wouldn't.
func TestNoCircleOverAnyOtherCurrency(t *testing.T) {
	r := func(from, to, value string, bps int) rates.Rate {
		v, _ := new(big.Rat).SetString(value)
		return rates.Rate{From: from, To: to, Value: v, SpreadBps: bps}
	}
	set := []rates.Rate{r("BB", "CC", "1", 100), r("CC", "DD", "1", 100), r("DD", "AA", "1", 100), r("AA", "CC", "1.02", 0), r("DD", "BB", "1.02", 0)}
	for _, table := range []string{"AA=1", "AA=1,EE=1"} {
		book := rates.BookOf(parse(t, table), then, set...)
		if err := book.Put(r("AA", "BB", "1.03", 0), true); problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), "any other currency") {
			t.Errorf("%s: %v", table, err)
		}
	}
}

// Numbers above 64 bits are exact as well.
func TestDerivedRatesOfManyDigits(t *testing.T) {
	book := rates.BookOf(parse(t, "AA=9223372036854775807/9223372036854775783,EE=1/9223372036854775643"), then)
	value := big.NewRat(1, 1)
	for i, code := range codes[1:4] {
		r := rates.Rate{From: codes[i], To: code, Value: big.NewRat(9223372036854775783-int64(i), 9223372036854775643+int64(i)), SpreadBps: i, GoodUntil: time.Unix(2, 0)}
		if err := book.Put(r, false); err != nil {
			t.Fatal(err)
		}
		value.Mul(value, r.Value)
	}
	toEE := big.NewRat(1, 9223372036854775643)
	toEE.Quo(toEE, big.NewRat(9223372036854775807, 9223372036854775783)).Quo(toEE, value)
	for _, test := range []struct {
		from, to string
		value    *big.Rat
		up       uint8
	}{{"AA", "DD", value, 0}, {"DD", "AA", new(big.Rat).Inv(value), 0}, {"DD", "EE", toEE, 18}} {
		const amount = 1<<62 + 12345
		model := exact(amount, test.value, 2, 0, test.up)
		want := new(big.Int).Quo(model.Num(), model.Denom())
		got, err := book.Convert(t.Context(), amount, ilp.Asset{Code: test.from}, ilp.Asset{Code: test.to, Scale: test.up})
		if err != nil || got != want.Uint64() || got == 0 {
			t.Errorf("%s to %s: %d, %v; want %s", test.from, test.to, got, err, want)
		}
	}
}
