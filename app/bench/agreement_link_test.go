package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkIlpAgreement measures STREAM packets that apps send under agreements, each at its agreement's own address, to the hundred
// people of BenchmarkIlpInbound. Beside it is the same from a peer, at the same wallet and in turn. There are twenty agreements of
// twenty people with an app, since one has 64 packets in flight at most.
func BenchmarkIlpAgreement(b *testing.B) {
	people, to := payers(20), payees(100)
	w, h := startAgreed(b, "wallet", slices.Concat(people, to))
	w.addLoad()
	consents := make([]consent, len(people))
	for i, p := range people {
		consents[i] = consent{p, "app"}
	}
	ours := newAgreementLoad(b, w, w.agree(h, consents), connect(b, w, to))
	theirs, _ := newLoad(b, w.packets, connect(b, w, to))
	for _, inFlight := range []int{50, 500} {
		b.Run(fmt.Sprint(inFlight), func(b *testing.B) {
			of := compareFor(b, time.Second, inFlight, side{ours, w.child}, side{theirs, w.child})
			b.ReportMetric(of[0].rate, "packets/s")
			b.ReportMetric(of[1].rate, "ref:peer")
		})
	}
}
