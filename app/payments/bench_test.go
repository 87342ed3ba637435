package payments_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/app/payments"
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

// Payments of 10 people at once, quote included and counted when final: within a wallet,
// and to another one in the same process.
func BenchmarkPayments(b *testing.B) {
	quiet := slog.New(slog.DiscardHandler)
	clock := paytest.RealClock()
	here := paytest.New(b, paytest.Options{Address: "test.a", Host: "a.example", Clock: clock, Log: quiet})
	there := paytest.New(b, paytest.Options{Address: "test.b", Host: "b.example", Clock: clock, Log: quiet})
	paytest.Join(here, there, paytest.Terms{Asset: usd, LimitB: 1 << 62})
	here.Person("ben", usd, "")
	there.Person("ben", usd, "")
	people := make([]person, 10)
	for i := range people {
		people[i] = here.Person(fmt.Sprint("ann", i), usd, "1000000")
	}
	for name, to := range map[string]string{"local": "$a.example/ben", "remote": farBen} {
		b.Run(name, func(b *testing.B) {
			var next atomic.Int64
			var all sync.WaitGroup
			for _, from := range people {
				all.Go(func() {
					for next.Add(1) <= int64(b.N) {
						if p := here.Confirm(from, here.Quote(from, to, "0.10", payments.FixedDebit)); p.State != payments.Completed {
							b.Errorf("payment %+v", p)
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "payments/s")
		})
	}
}
