package oer_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"pochi/ilp/internal/vectors"
	"pochi/ilp/oer"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLengths(t *testing.T) {
	for _, c := range []struct {
		hex string
		n   int
	}{
		{"00", 0}, {"7f", 127}, {"8180", 128}, {"81ff", 255}, {"820100", 256}, {"82ffff", 65535}, {"83010000", 65536},
	} {
		if got := hex.EncodeToString(oer.AppendLength(nil, c.n)); got != c.hex {
			t.Errorf("AppendLength(%d) = %s, want %s", c.n, got, c.hex)
		}
		if got := oer.LengthSize(c.n); got != len(c.hex)/2 {
			t.Errorf("LengthSize(%d) = %d", c.n, got)
		}
		r := oer.NewReader(append(unhex(t, c.hex), make([]byte, c.n)...))
		if got := r.VarOctets(); r.Err() != nil || len(got) != c.n {
			t.Errorf("VarOctets of length %s: %d bytes, %v", c.hex, len(got), r.Err())
		}
	}
}

func TestInsertLength(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 255, 256, 65536} {
		contents := bytes.Repeat([]byte{0xab}, n)
		got := oer.InsertLength(append([]byte("before"), contents...), len("before"))
		if want := oer.AppendVarOctets([]byte("before"), contents); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %.20x…, want %.20x…", n, got, want)
		}
	}
}

// Hazard 3: lengths that are not canonical, impossible, or longer than what follows.
func TestBadLengthsAreRefused(t *testing.T) {
	for _, c := range []struct {
		hex  string
		want oer.Error
	}{
		{"", oer.ErrShort},
		{"01", oer.ErrShort},
		{"05aabbccdd", oer.ErrShort},
		{"80", oer.ErrLengthForm},
		{"ff", oer.ErrLengthForm},
		{"89010000000000000000", oer.ErrLengthForm},
		{"81", oer.ErrShort},
		{"8100", oer.ErrLengthNotCanonical},
		{"817f", oer.ErrLengthNotCanonical},
		{"8167" + "00", oer.ErrLengthNotCanonical},
		{"8200", oer.ErrShort},
		{"820080", oer.ErrLengthNotCanonical},
		{"83000100", oer.ErrLengthNotCanonical},
		{"81ff00", oer.ErrShort},
		{"887fffffffffffffff00", oer.ErrShort},
		{"888000000000000000", oer.ErrShort}, // 2^63
		{"88ffffffffffffffff", oer.ErrShort},
	} {
		r := oer.NewReader(unhex(t, c.hex))
		if got := r.VarOctets(); got != nil || !errors.Is(r.Err(), c.want) {
			t.Errorf("%s: %x, %v; want %v", c.hex, got, r.Err(), c.want)
		}
	}
}

func TestVarUint(t *testing.T) {
	for _, c := range []struct {
		hex  string
		want uint64
		err  error
	}{
		{"0100", 0, nil},
		{"0101", 1, nil},
		{"01ff", 255, nil},
		{"020100", 256, nil},
		{"08ffffffffffffffff", math.MaxUint64, nil},
		{"00", 0, oer.ErrUintEmpty},
		{"020001", 0, oer.ErrUintNotCanonical},
		{"020000", 0, oer.ErrUintNotCanonical},
		{"09010000000000000000", 0, oer.ErrUintTooLarge},
		{"02ff", 0, oer.ErrShort},
	} {
		r := oer.NewReader(unhex(t, c.hex))
		got := r.VarUint()
		if got != c.want || !errors.Is(r.Err(), c.err) {
			t.Errorf("VarUint(%s) = %d, %v; want %d, %v", c.hex, got, r.Err(), c.want, c.err)
		}
		if c.err == nil && hex.EncodeToString(oer.AppendVarUint(nil, c.want)) != c.hex {
			t.Errorf("AppendVarUint(%d) = %x", c.want, oer.AppendVarUint(nil, c.want))
		}
	}
}

func TestVarUintSaturating(t *testing.T) {
	r := oer.NewReader(unhex(t, "09010000000000000000"+"0105"))
	if n, saturated := r.VarUintSaturating(); n != math.MaxUint64 || !saturated || r.Err() != nil {
		t.Errorf("2^64: %d, %v, %v", n, saturated, r.Err())
	}
	if n, saturated := r.VarUintSaturating(); n != 5 || saturated || r.Err() != nil {
		t.Errorf("5: %d, %v, %v", n, saturated, r.Err())
	}
}

func TestFirstDefectSticks(t *testing.T) {
	r := oer.NewReader(unhex(t, "80"+"0105"))
	r.VarOctets()
	if n := r.VarUint(); n != 0 || r.Err() != oer.ErrLengthForm || len(r.Rest()) != 0 {
		t.Errorf("after a defect: %d, %v, %d bytes left", n, r.Err(), len(r.Rest()))
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fixed, variable := rapid.Uint64().Draw(t, "fixed"), rapid.Uint64().Draw(t, "variable")
		octets := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "octets")
		b := oer.AppendVarOctets(oer.AppendVarUint(oer.AppendUint64(nil, fixed), variable), octets)
		r := oer.NewReader(oer.AppendVarString(b, "end"))
		if got := r.Uint64(); got != fixed {
			t.Errorf("fixed %d, want %d", got, fixed)
		}
		if got := r.VarUint(); got != variable {
			t.Errorf("variable %d, want %d", got, variable)
		}
		if got := r.VarOctets(); !bytes.Equal(got, octets) {
			t.Errorf("octets %x, want %x", got, octets)
		}
		if got := r.VarOctets(); string(got) != "end" || r.Err() != nil || len(r.Rest()) != 0 {
			t.Errorf("end %q, %v, rest %x", got, r.Err(), r.Rest())
		}
	})
}

func TestReaderDoesNotAllocate(t *testing.T) {
	b := oer.AppendVarOctets(oer.AppendVarUint(oer.AppendUint64(nil, 7), 1<<40), make([]byte, 200))
	allocs := testing.AllocsPerRun(100, func() {
		r := oer.NewReader(b)
		r.Uint64()
		r.VarUint()
		r.VarOctets()
		if r.Err() != nil {
			t.Error(r.Err())
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// What is read without a defect is canonical: writing it gives the same bytes.
func FuzzVarOctets(f *testing.F) {
	for _, s := range []string{"", "00", "0161", "80", "8100", "817f", "820080", "888000000000000000", "8180", "ff"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := oer.NewReader(b)
		octets := r.VarOctets()
		if r.Err() != nil {
			return
		}
		if again := append(oer.AppendVarOctets(nil, octets), r.Rest()...); !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

func FuzzVarUint(f *testing.F) {
	for _, s := range []string{"", "00", "0100", "020001", "08ffffffffffffffff", "09010000000000000000", "8101"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := oer.NewReader(b)
		n, saturated := r.VarUintSaturating()
		if r.Err() != nil || saturated {
			return
		}
		if again := append(oer.AppendVarUint(nil, n), r.Rest()...); !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

func TestPublishedLengths(t *testing.T) {
	var v struct {
		RFC          [][2]any `json:"rfc30_length_determinant"`
		Quilt        [][2]any `json:"quilt_length"`
		Address      [][2]any `json:"rfc30_address"`
		NonCanonical []string `json:"noncanonical_must_not_be_emitted"`
	}
	vectors.Read(t, "text/oer.json", &v)
	for _, c := range append(v.RFC, v.Quilt...) {
		n, ok := c[1].(float64)
		if !ok {
			continue // larger than any slice: TestBadLengthsAreRefused
		}
		if got := hex.EncodeToString(oer.AppendLength(nil, int(n))); got != c[0] {
			t.Errorf("AppendLength(%v) = %s, want %s", n, got, c[0])
		}
	}
	for _, c := range v.Address {
		if got := hex.EncodeToString(oer.AppendVarString(nil, c[1].(string))); got != c[0] {
			t.Errorf("AppendVarString(%s) = %s, want %s", c[1], got, c[0])
		}
	}
	for _, s := range v.NonCanonical {
		r := oer.NewReader(append(unhex(t, s), make([]byte, 256)...))
		if r.VarOctets(); r.Err() == nil {
			t.Errorf("%s was accepted", s)
		}
	}
}
