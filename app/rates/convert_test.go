package rates_test

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"pochi/app/rates"
	"pochi/ilp"
	"pochi/ilp/connector"

	"pgregory.net/rapid"
)

// drawRate draws a rate from USD to EUR, of up to 63 bits on each side.
func drawRate(t *rapid.T) rates.Rate {
	part := rapid.OneOf(rapid.Int64Range(1, 100_000), rapid.Int64Range(1, math.MaxInt64))
	return rates.Rate{
		From: "USD", To: "EUR", Value: big.NewRat(part.Draw(t, "num"), part.Draw(t, "den")),
		SpreadBps: rapid.IntRange(0, 9999).Draw(t, "bps"), Source: rates.Admin, SetAt: time.Unix(1, 0), GoodUntil: time.Unix(2, 0),
	}
}

func drawScale(t *rapid.T, name string) uint8 {
	return rapid.OneOf(rapid.Uint8Range(0, 9), rapid.Uint8()).Draw(t, name)
}

// exact is what an amount is worth, to compare with: as plain as it can be.
func exact(amount uint64, value *big.Rat, bps int, from, to uint8) *big.Rat {
	ten := func(scale uint8) *big.Rat {
		return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
	}
	out := new(big.Rat).SetInt(new(big.Int).SetUint64(amount))
	out.Mul(out, value).Mul(out, big.NewRat(10_000-int64(bps), 10_000))
	return out.Mul(out, ten(to)).Quo(out, ten(from))
}

func drawAmount(t *rapid.T, name string) uint64 {
	return rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 1_000_000), rapid.SampledFrom([]uint64{
		1<<53 - 1, 1 << 53, 1<<53 + 1, math.MaxInt64, math.MaxUint64 - 1, math.MaxUint64,
	})).Draw(t, name)
}

var then = func() time.Time { return time.Unix(1, 0) }

// Whatever the rate and the scales: exactly the floor, in both directions, or
// ErrOverflow if that is above 2^64-1.
func TestConvertIsTheFloor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRate(t)
		book := rates.BookOf(rates.Table{}, then, r)
		from, to, value := ilp.Asset{Code: "USD", Scale: drawScale(t, "from")}, ilp.Asset{Code: "EUR", Scale: drawScale(t, "to")}, r.Value
		if rapid.Bool().Draw(t, "back") {
			from.Code, to.Code, value = to.Code, from.Code, new(big.Rat).Inv(value)
		}
		amount := drawAmount(t, "amount")
		model := exact(amount, value, r.SpreadBps, from.Scale, to.Scale)
		want := new(big.Int).Quo(model.Num(), model.Denom())
		got, err := book.Convert(t.Context(), amount, from, to)
		switch {
		case !want.IsUint64() && !errors.Is(err, connector.ErrOverflow):
			t.Fatalf("%d, %v; want ErrOverflow", got, err)
		case want.IsUint64() && (err != nil || got != want.Uint64()):
			t.Fatalf("%d, %v; want %d", got, err, want)
		}
		smaller, err := book.Convert(t.Context(), rapid.Uint64Range(0, amount).Draw(t, "smaller"), from, to)
		if want.IsUint64() && (err != nil || smaller > got) {
			t.Fatalf("a smaller amount brings %d, %v; the larger one %d", smaller, err, got)
		}
	})
}

// Who converts there and back never has more than at the start.
func TestThereAndBackGainsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		book := rates.BookOf(rates.Table{}, then, drawRate(t))
		assets := []ilp.Asset{{Code: "USD", Scale: drawScale(t, "usd")}, {Code: "EUR", Scale: drawScale(t, "eur")}}
		if rapid.Bool().Draw(t, "back") {
			assets[0], assets[1] = assets[1], assets[0]
		}
		if rapid.Bool().Draw(t, "one currency") {
			assets[1].Code = assets[0].Code
		}
		amount := drawAmount(t, "amount")
		there, err := book.Convert(t.Context(), amount, assets[0], assets[1])
		if err != nil {
			return // too large
		}
		if back, err := book.Convert(t.Context(), there, assets[1], assets[0]); err != nil || back > amount {
			t.Fatalf("%d, %d, %d, %v", amount, there, back, err)
		}
	})
}

// A currency needs no rate with itself.
func TestWithinACurrency(t *testing.T) {
	book := rates.BookOf(rates.Table{}, then)
	for _, test := range []struct {
		amount   uint64
		from, to uint8
		want     uint64
		err      error
	}{
		{math.MaxUint64, 2, 2, math.MaxUint64, nil},
		{1<<53 + 1, 2, 4, (1<<53 + 1) * 100, nil},
		{1999, 3, 2, 199, nil},
		{1, 0, 19, 10_000_000_000_000_000_000, nil},
		{2, 0, 19, 0, connector.ErrOverflow},
		{math.MaxUint64, 19, 0, 1, nil},
		{math.MaxUint64, 255, 0, 0, nil},
		{math.MaxUint64, 255, 255, math.MaxUint64, nil},
		{1, 0, 255, 0, connector.ErrOverflow},
		{0, 0, 255, 0, nil},
	} {
		got, err := book.Convert(t.Context(), test.amount, ilp.Asset{Code: "OLD", Scale: test.from}, ilp.Asset{Code: "OLD", Scale: test.to})
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%d from scale %d to %d: %d, %v; want %d, %v", test.amount, test.from, test.to, got, err, test.want, test.err)
		}
	}
	if err := book.Check("OLD", "OLD"); err != nil {
		t.Error(err)
	}
}

// What doubles would round is exact.
func TestLargeAmountsAreExact(t *testing.T) {
	one := rates.Rate{From: "USD", To: "EUR", Value: big.NewRat(1, 1)}
	third := rates.Rate{From: "USD", To: "JPY", Value: big.NewRat(1, 3)}
	book := rates.BookOf(rates.Table{}, then, one, third)
	for amount, want := range map[uint64][2]uint64{
		1<<53 + 1:      {1<<53 + 1, (1<<53 + 1) / 3},
		math.MaxUint64: {math.MaxUint64, math.MaxUint64 / 3},
	} {
		toEUR, err := book.Convert(t.Context(), amount, usd, eur)
		toJPY, err2 := book.Convert(t.Context(), amount, usd, ilp.Asset{Code: "JPY", Scale: 2})
		if err := errors.Join(err, err2); err != nil || toEUR != want[0] || toJPY != want[1] {
			t.Errorf("%d: %d and %d, %v; want %d", amount, toEUR, toJPY, err, want)
		}
	}
}

// Every packet across currencies asks for it.
func TestConvertAllocatesNothing(t *testing.T) {
	book := rates.BookOf(parse(t, "USD=1,EUR=0.9137,XRP=10/3"), then,
		rates.Rate{From: "USD", To: "JPY", Value: big.NewRat(14962, 100), SpreadBps: 25, GoodUntil: time.Unix(2, 0)})
	for _, to := range []ilp.Asset{usd, eur, jpy, xrp, {Code: "USD", Scale: 9}} {
		allocated := testing.AllocsPerRun(100, func() {
			if _, err := book.Convert(t.Context(), 12345, usd, to); err != nil {
				t.Fatal(err)
			}
		})
		if allocated != 0 {
			t.Errorf("USD to %s: %g allocations", to, allocated)
		}
	}
}
