package bench

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clients is how many people send money at once.
const clients = 10

// BenchmarkPayments measures payments that people make with the wallet's pages: each is four requests, the first asks for the
// quote, and the last shows that it is completed. Half of the receivers have another currency. There are many people, since
// each may ask for thirty quotes and then for one every other second.
func BenchmarkPayments(b *testing.B) {
	b.Run("local", benchLocal)
	b.Run("remote", benchRemote)
}

// benchLocal pays people of the same wallet, and compares the memory that the wallet needs after all payments with that after
// a thousand: the Go heap after a garbage collection, and what the process has of the machine's, SQLite's cache included.
// Before that everybody has paid once: whom the wallet knows is in memory, too, and isn't to be taken for what payments need.
// What that is shows beside the first thousand payments, which most people haven't made yet.
func benchLocal(b *testing.B) {
	const few = 1000
	people, to := payers(2500), payees(100)
	w := startWallet(b, "wallet", slices.Concat(people, to))
	c := newCrowd(b, w, people, pointers(w, to))
	c.pay(few)
	first := w.memory()
	c.pay(len(people))
	c.pay(few)
	before := w.memory()
	var rate float64
	var p99 time.Duration
	b.Run(fmt.Sprint(clients), func(b *testing.B) {
		used := w.ask("usage").CPU
		all := number(b, "BENCH_PAYMENTS", 100_000) - few
		rate, p99 = c.pay(all)
		b.Logf("%.0f µs of the wallet a payment", (w.ask("usage").CPU-used).Seconds()*1e6/float64(all))
		b.ReportMetric(rate, "payments/s")
	})
	if rate == 0 {
		return // not asked for
	}
	after := w.memory()
	b.Run(fmt.Sprint(clients, "/p99"), func(b *testing.B) { b.ReportMetric(milliseconds(p99), "ms") })
	for _, than := range []struct {
		name, reference string
		usage           usage
	}{{"", "ref:after-1k", before}, {"/people", "ref:first-1k", first}} {
		b.Run("heap"+than.name, func(b *testing.B) {
			b.ReportMetric(megabytes(after.Heap), "MB")
			b.ReportMetric(megabytes(than.usage.Heap), than.reference)
		})
		b.Run("resident"+than.name, func(b *testing.B) {
			b.ReportMetric(megabytes(after.Resident), "MB")
			b.ReportMetric(megabytes(than.usage.Resident), than.reference)
		})
	}
}

// benchRemote pays people of another wallet.
func benchRemote(b *testing.B) {
	const warm, all = 200, 5000
	people, to := payers(500), payees(100)
	w, other := startWallet(b, "wallet", people), startWallet(b, "other", to)
	w.peerWith(other)
	other.peerWith(w)
	c := newCrowd(b, w, people, pointers(other, to))
	c.pay(warm)
	var p99 time.Duration
	b.Run(fmt.Sprint(clients), func(b *testing.B) {
		used, there := w.ask("usage").CPU, other.ask("usage").CPU
		var rate float64
		rate, p99 = c.pay(all)
		b.Logf("%.0f and %.0f µs of the wallets a payment", (w.ask("usage").CPU-used).Seconds()*1e6/all, (other.ask("usage").CPU-there).Seconds()*1e6/all)
		b.ReportMetric(rate, "payments/s")
	})
	if p99 == 0 {
		return // not asked for
	}
	b.Run(fmt.Sprint(clients, "/p99"), func(b *testing.B) { b.ReportMetric(milliseconds(p99), "ms") })
}

// payers returns n people with enough money.
func payers(n int) []person {
	all := make([]person, n)
	for i := range all {
		all[i] = person{Name: fmt.Sprintf("payer%d", i), Asset: "USD", Balance: 1e9}
	}
	return all
}

func pointers(w *wallet, people []person) []string {
	all := make([]string, len(people))
	for i, p := range people {
		all[i] = w.pointer(p)
	}
	return all
}

// rest is how long a wallet is left alone before its memory is looked at: it still has things to put away.
const rest = 3 * time.Second

func (w *wallet) memory() usage {
	time.Sleep(rest)
	return w.ask("memory")
}

func megabytes(bytes uint64) float64 { return float64(bytes) / 1e6 }

// crowd is people with their browsers, among as many clients as send money at once.
type crowd struct {
	b     *testing.B
	sides [clients][]*browser
	to    []string // payment pointers
}

// newCrowd has everybody open the form.
func newCrowd(b *testing.B, w *wallet, people []person, to []string) *crowd {
	b.Helper()
	c := &crowd{b: b, to: to}
	for i := range c.sides {
		conn, err := call(w.pages)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(conn.Close)
		for at := i; at < len(people); at += clients {
			me, err := w.open(conn, people[at])
			if err != nil {
				b.Fatal(err)
			}
			c.sides[i] = append(c.sides[i], me)
		}
	}
	return c
}

// pay makes n payments, from and to everybody in turn. It returns how many were completed in a second, and how long the slowest
// of 99 % took.
func (c *crowd) pay(n int) (rate float64, p99 time.Duration) {
	c.b.Helper()
	var next atomic.Int64
	var wait sync.WaitGroup
	took := make([]time.Duration, n)
	begin := time.Now()
	for _, people := range c.sides {
		wait.Go(func() {
			for turn := 0; ; {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				begun := time.Now()
				err := errTooMany
				for tries := 0; errors.Is(err, errTooMany) && tries < len(people); tries++ {
					err = people[turn%len(people)].pay(c.to[i%len(c.to)], "1.00")
					turn++
				}
				if err != nil {
					c.b.Error(err)
					return
				}
				took[i] = time.Since(begun)
			}
		})
	}
	wait.Wait()
	rate = float64(n) / time.Since(begin).Seconds()
	slices.Sort(took)
	return rate, took[n*99/100]
}
