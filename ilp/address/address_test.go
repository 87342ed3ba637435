package address_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pochi/ilp/address"
	"pochi/ilp/internal/vectors"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in   string
		want error
	}{
		{"test.pochi", nil},
		{"g.us-fed.ach.0.~ipr.a_B-~9", nil},
		{"private.A", nil},
		{"example.A", nil},
		{"peer.config", nil},
		{"self.A", nil},
		{"local.A", nil},
		{"test1.A", nil},
		{"test3.A", nil},
		{"", address.ErrSegments},
		{"g", address.ErrSegments},
		{"g.", address.ErrSegments},
		{"g.a.", address.ErrSegments},
		{"g..a", address.ErrSegments},
		{".g.a", address.ErrSegments},
		{"test4.a", address.ErrScheme},
		{"G.a", address.ErrScheme},
		{"what.a", address.ErrScheme},
		{"g.a b", address.ErrChar},
		{"g.a/b", address.ErrChar},
		{"g.a\x00", address.ErrChar},
		{"g.a\n", address.ErrChar},
		{"g.ä", address.ErrChar},
	} {
		a, err := address.Parse(c.in)
		if !errors.Is(err, c.want) || err == nil && string(a) != c.in {
			t.Errorf("Parse(%q) = %q, %v; want %v", c.in, a, err, c.want)
		}
	}
}

// Hazard 1: a byte of 0x80 or above is refused, never masked; 1023 characters are an address, 1024 are not.
func TestHighBytesAndLength(t *testing.T) {
	if a, err := address.ParseBytes([]byte{0x67, 0x2e, 0xc1}); err != address.ErrChar {
		t.Errorf("67 2e c1 became %q, %v", a, err)
	}
	longest := "g." + strings.Repeat("a", 1021)
	if _, err := address.Parse(longest); err != nil {
		t.Errorf("1023 characters: %v", err)
	}
	if _, err := address.Parse(longest + "a"); err != address.ErrTooLong {
		t.Errorf("1024 characters: %v", err)
	}
	if _, err := address.Address(longest).Append("b"); err != address.ErrTooLong {
		t.Errorf("1025 characters: %v", err)
	}
}

// Hazard 18: prefixes are whole segments.
func TestHasPrefix(t *testing.T) {
	for _, c := range []struct {
		a, prefix address.Address
		want      bool
	}{
		{"g.a.b", "g.a", true},
		{"g.a", "g.a", true},
		{"g.a.b", "g", true},
		{"g.a", "", true},
		{"g.ab", "g.a", false},
		{"g.alice2", "g.alice", false},
		{"g.a", "g.a.b", false},
		{"test.a", "g", false},
		{"g.A", "g.a", false},
	} {
		if got := c.a.HasPrefix(c.prefix); got != c.want {
			t.Errorf("%q.HasPrefix(%q) = %v", c.a, c.prefix, got)
		}
	}
}

func TestBelow(t *testing.T) {
	for _, c := range []struct {
		a, prefix address.Address
		segment   string
		ok        bool
	}{
		{"g.a.b", "g.a", "b", true},
		{"g.a.b.c", "g.a", "b", true},
		{"g.a", "g.a", "", false},
		{"g.ab.c", "g.a", "", false},
	} {
		if segment, ok := c.a.Below(c.prefix); segment != c.segment || ok != c.ok {
			t.Errorf("%q.Below(%q) = %q, %v", c.a, c.prefix, segment, ok)
		}
	}
}

func TestAppend(t *testing.T) {
	if a, err := address.Address("g.a").Append("b", "c"); a != "g.a.b.c" || err != nil {
		t.Errorf("%q, %v", a, err)
	}
	if a, err := address.Address("g.a").Append(""); err == nil {
		t.Errorf("an empty segment was appended: %q", a)
	}
}

func TestNetworks(t *testing.T) {
	for _, c := range []struct {
		a          address.Address
		live, test bool
	}{{"g.a", true, false}, {"test.a", false, true}, {"test2.a", false, true}, {"private.a", false, false}} {
		if c.a.Live() != c.live || c.a.Test() != c.test {
			t.Errorf("%q: live %v, test %v", c.a, c.a.Live(), c.a.Test())
		}
	}
}

func TestCheckingAllocatesNothing(t *testing.T) {
	long := "test." + strings.Repeat("a", 1000)
	for _, s := range []string{long, "g..a", strings.Repeat("a", 1000) + ".b", long + "\xc1"} {
		b := []byte(s)
		allocs := testing.AllocsPerRun(100, func() {
			if want := address.Address(s).Validate(); address.Check(b) != want {
				t.Errorf("Check(%q) is not %v", b, want)
			}
		})
		if allocs != 0 {
			t.Errorf("%.10s…: %v allocations", s, allocs)
		}
	}
}

// The grammar as RFC 15 writes it decides what an address is.
func FuzzParse(f *testing.F) {
	grammar := regexp.MustCompile(`^(g|private|example|peer|self|test[1-3]?|local)([.][a-zA-Z0-9_~-]+)+$`)
	for _, s := range []string{"", "g.a", "test.pochi.x", "g..a", "g.a.", ".g", "peer.config", "g.\xc1", "g.a\n", "test4.a", "local.~_-9Z"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := address.ParseBytes(b)
		if again, errAgain := address.Parse(string(b)); again != a || errAgain != err {
			t.Errorf("Parse: %q, %v; ParseBytes: %q, %v", again, errAgain, a, err)
		}
		if valid := grammar.Match(b) && len(b) <= address.MaxLength; valid != (err == nil) {
			t.Errorf("%q: %v, but by the grammar it is %v", b, err, valid)
		}
		if err != nil {
			return
		}
		if string(a) != string(b) || !a.HasPrefix(address.Address(a.Scheme())) || !a.HasPrefix(a) {
			t.Errorf("%q became %q", b, a)
		}
	})
}

func TestPublishedAddresses(t *testing.T) {
	var v struct{ Valid, Invalid []string }
	vectors.Read(t, "text/addresses.json", &v)
	for _, s := range v.Valid {
		if _, err := address.Parse(s); err != nil {
			t.Errorf("Parse(%q): %v", s, err)
		}
	}
	for _, s := range v.Invalid {
		if _, err := address.Parse(s); err == nil {
			t.Errorf("Parse(%q) was accepted", s)
		}
	}
}
