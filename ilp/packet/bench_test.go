package packet_test

import (
	"encoding/hex"
	"testing"
	"time"

	"pochi/ilp/internal/peers"
	"pochi/ilp/packet"
)

// BenchmarkPacket does what a connector does to the bytes of each Prepare, on one core: decode, check, and rewrite amount and
// expiry in place. The reference is the ilp-packet library under Node.js, which has to encode it again, with the same packet.
func BenchmarkPacket(b *testing.B) {
	wire := encode(b, streamPrepare())
	b.Run("rewrite", func(b *testing.B) {
		expires := time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC)
		b.ReportAllocs()
		for b.Loop() {
			v, err := packet.ViewPrepare(wire)
			if err != nil {
				b.Fatal(err)
			}
			v.SetAmount(v.Amount() - 1)
			if err := v.SetExpiresAt(expires); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b)
		if why := peers.Missing(b); why != "" {
			b.Logf("no reference: %s", why)
			return
		}
		type request struct {
			Prepare string `json:"prepare"`
		}
		type answer struct{ PerSecond float64 }
		theirs := peers.Ask[answer](b, "packets_bench.js", []request{{hex.EncodeToString(wire)}})
		b.ReportMetric(theirs[0].PerSecond, "ref:ilp-packet")
	})
	b.Run("append", func(b *testing.B) {
		p, buf := streamPrepare(), make([]byte, 0, packet.MaxPrepare)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Append(buf); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b)
	})
}

// perSecond reports how many packets went through the loop in a second.
func perSecond(b *testing.B) { b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s") }
