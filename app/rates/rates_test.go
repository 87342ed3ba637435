package rates_test

import (
	"context"
	"errors"
	"math"
	"testing"

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

func TestConvertRoundsDownOnce(t *testing.T) {
	table, err := rates.Parse("USD=1, EUR=0.9137,JPY=149.62,XRP=10/3")
	if err != nil {
		t.Fatal(err)
	}
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
		got, err := table.Convert(context.Background(), test.amount, test.from, test.to)
		if err != nil || got != test.want {
			t.Errorf("%d %s in %s = %d, %v; want %d", test.amount, test.from.Code, test.to.Code, got, err, test.want)
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	table, err := rates.Parse("USD=1,XRP=10/3")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Convert(context.Background(), 1, usd, eur); !errors.Is(err, connector.ErrNoRate) {
		t.Errorf("unknown currency: %v", err)
	}
	if _, err := table.Convert(context.Background(), math.MaxUint64, usd, xrp); !errors.Is(err, connector.ErrOverflow) {
		t.Errorf("overflow: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	table, err := rates.Parse("USD=1,EUR=0.9137,JPY=149.62")
	if err != nil {
		t.Fatal(err)
	}
	for want, pair := range map[string][2]string{
		"1 USD = 0.9137 EUR":   {"USD", "EUR"},
		"1 USD = 149.62 JPY":   {"USD", "JPY"},
		"1 JPY = 0.006684 USD": {"JPY", "USD"},
		"":                     {"USD", "USD"},
	} {
		if got := table.Describe(pair[0], pair[1]); got != want {
			t.Errorf("%v: %q, want %q", pair, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "USD", "USD=", "USD=0", "USD=-1", "=1", "USD=1,USD=2", "USD=x"} {
		if _, err := rates.Parse(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
