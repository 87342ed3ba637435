package bench

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// rounds is how often what is compared takes its turn: a machine is not always as fast.
const rounds = 5

// measure is what a round brought.
type measure struct {
	rate float64       // packets a second
	p99  time.Duration // how long the slowest of 99 % took
	cpu  float64       // µs of the server a packet
}

// round keeps inFlight packets on their way to a server for a while.
func (l *load) round(server *child, inFlight int, lasts time.Duration) measure {
	l.b.Helper()
	requests := l.requests(int(1.3*l.rate*lasts.Seconds()) + 10*inFlight)
	callers := make([]*caller, inFlight)
	for i := range callers {
		var err error
		if callers[i], err = call(l.server); err != nil {
			l.b.Fatal(err)
		}
		defer callers[i].Close()
	}
	took := make([]time.Duration, len(requests))
	before := server.ask("usage")
	begin := time.Now()
	var next atomic.Int64
	var wait sync.WaitGroup
	for _, c := range callers {
		wait.Go(func() {
			for now := begin; ; {
				i := next.Add(1) - 1
				if i >= int64(len(requests)) || now.Sub(begin) >= lasts {
					return
				}
				got, err := c.do(requests[i])
				if err == nil {
					err = fulfilled(got)
				}
				if err != nil {
					l.b.Error(err)
					return
				}
				answered := time.Now()
				took[i], now = answered.Sub(now), answered
			}
		})
	}
	wait.Wait()
	elapsed := time.Since(begin)
	cpu := server.ask("usage").CPU - before.CPU
	took = slices.DeleteFunc(took, func(d time.Duration) bool { return d == 0 }) // not sent
	if len(took) == 0 {
		l.b.Fatal("no packet was fulfilled")
	}
	slices.Sort(took)
	l.rate = float64(len(took)) / elapsed.Seconds()
	return measure{l.rate, took[len(took)*99/100], cpu.Seconds() * 1e6 / float64(len(took))}
}

// side is one of several loads that are compared.
type side struct {
	*load
	server *child
}

// compare has the sides take turns, and returns the median of each. The spread of the rates is logged.
func compare(b *testing.B, inFlight int, sides ...side) []measure {
	b.Helper()
	return compareFor(b, 2*time.Second, inFlight, sides...)
}

// compareFor is compare with rounds of another length, unless BENCH_ROUND says how long they are.
func compareFor(b *testing.B, lasts time.Duration, inFlight int, sides ...side) []measure {
	b.Helper()
	lasts = duration(b, "BENCH_ROUND", lasts)
	for _, s := range sides { // so that it is warm, and has a rate
		s.round(s.server, inFlight, lasts/4)
	}
	all := make([][]measure, len(sides))
	for range rounds {
		for i, s := range sides {
			all[i] = append(all[i], s.round(s.server, inFlight, lasts))
		}
	}
	medians := make([]measure, len(sides))
	for i, of := range all {
		slices.SortFunc(of, func(a, b measure) int { return int(a.rate - b.rate) })
		b.Logf("%d in flight at %s: %.0f to %.0f packets/s in %d rounds of %s", inFlight, sides[i].load.server, of[0].rate, of[rounds-1].rate, rounds, lasts)
		medians[i].rate = of[rounds/2].rate
		slices.SortFunc(of, func(a, b measure) int { return int(a.p99 - b.p99) })
		medians[i].p99 = of[rounds/2].p99
		slices.SortFunc(of, func(a, b measure) int { return int(a.cpu*1000 - b.cpu*1000) })
		medians[i].cpu = of[rounds/2].cpu
	}
	return medians
}
