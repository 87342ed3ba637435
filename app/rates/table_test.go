package rates_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pochi/app/rates"
	"pochi/ilp"
	"pochi/ilp/connector"
)

var (
	usd = ilp.Asset{Code: "USD", Scale: 2}
	eur = ilp.Asset{Code: "EUR", Scale: 2}
	jpy = ilp.Asset{Code: "JPY", Scale: 0}
	xrp = ilp.Asset{Code: "XRP", Scale: 6}
)

func parse(t *testing.T, text string) rates.Table {
	t.Helper()
	table, err := rates.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestConvertRoundsDownOnce(t *testing.T) {
	book := rates.BookOf(parse(t, "USD=1, EUR=0.9137,JPY=149.62,XRP=10/3"), time.Now)
	for _, test := range []struct {
		amount   uint64
		from, to ilp.Asset
		want     uint64
	}{
		{100000, usd, eur, 91370},
		{1, usd, eur, 0},
		{2, usd, eur, 1},
		{1, jpy, usd, 0},
		{150, jpy, usd, 100},
		{100, usd, jpy, 149},
		{3, xrp, usd, 0},
		{300, usd, xrp, 10_000_000},
		{1 << 62, eur, eur, 1 << 62},
		{91370, eur, usd, 100000},
	} {
		got, err := book.Convert(t.Context(), test.amount, test.from, test.to)
		if err != nil || got != test.want {
			t.Errorf("%d %s in %s = %d, %v; want %d", test.amount, test.from, test.to, got, err, test.want)
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	book := rates.BookOf(parse(t, "USD=1,XRP=10/3"), time.Now)
	if _, err := book.Convert(t.Context(), 1, usd, eur); !errors.Is(err, connector.ErrNoRate) {
		t.Errorf("unknown currency: %v", err)
	}
	if _, err := book.Convert(t.Context(), math.MaxUint64, usd, xrp); !errors.Is(err, connector.ErrOverflow) {
		t.Errorf("overflow: %v", err)
	}
	if err := book.Check("USD", "XRP"); err != nil {
		t.Errorf("check: %v", err)
	}
	if err := book.Check("USD", "EUR"); !errors.Is(err, connector.ErrNoRate) {
		t.Errorf("check of an unknown currency: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	book := rates.BookOf(parse(t, "USD=1,EUR=0.9137,JPY=149.62,BIG=1000000000000000"), time.Now)
	for want, pair := range map[string][2]string{
		"1 USD = 0.9137 EUR":            {"USD", "EUR"},
		"1 USD = 149.62 JPY":            {"USD", "JPY"},
		"1 JPY = 0.006684 USD":          {"JPY", "USD"},
		"1 BIG = 0.000000000000001 USD": {"BIG", "USD"},
		"":                              {"USD", "USD"},
	} {
		if got := book.Describe(pair[0], pair[1]); got != want {
			t.Errorf("%v: %q, want %q", pair, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "USD", "USD=", "USD=0", "USD=-1", "=1", "USD=1,USD=2", "USD=x", "USD=1e9999999", "USD=0x10", "USD=1/0", "USD=1/2/3", "USD=1.2.3",
		"USD=.5", "USD=1.", "USD=+1", "USD=1_000", "USD=9223372036854775808", "USD=1/9223372036854775808", "USD=" + strings.Repeat("1", 1000),
	} {
		if _, err := rates.Parse(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
