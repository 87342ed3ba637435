// Package bounded checks that decoders take no more memory than their input justifies.
package bounded

import (
	"runtime/metrics"
	"testing"
)

// What a decoder may allocate: so many bytes for each of its input's, and what the runtime and the test do meanwhile.
const (
	perByte = 64
	slack   = 1 << 20
)

// Decode calls do, which decodes size bytes, and fails the test if it allocates more than a fixed multiple of them. Lengths
// and counts that an attacker wrote are believed if they make it fail.
func Decode(t testing.TB, size int, do func()) {
	t.Helper()
	before := allocated()
	do()
	if took := allocated() - before; took > uint64(size)*perByte+slack {
		t.Errorf("%d bytes made it allocate %d", size, took)
	}
}

// allocated returns how many bytes were allocated since the program began.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
