package ledger_test

import (
	"bytes"
	"slices"
	"testing"

	"pochi/ledger"
)

// Whatever is decoded is encoded to the same bytes: no two bodies mean the same.
func FuzzEntry(f *testing.F) {
	for kind, size := range map[int64]int{1: 8, 2: 46, 3: 16, 4: 24, 5: 64, 6: 56, 7: 18, 8: 48, 9: 56, 10: 9} {
		for _, n := range []int{0, size - 1, size, size + 1} {
			f.Add(kind, bytes.Repeat([]byte{0x81}, n))
		}
	}
	f.Fuzz(func(t *testing.T, kind int64, body []byte) {
		gotKind, gotBody, err := ledger.RecodeEntry(kind, body)
		if err == nil && (gotKind != kind || !bytes.Equal(gotBody, body)) {
			t.Errorf("kind %d, body %x became kind %d, body %x", kind, body, gotKind, gotBody)
		}
	})
}

func TestEntrySizes(t *testing.T) {
	sizes := map[int64][]int{2: {30, 46}, 3: {16}, 4: {24}, 5: {56, 64}, 6: {56}, 8: {48}, 9: {64}, 10: {9}}
	for kind := int64(-1); kind < 13; kind++ {
		for size := range 70 {
			_, _, err := ledger.RecodeEntry(kind, bytes.Repeat([]byte{1}, size))
			want := slices.Contains(sizes[kind], size) || kind == 1 && size >= 5 || kind == 7 && size > 0 && size%3 == 0
			if (err == nil) != want {
				t.Errorf("kind %d with %d bytes: %v", kind, size, err)
			}
		}
	}
}

// What is only written when it isn't zero is not read when it is, and numbers
// are as short as they can be.
func TestEntriesThatSayTooMuch(t *testing.T) {
	ones := func(n int) []byte { return bytes.Repeat([]byte{1}, n) }
	for name, entry := range map[string]struct {
		kind int64
		body []byte
	}{
		"user data of zero":      {2, append(ones(30), make([]byte, 16)...)},
		"an expiry of zero":      {5, append(ones(56), make([]byte, 8)...)},
		"a number with a tail":   {7, []byte{0x81, 0, 1, 1}},
		"a number without end":   {7, []byte{1, 1, 0x81}},
		"a number too large":     {7, append(bytes.Repeat([]byte{0xff}, 10), 1, 1, 1)},
		"a part of what follows": {7, []byte{1, 1, 1, 1}},
	} {
		if _, _, err := ledger.RecodeEntry(entry.kind, entry.body); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
