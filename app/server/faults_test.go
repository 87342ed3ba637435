package server

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"pochi/app/payments"
)

// fault is what goes wrong with one of a payment's packets.
type fault struct {
	name string
	do   func(*passage)
	// acted says that the peer has fulfilled the packet, doubted that the wallet can
	// know that it may have.
	acted, doubted bool
	slow           bool          // needs packets that live a few seconds only
	ahead          time.Duration // the peer's clock
}

var faults = []fault{
	{name: "500 before the peer got it", do: func(g *passage) { g.status(http.StatusInternalServerError) }, doubted: true},
	{name: "502 after the peer acted", do: func(g *passage) { g.ask(); g.status(http.StatusBadGateway) }, acted: true, doubted: true},
	{name: "reset before the peer got it", do: (*passage).reset, doubted: true},
	{name: "reset after the peer acted", do: func(g *passage) { g.ask(); g.reset() }, acted: true, doubted: true},
	{name: "half an answer", do: func(g *passage) { a, _ := g.ask(); g.truncate(a) }, acted: true, doubted: true},
	// By the protocol a peer that shows no fulfillment has no claim.
	{name: "wrong fulfillment", do: func(g *passage) { a, _ := g.ask(); g.give(forge(a)) }, acted: true},
	{name: "late fulfillment", do: func(g *passage) { a, _ := g.ask(); g.expire(); g.give(a) }, acted: true, doubted: true, slow: true},
	{name: "peer gets it too late", do: func(g *passage) { g.expire(); a, _ := g.ask(); g.give(a) }, doubted: true, slow: true},
	{name: "peer gets it too late and its clock is slow", do: func(g *passage) { g.expire(); a, _ := g.ask(); g.give(a) },
		acted: true, doubted: true, slow: true, ahead: -5 * time.Second},
}

// One packet of a payment meets a fault, or all from one on: then the payment ends,
// Ann has what wasn't sent, and what B may claim besides is written down, to the
// cent, by peer and payment.
func TestFaultsBetweenWallets(t *testing.T) {
	for _, f := range faults {
		for _, all := range []bool{false, true} {
			if f.slow && !all {
				continue // the first packet that is late takes up the payment's time
			}
			name := f.name + ", once"
			if all {
				name = f.name + ", from then on"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var variables []string
				if f.slow {
					variables = []string{"POCHI_SEND_TIMEOUT", "3s"}
				}
				p := newPeering(t, variables...)
				p.way.Skew(f.ahead)
				q := p.quote("25")
				p.way.Fault(func(g *passage) {
					if g.N == 3 || all && g.N > 3 {
						f.do(g)
						return
					}
					g.pass()
				})
				p.explained(f, q, p.confirm(q))
			})
		}
	}
}

// explained compares what is known after a fault with what the proxy saw.
func (p *peering) explained(f fault, q payments.Quote, out payments.Outgoing) {
	p.t.Helper()
	p.way.quiet()
	if out.SentAmount.Value != p.way.paid {
		p.t.Errorf("sent %s; the wallet was told of %d", out.SentAmount, p.way.paid)
	}
	differ, unheard := p.differ(), int64(p.way.fulfilled-p.way.paid)
	doubts, suspense := p.named(q.ID)
	if differ != unheard || f.acted != (differ > 0) {
		p.t.Errorf("the books differ by %d; B fulfilled %d, of which A was told %d", differ, p.way.fulfilled, p.way.paid)
	}
	want := int64(p.way.lost)
	if doubts != want || f.doubted != (doubts > 0) || suspense != 0 || int64(out.Doubted.Value) != doubts {
		p.t.Errorf("in doubt are %d (%s of the payment), in suspense %d, and %d were lost", doubts, out.Doubted, suspense, want)
	}
	if f.doubted && differ > doubts {
		p.t.Errorf("the books differ by %d, of which %d are in doubt", differ, doubts)
	}
	if out.State != payments.Failed {
		p.t.Errorf("payment %+v", out)
	}
	p.whole(out)
}

// The proxy sends a packet twice at once: B takes it once if it sees that. It sends
// one once more when the first has its answer: to B, which remembers nothing, that is
// more money (RFC 29), and the bearer of such a link bears it.
func TestDuplicatePackets(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(*passage){
		"at once": func(g *passage) {
			var both sync.WaitGroup
			answers := make([]response, 2)
			for i := range answers {
				both.Go(func() { answers[i], _ = g.ask() })
			}
			both.Wait()
			if !g.fulfills(answers[0]) {
				answers[0] = answers[1]
			}
			g.give(answers[0])
		},
		"later": func(g *passage) {
			a, _ := g.ask()
			g.ask()
			g.give(a)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeering(t)
			q := p.quote("25")
			p.way.Fault(again)
			out := p.confirm(q)
			if out.State != payments.Completed || p.way.paid != 25_00 {
				t.Errorf("payment %+v, A was told of %d", out, p.way.paid)
			}
			if twice := int64(p.way.fulfilled - p.way.paid); p.differ() != twice {
				t.Errorf("the books differ by %d, and B fulfilled %d twice", p.differ(), twice)
			}
			p.whole(out)
		})
	}
}

// B's clock is 5 s off: as long as packets live longer than that, nothing is lost.
func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"ahead": 5 * time.Second, "behind": -5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeering(t)
			p.way.Skew(ahead)
			q := p.quote("25")
			p.way.Fault(nil)
			out := p.confirm(q)
			if doubts, suspense := p.named(q.ID); out.State != payments.Completed || p.differ() != 0 || doubts != 0 || suspense != 0 {
				t.Errorf("payment %+v; the books differ by %d, in doubt %d, in suspense %d", out, p.differ(), doubts, suspense)
			}
			p.whole(out)
		})
	}
	t.Run("ahead, and packets live for less", func(t *testing.T) {
		t.Parallel()
		p := newPeering(t, "POCHI_SEND_TIMEOUT", "3s")
		q := p.quote("25")
		p.way.Skew(5 * time.Second)
		p.way.Fault(nil)
		out := p.confirm(q)
		if doubts, suspense := p.named(q.ID); out.State != payments.Failed || out.SentAmount.Value != 0 || p.differ() != 0 || doubts != 0 || suspense != 0 {
			t.Errorf("payment %+v; the books differ by %d, in doubt %d, in suspense %d", out, p.differ(), doubts, suspense)
		}
		p.whole(out)
	})
}
