package stream_test

import (
	"crypto/rand"
	"testing"

	"pochi/ilp/stream"
)

// BenchmarkStream does what both ends do to the STREAM packet in one Prepare, on one core: the sender encodes and seals it, the
// receiver opens and checks it. Keys are those of a connection, derived once.
func BenchmarkStream(b *testing.B) {
	b.Run("seal_open", func(b *testing.B) {
		keys, p := stream.NewKeys([32]byte{1}), paying()
		var plain, sealed, opened []byte
		b.ReportAllocs()
		for b.Loop() {
			var err error
			plain = p.Append(plain[:0])
			if sealed, err = keys.AppendSeal(sealed[:0], rand.Reader, plain); err != nil {
				b.Fatal(err)
			}
			if opened, err = keys.AppendOpen(opened[:0], sealed); err != nil {
				b.Fatal(err)
			}
			if _, err := stream.ViewPacket(opened); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
	})
}
