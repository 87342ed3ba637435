package server

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/app/payments"
)

// Many payments at once, each packet of which may meet any fault: every payment ends,
// and the two wallets' books differ by what B fulfilled without A being told, of which
// all but what a wrong fulfillment hid is in doubt.
func TestManyPaymentsThroughFaults(t *testing.T) {
	t.Parallel()
	const count = 40
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	p := newPeering(t, "POCHI_SEND_TIMEOUT", "4s")
	quotes := make([]payments.Quote, count)
	for i := range quotes {
		quotes[i] = p.quote("15")
	}
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(seed, 0))
	var forged atomic.Int64
	p.way.Fault(func(g *passage) {
		mu.Lock()
		n := dice.IntN(30 * len(faults))
		mu.Unlock()
		switch {
		case n >= len(faults):
			g.pass()
		case faults[n].acted && !faults[n].doubted:
			faults[n].do(g)
			forged.Add(int64(g.Amount))
		default:
			faults[n].do(g)
		}
	})
	ends := make([]payments.Outgoing, count)
	var all sync.WaitGroup
	for i, q := range quotes {
		all.Go(func() { ends[i] = p.confirm(q) })
	}
	all.Wait()
	p.way.quiet()
	states := map[payments.State]int{}
	var doubts int64
	for _, out := range ends {
		states[out.State]++
		d, _ := p.named(out.ID)
		doubts += d
	}
	differ := p.differ()
	t.Logf("%v; %d in doubt, the books differ by %d", states, doubts, differ)
	unheard, lost, narrow := int64(p.way.fulfilled-p.way.paid), int64(p.way.lost), int64(p.way.narrow)
	if differ < unheard || differ > unheard+narrow || doubts < lost || doubts > lost+narrow || differ-forged.Load() > doubts {
		t.Errorf("the books differ by %d; B fulfilled %d, A was told of %d, %d were forged; in doubt are %d, and %d were lost",
			differ, p.way.fulfilled, p.way.paid, forged.Load(), doubts, p.way.lost)
	}
	p.whole(ends...)
}
