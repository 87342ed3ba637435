package bench

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkIlpInbound measures STREAM packets that a peer sends over HTTP to a hundred people of a wallet, half of whom have
// another currency, each fulfilled when its money is on the disk. Beside it is a bare net/http server that answers the same
// bytes to the same packets without a look at them. The ratio that counts is that at 500 in flight: a packet alone waits for the
// disk, which the bare server never touches.
func BenchmarkIlpInbound(b *testing.B) {
	people := payees(100)
	w := startWallet(b, "wallet", people)
	w.addLoad()
	ours, answer := newLoad(b, w.packets, connect(b, w, people))
	bare, at := startBare(b, answer)
	theirs, _ := newLoad(b, at, ours.connections)
	for _, inFlight := range []int{1, 50, 500} {
		var of []measure
		b.Run(fmt.Sprint(inFlight), func(b *testing.B) {
			of = compare(b, inFlight, side{ours, w.child}, side{theirs, bare})
			b.ReportMetric(of[0].rate, "packets/s")
			b.ReportMetric(of[1].rate, "ref:bare-net-http")
		})
		if of == nil {
			continue // not asked for
		}
		b.Run(fmt.Sprint(inFlight, "/p99"), func(b *testing.B) {
			b.ReportMetric(milliseconds(of[0].p99), "ms")
			b.ReportMetric(milliseconds(of[1].p99), "ref:bare-net-http")
		})
		b.Run(fmt.Sprint(inFlight, "/cpu"), func(b *testing.B) {
			b.ReportMetric(of[0].cpu, "µs/packet")
			b.ReportMetric(of[1].cpu, "ref:bare-net-http")
		})
	}
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }
