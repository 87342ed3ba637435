package names_test

import (
	"testing"

	"pochi/app/names"
)

func TestLegible(t *testing.T) {
	for name, want := range map[string]bool{
		"Ann": true, "Ann Ωmega": true, "🦒": true, "山田\u3000太郎": true, "O'Neil-Łoś": true, "नी": true,
		"علی\u200cرضا": true, "👩\u200d🚀": true, "❤\ufe0f": true,
		"": false, " ": false, "\u3164": false, "\u2800": false, "\u2800 \u3164\u115f\u1160\uffa0": false,
		"\u200d": false, "\u200c\u200d": false, "\ufe0f": false, "\u034f": false,
		"a\nb": false, "a\x00": false, "a\u202eb": false, "a\u2066": false, "a\u2028b": false, "a\u180eb": false,
		"a\ufeff": false, "a\xff": false,
	} {
		if got := names.Legible(name); got != want {
			t.Errorf("%+q: %t, want %t", name, got, want)
		}
	}
}

func TestOfficial(t *testing.T) {
	for name, want := range map[string]bool{
		"Pochi": true, "pochi support": true, "Pochi-Support": true, "PochiSupport": true, "Ann (Pochi)": true, "P o c h i": true,
		"Ｐｏｃｈｉ": true, "Póchi": true, "Po\u200dchi Ann": true, "Pochi's Team": true, "𝐏𝐨𝐜𝐡𝐢": true,
		"Support": true, "Support Team": true, "Customer service": true, "admin": true, "Administrator": true,
		"The Wallet": true, "SECURITY": true, "Payment Services": true, "Wallet Security Team": true, "Help-Desk": true,
		"Ann": false, "Ann Support": false, "Faith Helpmann": false, "Pochiraju": false, "Grace Banks": false, "Ann of the Bank": false,
		"Root Cellar Café": false, "🦒": false, "": false,
	} {
		if got := names.Official(name); got != want {
			t.Errorf("%q: %t, want %t", name, got, want)
		}
	}
}
