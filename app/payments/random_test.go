package payments_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/app/payments"
	"pochi/app/payments/paytest"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp/packet"
	"pochi/ledger"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// fault is what goes wrong with every nth packet, or unit, of a payment.
type fault struct {
	name string
	nth  int64
	// way, if set, is what becomes of such a packet between the wallets.
	way func(next func() (packet.Reply, error)) (packet.Reply, error)
}

const payerCrashes = "crash of the payer's wallet"

var faults = []fault{
	{name: "nothing"},
	{name: "busy database"},
	{name: payerCrashes},
	{name: "lost answer", way: func(next func() (packet.Reply, error)) (packet.Reply, error) {
		_, err := next()
		return nil, errors.Join(errors.New("connection reset"), err)
	}},
	{name: "lost packet", way: func(func() (packet.Reply, error)) (packet.Reply, error) {
		return nil, errors.New("connection reset")
	}},
	{name: "too busy", way: func(func() (packet.Reply, error)) (packet.Reply, error) {
		return packet.NewReject(packet.ConnectorBusy, "test.far", "busy"), nil
	}},
	{name: "too little liquidity", way: func(func() (packet.Reply, error)) (packet.Reply, error) {
		return packet.NewReject(packet.InsufficientLiquidity, "test.far", "short"), nil
	}},
	{name: "refusal", way: func(func() (packet.Reply, error)) (packet.Reply, error) {
		return packet.NewReject(packet.Unreachable, "test.far", "gone"), nil
	}},
	{name: "wrong fulfillment", way: func(func() (packet.Reply, error)) (packet.Reply, error) {
		return &packet.Fulfill{}, nil
	}},
}

// Whatever goes wrong with payments between two wallets: each of them ends, its books
// are in order and at rest, and what it made the two differ by is in doubt or in suspense.
func TestRandomPaymentsBetweenWallets(t *testing.T) {
	clock := paytest.NewClock()
	p := newPair(t, usd, eur, paytest.Terms{Asset: usd, LimitA: 300_00, LimitB: 300_00}, clock)
	var confirmed []uuid.UUID
	charges := 0
	plenty := ledger.Amount{Value: 1e12, Asset: jpy}
	agreed := map[*paytest.Wallet]uuid.UUID{p.a: p.a.Agree(p.ann, "Shop", plenty, "R/PT1H"), p.b: p.b.Agree(p.ben, "Shop", plenty, "R/PT1H")}
	rapid.Check(t, func(r *rapid.T) {
		forth := rapid.Bool().Draw(r, "forth")
		from, person, to, way := p.a, p.ann, farBen, p.line.ToB
		if !forth {
			from, person, to, way = p.b, p.ben, farAnn, p.line.ToA
		}
		most := rapid.SampledFrom([]uint64{10, 300, 5000, 1 << 40}).Draw(r, "largest packet")
		units := rapid.IntRange(1, 5000).Draw(r, "amount")
		fixed := rapid.SampledFrom([]payments.Fixed{payments.FixedDebit, payments.FixedReceive}).Draw(r, "fixed")
		f := rapid.SampledFrom(faults).Draw(r, "fault")
		f.nth = rapid.Int64Range(1, 12).Draw(r, "nth")

		way.Between(small(most))
		id, begin, err := p.prepare(from, person, payments.QuoteRequest{
			AccountID: person.Account, To: to, Amount: fmt.Sprintf("%d.%02d", units/100, units%100), Fixed: fixed,
		})
		if rapid.Bool().Draw(r, "by an app") {
			charges++
			id, begin, err = p.prepareCharge(from, asked(agreed[from], fmt.Sprint(charges), to, fmt.Sprint(units), fixed))
		}
		if err != nil {
			if problem.CodeOf(err) == problem.Internal {
				r.Errorf("quote: %v", err)
			}
			return
		}
		before := p.stand(r)
		c := p.sendWith(from, way, id, begin, f, most)
		confirmed = append(confirmed, id)
		if out := from.Outgoing(person, id); !out.State.Ended() {
			r.Errorf("payment %+v", out)
		}
		p.a.Rest()
		p.b.Rest()
		after := p.stand(r)
		if forth {
			explained(r, f, c, after.byA-before.byA, after.byB-before.byB, after.claimedOfA-before.claimedOfA)
		} else {
			explained(r, f, c, before.byB-after.byB, before.byA-after.byA, after.claimedOfB-before.claimedOfB)
		}
	})
	p.a.Check()
	p.b.Check()
	for w, id := range agreed {
		if made, _, err := w.Payments.Charges(context.Background(), id, "", 1); err != nil || len(made) == 0 {
			t.Errorf("no charge was made at %s: %v", w.Host, err)
		}
	}
	if len(confirmed) == 0 {
		t.Error("nothing was sent")
	}
}

// carried is what the far wallet fulfilled of a payment's packets, in units of the line.
type carried struct {
	fulfilled int64
	lost      int64 // of that, what went wrong on the way back
}

// prepare gets a quote, and returns how its payment begins.
func (p *pair) prepare(from *paytest.Wallet, who person, req payments.QuoteRequest) (id uuid.UUID, begin func(), err error) {
	p.t.Helper()
	ctx := context.Background()
	q, err := from.Payments.Quote(ctx, who.ID, req)
	return q.ID, func() {
		if _, err := from.Payments.Confirm(ctx, who.ID, q.ID); err != nil {
			p.t.Fatal(err)
		}
	}, err
}

// prepareCharge makes a charge that nothing is sent of before it begins.
func (p *pair) prepareCharge(from *paytest.Wallet, req payments.ChargeRequest) (id uuid.UUID, begin func(), err error) {
	p.t.Helper()
	again := func(work bool) {
		from.Stop()
		from.Start(work)
	}
	again(false)
	c, err := from.Payments.Charge(context.Background(), req)
	if err != nil {
		again(true)
	}
	return c.ID, func() { again(true) }, err
}

// sendWith begins a payment while something goes wrong, and waits for its end.
func (p *pair) sendWith(from *paytest.Wallet, way *paytest.Way, id uuid.UUID, begin func(), f fault, most uint64) carried {
	p.t.Helper()
	var fulfilled, lost atomic.Int64
	ctx := context.Background()
	var packets, units atomic.Int64
	var crash sync.Once
	crashed := make(chan struct{})
	carry := small(most)
	count := func(pr packet.Prepare, next func() (packet.Reply, error)) (reply packet.Reply, there bool, err error) {
		reply, err = next()
		if there = err == nil && reply.Type() == packet.TypeFulfill; there {
			fulfilled.Add(int64(pr.Amount))
		}
		return reply, there, err
	}
	way.Between(func(pr packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		hit := pr.Amount > 0 && pr.Amount <= most && packets.Add(1)%f.nth == 0
		there := false
		far := next
		next = func() (reply packet.Reply, err error) {
			reply, there, err = count(pr, far)
			return reply, err
		}
		switch {
		case hit && f.way != nil:
			reply, err := f.way(next)
			if there {
				lost.Add(int64(pr.Amount))
			}
			return reply, err
		case hit && f.name == payerCrashes:
			reply, err := next()
			crash.Do(func() {
				go func() { from.Crash(); close(crashed) }()
				<-from.DB.Writer.Done()
			})
			return reply, err
		}
		return carry(pr, next)
	})
	if f.name == "busy database" {
		from.Writer.Between(func(next func() error) error {
			if units.Add(1)%f.nth == 0 {
				return fmt.Errorf("%w: somebody else writes", db.ErrBusy)
			}
			return next()
		})
	}
	if f.name == "busy database" && f.nth == 1 {
		from.Writer.Between(nil) // nothing would ever be written
	}
	begin()
	from.Payments.Wait(ctx, id)
	from.Writer.Between(nil)
	way.Between(func(pr packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		reply, _, err := count(pr, next)
		return reply, err
	})
	defer way.Between(nil)
	crash.Do(func() { close(crashed) })
	<-crashed
	select {
	case <-from.DB.Writer.Done():
		from.Start(true)
		from.Payments.Wait(ctx, id)
	default:
	}
	return carried{fulfilled.Load(), lost.Load()}
}

// standing is what A owes B by each one's books, and what each knows that the other may
// claim besides.
type standing struct{ byA, byB, claimedOfA, claimedOfB int64 }

func (p *pair) stand(r *rapid.T) (s standing) {
	s.byA, s.byB = p.line.Owed()
	s.claimedOfA, s.claimedOfB = claimed(r, p.a, p.line.AtA), claimed(r, p.b, p.line.AtB)
	return s
}

// explained fails the test unless a payment's two wallets know of it what they should,
// by what changed: the far one is owed what it fulfilled, and the near one knows to
// owe all of that but what got lost on the way back, which it knows may be claimed.
// After a crash, some of what was in flight may be in suspense besides.
func explained(r *rapid.T, f fault, c carried, nearOwes, farIsOwed, claims int64) {
	if farIsOwed != c.fulfilled {
		r.Errorf("%s: the far wallet fulfilled %d and is owed %d more", f.name, c.fulfilled, farIsOwed)
	}
	differ := farIsOwed - nearOwes
	if f.name == payerCrashes {
		if differ < 0 || differ > claims {
			r.Errorf("%s: the wallets differ by %d more, and %d more may be claimed", f.name, differ, claims)
		}
	} else if differ != c.lost || claims < c.lost {
		r.Errorf("%s: the wallets differ by %d more, and %d more may be claimed; %d got lost", f.name, differ, claims, c.lost)
	}
}

// claimed is what a peer may claim.
func claimed(r *rapid.T, w *paytest.Wallet, peer uuid.UUID) (sum int64) {
	err := w.DB.Read.QueryRow(`SELECT coalesce((SELECT sum(amount) FROM peer_doubts WHERE peer = ?1), 0) +
		coalesce((SELECT sum(x.amount) FROM suspense x JOIN accounts c ON c.n = x.counterparty WHERE c.id = ?1 AND x.state = 0), 0)`, peer[:]).Scan(&sum)
	if err != nil {
		r.Fatal(err)
	}
	return sum
}
