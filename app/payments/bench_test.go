package payments_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/app/payments/paytest"
	"pochi/ilp/connector"
)

// Packets from a peer, 500 at once, into so many connections: the books' part, durable.
func BenchmarkArrivals(b *testing.B) {
	for _, connections := range []int{1, 100} {
		b.Run(fmt.Sprintf("%d connections", connections), func(b *testing.B) {
			w := paytest.New(b, paytest.Options{Log: slog.New(slog.DiscardHandler)})
			w.Person("ben", usd, "")
			peer := w.AddPeer("test.far", usd, 1<<62, nil)
			to := make([]connector.Party, connections)
			for i := range to {
				to[i] = connect(b, w, "ben")
			}
			var next atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range 500 {
				all.Go(func() {
					for {
						n := int(next.Add(1))
						if n > b.N {
							return
						}
						d := connector.Delivery{From: peerParty(peer, usd), To: to[n%connections], AmountIn: 10, AmountOut: 10}
						if err := w.Books.Deliver(context.Background(), d); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}
