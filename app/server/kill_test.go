package server

import (
	"context"
	"testing"
	"time"

	"pochi/app/agreements"
	"pochi/app/payments"
	"pochi/ledger"

	"github.com/google/uuid"
)

// moment is when a wallet is killed: at one of a payment's packets.
type moment struct {
	name string
	n    int
	do   func(g *passage, kill func())
}

var moments = []moment{
	{"before the first packet is passed on", 1, func(g *passage, kill func()) { kill(); g.pass() }},
	{"before a packet is passed on", 4, func(g *passage, kill func()) { kill(); g.pass() }},
	{"while packets are on their way", 4, func(g *passage, kill func()) { go kill(); g.pass() }},
	{"when B has acted", 4, func(g *passage, kill func()) { a, _ := g.ask(); kill(); g.give(a) }},
}

// B is killed in the middle of a payment, and comes back: what it fulfilled without A
// having heard of it is among what A has in doubt, and nothing of it is sent again.
func TestPeerIsKilled(t *testing.T) {
	t.Parallel()
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := newPeering(t)
			q := p.quote("25")
			kill := p.b.startChild(person{}, uuid.Nil)
			p.way.Fault(func(g *passage) {
				if g.N == m.n {
					m.do(g, kill)
					return
				}
				g.pass()
			})
			out := p.confirm(q)
			kill()
			p.way.quiet()
			p.b.start()
			// What B fulfilled in its last moment the proxy may not have heard either.
			differ := p.differ()
			doubts, suspense := p.named(q.ID)
			if heard := int64(p.way.fulfilled - p.way.paid); differ < heard || differ > doubts || doubts != int64(p.way.lost) || suspense != 0 {
				t.Errorf("the books differ by %d; in doubt %d, in suspense %d; A heard nothing about %d", differ, doubts, suspense, p.way.lost)
			}
			if out.State == payments.Completed && p.way.lost > 0 || out.SentAmount.Value != p.way.paid || int64(out.Doubted.Value) != doubts {
				t.Errorf("payment %+v; A was told of %d", out, p.way.paid)
			}
			p.whole(out)
		})
	}
}

// A is killed when packets have left it: after it comes back what was on its way is in
// suspense, by peer and payment, the rest of the payment is sent, and once the two
// wallets have agreed on what became of it their books are the same.
func TestPayerIsKilled(t *testing.T) {
	t.Parallel()
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := newPeering(t)
			q := p.quote("25")
			left, killed := make(chan func(), 1), make(chan struct{})
			p.way.Fault(func(g *passage) {
				if g.N == m.n {
					m.do(g, func() { (<-left)(); close(killed) })
					return
				}
				g.pass()
			})
			left <- p.a.startChild(p.ann, q.ID)
			<-killed
			p.way.quiet()
			p.way.Fault(nil)
			p.a.start()
			out := p.end(q.ID)
			doubts, suspense := p.named(q.ID)
			differ := p.differ()
			if differ != int64(p.way.fulfilled-out.SentAmount.Value) || differ > suspense || doubts != 0 || suspense != int64(out.Suspended.Open.Value) {
				t.Errorf("the books differ by %d; in doubt %d, in suspense %d: %+v", differ, doubts, suspense, out)
			}
			if out.SentAmount.Value+out.Suspended.Open.Value != out.DebitAmount.Value {
				t.Errorf("payment %+v", out)
			}
			p.whole(out)
			p.agree(q, differ, suspense)
		})
	}
}

// A is killed in the same moments of a charge: what is sent, or may have been, is what
// its agreement's interval has used, before and after the wallets have agreed.
func TestWalletIsKilledDuringACharge(t *testing.T) {
	t.Parallel()
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := newPeering(t)
			c := p.begin("2500")
			left, killed := make(chan func(), 1), make(chan struct{})
			p.way.Fault(func(g *passage) {
				if g.N == m.n {
					m.do(g, func() { (<-left)(); close(killed) })
					return
				}
				g.pass()
			})
			left <- p.a.startChild(person{}, uuid.Nil)
			<-killed
			p.way.quiet()
			p.way.Fault(nil)
			p.a.start()
			out := p.end(c.ID)
			_, suspense := p.named(c.ID)
			p.whole(out)
			p.spent(c, out)
			p.agree(payments.Quote{ID: c.ID}, p.differ(), suspense)
			p.spent(c, p.end(c.ID))
		})
	}
}

// begin makes a charge of Ann's, in cents, that nobody sends before A's next start.
func (p *peering) begin(amount string) payments.Charge {
	p.t.Helper()
	ctx := context.Background()
	limit := ledger.Amount{Value: 50_00, Asset: ledger.Asset{Code: "USD", Scale: 2}}
	a, err := p.a.agreements.Approve(ctx, agreements.Approval{
		UserID: p.ann.ID, AccountID: p.ann.Account, ClientID: "shop", App: "Shop", Amount: limit.Value,
		Terms: agreements.Terms{Description: "Things", Amount: limit},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.a.payments.Drain()
	c, err := p.a.payments.Charge(ctx, payments.ChargeRequest{
		AgreementID: a.ID, Key: "k", Receiver: p.pointer("ben"), Fixed: payments.FixedDebit, Amount: amount,
	})
	if err != nil || c.State != payments.Sending {
		p.t.Fatalf("charge %+v, %v", c, err)
	}
	return c
}

// spent fails the test unless a charge uses what was sent of it, or may have been.
func (p *peering) spent(c payments.Charge, out payments.Outgoing) {
	p.t.Helper()
	ctx := context.Background()
	want := out.SentAmount.Value + out.Suspended.Open.Value
	c, err := p.a.payments.FindCharge(ctx, c.AgreementID, c.ID)
	if err != nil || c.Spent.Value != want || c.Returned.Value != c.Reserved.Value-want {
		p.t.Errorf("%v, %d were sent or may have been: %+v", err, want, c)
	}
	if u, err := p.a.agreements.Usage(ctx, c.AgreementID); err != nil || u.Used != want {
		p.t.Errorf("%v, %d were sent or may have been: %+v", err, want, u)
	}
}

// agree has the wallets agree on what became of what is in suspense: all of it arrived,
// or nothing. Then their books are the same.
func (p *peering) agree(q payments.Quote, differ, suspense int64) {
	p.t.Helper()
	if suspense == 0 || differ != 0 && differ != suspense {
		return // no admin command tells parts of a payment's suspense apart
	}
	ctx := context.Background()
	items, err := payments.ListSuspense(ctx, p.a.db.Read, true)
	if err != nil || len(items) == 0 || items[0].Counterparty != p.atA || items[0].Payment.ID != q.ID {
		p.t.Fatalf("suspense %+v, %v", items, err)
	}
	review := payments.Review{DB: p.a.db, Ledger: p.a.payments.Ledger, Now: time.Now}
	if _, _, err := review.Resolve(ctx, items[0].Item, differ > 0); err != nil {
		p.t.Fatal(err)
	}
	out := p.end(q.ID)
	if now := p.differ(); now != 0 || (out.State == payments.Completed) != (differ > 0) {
		p.t.Errorf("settled, and the books differ by %d: %+v", now, out)
	}
	p.whole(out)
}
