package bench

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkConsent measures the page that asks somebody for an agreement, one after another, from the request to the whole page. The
// wallet asks Hydra on the way, so beside it is that question by itself, to what answers in Hydra's place.
func BenchmarkConsent(b *testing.B) {
	const pages = 1000
	ann := payers(1)[0]
	w, h := startAgreed(b, "wallet", []person{ann})
	asked := consent{ann, "app"}
	h.ask(asked)
	toWallet, toHydra := dial(b, w.pages), dial(b, h.Listener.Addr().String())
	me, err := w.open(toWallet, ann)
	if err != nil {
		b.Fatal(err)
	}
	question := fmt.Appendf(nil, "GET /admin/oauth2/auth/requests/consent?consent_challenge=%s HTTP/1.1\r\nHost: hydra\r\n\r\n", asked.challenge())
	var page, alone []time.Duration
	used := w.ask("usage").CPU
	for range pages {
		begin := time.Now()
		shown, err := me.get(asked.page())
		if err != nil || !bytes.Contains(shown.body, []byte("Vegetables")) {
			b.Fatalf("this isn't the page: %v, %s", err, shown.body)
		}
		shownAt := time.Now()
		if _, err := toHydra.do(question); err != nil {
			b.Fatal(err)
		}
		page, alone = append(page, shownAt.Sub(begin)), append(alone, time.Since(shownAt))
	}
	cpu := w.ask("usage").CPU - used
	slices.Sort(page)
	slices.Sort(alone)
	b.Logf("%.0f µs of the wallet a page", cpu.Seconds()*1e6/pages)
	b.Run("page", func(b *testing.B) {
		b.ReportMetric(milliseconds(page[pages/2]), "ms")
		b.ReportMetric(milliseconds(alone[pages/2]), "ref:question")
	})
	b.Run("page/p99", func(b *testing.B) {
		b.ReportMetric(milliseconds(page[pages*99/100]), "ms")
		b.ReportMetric(milliseconds(alone[pages*99/100]), "ref:question")
	})
}

// dial is call for the time of a benchmark.
func dial(b *testing.B, address string) *caller {
	b.Helper()
	c, err := call(address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return c
}
