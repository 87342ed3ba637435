package ledger_test

import (
	"bytes"
	"testing"

	"pochi/ledger"
)

// Whatever is decoded is encoded to the same bytes: no two bodies mean the same.
func FuzzEntry(f *testing.F) {
	for kind, size := range map[int64]int{1: 8, 2: 30, 3: 16, 4: 24, 5: 56, 6: 56, 7: 16} {
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
	sizes := map[int64]int{2: 30, 3: 16, 4: 24, 5: 56, 6: 56}
	for kind := int64(-1); kind < 9; kind++ {
		for size := range 70 {
			_, _, err := ledger.RecodeEntry(kind, make([]byte, size))
			want := sizes[kind] == size && size > 0 || kind == 1 && size >= 5
			if (err == nil) != want {
				t.Errorf("kind %d with %d bytes: %v", kind, size, err)
			}
		}
	}
}
