package bench

import (
	"fmt"
	"testing"
)

// BenchmarkIlpForwarded measures packets that two wallets send on before the third fulfills them, all of them on the disk. The
// hop is what the wallet in the middle adds to the time of a packet: beside it is that of a packet through two wallets.
func BenchmarkIlpForwarded(b *testing.B) {
	people := payees(100)
	first, second, third := startWallet(b, "first", nil), startWallet(b, "second", people), startWallet(b, "third", people)
	first.addLoad()
	first.peerWith(second, third.address)
	second.peerWith(first)
	second.peerWith(third)
	third.peerWith(second)
	two, _ := newLoad(b, first.packets, connect(b, second, people))
	three, _ := newLoad(b, first.packets, connect(b, third, people))
	for _, inFlight := range []int{1, 50} {
		var of []measure
		b.Run(fmt.Sprint(inFlight), func(b *testing.B) {
			of = compare(b, inFlight, side{three, first.child}, side{two, first.child})
			b.ReportMetric(of[0].rate, "packets/s")
			b.ReportMetric(of[1].rate, "ref:two-wallets")
		})
		if of == nil {
			continue // not asked for
		}
		b.Run(fmt.Sprint(inFlight, "/hop/p99"), func(b *testing.B) {
			b.ReportMetric(milliseconds(of[0].p99-of[1].p99), "ms")
			b.ReportMetric(milliseconds(of[1].p99), "ref:two-wallets")
		})
	}
}
