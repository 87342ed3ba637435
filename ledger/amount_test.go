package ledger_test

import (
	"math"
	"strings"
	"testing"

	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	jpy  = ledger.Asset{Code: "JPY", Scale: 0}
	kes  = ledger.Asset{Code: "KES", Scale: 2}
	nano = ledger.Asset{Code: "XRP", Scale: 9}
	wei  = ledger.Asset{Code: "ETH", Scale: 18} // another wallet's: ours go to 9
)

func TestParseAmount(t *testing.T) {
	const (
		empty, format   = ledger.ErrAmountEmpty, ledger.ErrAmountFormat
		negative, large = ledger.ErrAmountNegative, ledger.ErrAmountTooLarge
		two             = ledger.AmountError("USD amounts have at most 2 decimals.")
		none            = ledger.AmountError("JPY has no decimals: enter a whole number.")
		twoKES          = ledger.AmountError("KES amounts have at most 2 decimals.")
		nine            = ledger.AmountError("XRP amounts have at most 9 decimals.")
		noError         = ledger.AmountError("")
	)
	tests := []struct {
		text  string
		asset ledger.Asset
		value uint64
		err   ledger.AmountError
	}{
		{"12.50", usd, 1250, noError},
		{"12.5", usd, 1250, noError},
		{"12", usd, 1200, noError},
		{"12.", usd, 1200, noError},
		{".5", usd, 50, noError},
		{"0.01", usd, 1, noError},
		{" 7 ", usd, 700, noError},
		{"007", usd, 700, noError},
		{"1.500", usd, 150, noError}, // more zeros say nothing
		{"1.50000000000000000000000", usd, 150, noError},
		{"12,50", usd, 1250, noError},
		{"12,5", usd, 1250, noError},
		{",5", usd, 50, noError},
		{"1000", kes, 100000, noError},
		{"1", jpy, 1, noError},
		{"1.0", jpy, 1, noError},
		{"0.000000001", nano, 1, noError},
		{"1.5", wei, 1500000000000000000, noError},
		{"0.000000000000000001", wei, 1, noError},

		{"92233720368547758.07", usd, math.MaxInt64, noError},
		{"92233720368547758.08", usd, 0, large},
		{"9223372036854775807", jpy, math.MaxInt64, noError},
		{"9223372036854775808", jpy, 0, large},
		{"18446744073709551616", jpy, 0, large},
		{"9.3", wei, 0, large},
		{strings.Repeat("9", 1000), usd, 0, large},

		{"", usd, 0, empty},
		{"  ", usd, 0, empty},
		{"0", usd, 0, negative},
		{"0.00", usd, 0, negative},
		{"0,0", usd, 0, negative},
		{"-1", usd, 0, negative},
		{"-0.01", usd, 0, negative},
		{"-", usd, 0, negative},
		{"0.001", usd, 0, two},
		{"1.234", usd, 0, two},
		{"1,2345", usd, 0, two},
		{"1.001", kes, 0, twoKES},
		{"1.5", jpy, 0, none},
		{"0.1", jpy, 0, none},
		{"0.0000000001", nano, 0, nine},
		{"1,234", usd, 0, format}, // or 1.234?
		{"1,000", jpy, 0, format},
		{"1,234.50", usd, 123450, ""},
		{"1.234,50", usd, 123450, ""},
		{"1,234,567", usd, 123456700, ""},
		{"1.234.567", jpy, 1234567, ""},
		{"12,34.50", usd, 0, format},
		{"1,234,56", usd, 0, format},
		{",234.50", usd, 0, format},
		{"1.234,567,8", usd, 0, format},
		{"1,2,3", usd, 0, format},
		{"1.2.3", usd, 0, format},
		{".", usd, 0, format},
		{",", usd, 0, format},
		{"+1", usd, 0, format},
		{"1e5", usd, 0, format},
		{"0x10", usd, 0, format},
		{"1_000", usd, 0, format},
		{"1 000", usd, 0, format},
		{"ten", usd, 0, format},
		{"$5", usd, 0, format},
		{"−5", usd, 0, format},
		{"٣", usd, 0, format},
		{"NaN", usd, 0, format},
		{"Inf", usd, 0, format},
		{"5\x00", usd, 0, format},
		{"\xff", usd, 0, format},
	}
	for _, test := range tests {
		t.Run(test.asset.Code+" "+test.text, func(t *testing.T) {
			got, err := ledger.ParseAmount(test.text, test.asset)
			if test.err != noError {
				if err != test.err || got != (ledger.Amount{}) {
					t.Errorf("got %+v and error %v, want error %v", got, err, test.err)
				}
				return
			}
			if want := (ledger.Amount{Value: test.value, Asset: test.asset}); err != nil || got != want {
				t.Errorf("got %+v and error %v, want %+v", got, err, want)
			}
		})
	}
}

func TestFormatAmount(t *testing.T) {
	tests := []struct {
		value   uint64
		asset   ledger.Asset
		decimal string
		text    string
		symbol  string
	}{
		{0, usd, "0.00", "0.00 USD", "$0.00"},
		{1, usd, "0.01", "0.01 USD", "$0.01"},
		{99, usd, "0.99", "0.99 USD", "$0.99"},
		{100, usd, "1.00", "1.00 USD", "$1.00"},
		{99999, eur, "999.99", "999.99 EUR", "€999.99"},
		{123450, usd, "1234.50", "1,234.50 USD", "$1,234.50"},
		{123456789, ledger.Asset{Code: "GBP", Scale: 2}, "1234567.89", "1,234,567.89 GBP", "£1,234,567.89"},
		{100000, kes, "1000.00", "1,000.00 KES", "KSh\u00a01,000.00"},
		{5, ledger.Asset{Code: "MXN", Scale: 2}, "0.05", "0.05 MXN", "$0.05"},
		{0, jpy, "0", "0 JPY", "¥0"},
		{999, jpy, "999", "999 JPY", "¥999"},
		{1000, jpy, "1000", "1,000 JPY", "¥1,000"},
		{1, nano, "0.000000001", "0.000000001 XRP", "0.000000001"},
		{math.MaxInt64, usd, "92233720368547758.07", "92,233,720,368,547,758.07 USD", "$92,233,720,368,547,758.07"},
		{math.MaxUint64, jpy, "18446744073709551615", "18,446,744,073,709,551,615 JPY", "¥18,446,744,073,709,551,615"},
		{1, wei, "0.000000000000000001", "0.000000000000000001 ETH", "0.000000000000000001"},
	}
	for _, test := range tests {
		a := ledger.Amount{Value: test.value, Asset: test.asset}
		got := []string{a.Decimal(), a.String(), a.Symbolic()}
		if diff := cmp.Diff([]string{test.decimal, test.text, test.symbol}, got); diff != "" {
			t.Errorf("%d %s: %s", test.value, test.asset, diff)
		}
	}
}

func TestWholeAmountDoesNotBreak(t *testing.T) {
	for want, a := range map[string]ledger.Amount{
		"KSh\u00a01,000.00\u00a0KES": {Value: 100000, Asset: kes},
		"0.000000001\u00a0XRP":       {Value: 1, Asset: ledger.Asset{Code: "XRP", Scale: 9}},
	} {
		if got := a.Whole(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAssetName(t *testing.T) {
	for _, asset := range []ledger.Asset{usd, eur, jpy, kes, {Code: "GBP", Scale: 2}, {Code: "MXN", Scale: 2}} {
		if asset.Name() == asset.Code {
			t.Errorf("%s has no name", asset)
		}
	}
	if got := wei.Name(); got != "ETH" {
		t.Errorf("an asset without a name is called %q", got)
	}
}

// What Decimal writes, ParseAmount reads.
func TestAmountRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := ledger.Amount{
			Value: rapid.Uint64Range(1, math.MaxInt64).Draw(t, "value"),
			Asset: ledger.Asset{Code: "XXX", Scale: rapid.Uint8Range(0, 30).Draw(t, "scale")},
		}
		for _, text := range []string{amount.Decimal(), strings.Replace(amount.Decimal(), ".", ",", 1)} {
			if amount.Asset.Scale == 3 && strings.Contains(text, ",") {
				continue // three decimals after a comma could be thousands
			}
			got, err := ledger.ParseAmount(text, amount.Asset)
			if err != nil || got != amount {
				t.Fatalf("%q: got %+v and error %v, want %+v", text, got, err, amount)
			}
		}
	})
}

func FuzzParseAmount(f *testing.F) {
	for _, text := range []string{"", "12.50", "1,5", "-1", ".", "9223372036854775808", "1.2.3", "\xff"} {
		f.Add(text, uint8(2))
	}
	f.Fuzz(func(t *testing.T, text string, scale uint8) {
		asset := ledger.Asset{Code: "XXX", Scale: scale}
		amount, err := ledger.ParseAmount(text, asset)
		if err != nil {
			return
		}
		if amount.Value == 0 || amount.Value > ledger.AmountMax || amount.Asset != asset {
			t.Fatalf("%q: %+v", text, amount)
		}
		if again, err := ledger.ParseAmount(amount.Decimal(), asset); err != nil || again != amount {
			t.Fatalf("%q is %+v, %q is %+v, %v", text, amount, amount.Decimal(), again, err)
		}
	})
}
