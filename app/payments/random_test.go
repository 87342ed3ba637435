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

var faults = []fault{
	{name: "nothing"},
	{name: "busy database"},
	{name: "crash of the payer's wallet"},
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
// are in order and at rest, and what the two differ by is in doubt or in suspense.
func TestRandomPaymentsBetweenWallets(t *testing.T) {
	clock := paytest.NewClock()
	p := newPair(t, usd, eur, paytest.Terms{Asset: usd, LimitA: 300_00, LimitB: 300_00}, clock)
	var confirmed []uuid.UUID
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
		q, err := from.Payments.Quote(context.Background(), person.ID, payments.QuoteRequest{
			AccountID: person.Account, To: to, Amount: fmt.Sprintf("%d.%02d", units/100, units%100), Fixed: fixed,
		})
		if err != nil {
			if problem.CodeOf(err) == problem.Internal {
				r.Errorf("quote: %v", err)
			}
			return
		}
		p.sendWith(from, way, person, q, f, most)
		confirmed = append(confirmed, q.ID)
		if out := from.Outgoing(person, q.ID); !out.State.Ended() {
			r.Errorf("payment %+v", out)
		}
		p.a.Rest()
		p.b.Rest()
		p.explained(r)
	})
	p.a.Check()
	p.b.Check()
	if len(confirmed) == 0 {
		t.Error("nothing was sent")
	}
}

// sendWith confirms a quote while something goes wrong, and waits for its end.
func (p *pair) sendWith(from *paytest.Wallet, way *paytest.Way, person person, q payments.Quote, f fault, most uint64) {
	p.t.Helper()
	ctx := context.Background()
	var packets, units atomic.Int64
	var crash sync.Once
	crashed := make(chan struct{})
	carry := small(most)
	way.Between(func(pr packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		hit := pr.Amount > 0 && pr.Amount <= most && packets.Add(1)%f.nth == 0
		switch {
		case hit && f.way != nil:
			return f.way(next)
		case hit && f.name == "crash of the payer's wallet":
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
	if _, err := from.Payments.Confirm(ctx, person.ID, q.ID); err != nil {
		p.t.Fatal(err)
	}
	from.Payments.Wait(ctx, q.ID)
	from.Writer.Between(nil)
	way.Between(nil)
	crash.Do(func() { close(crashed) })
	<-crashed
	select {
	case <-from.DB.Writer.Done():
		from.Start(true)
		from.Payments.Wait(ctx, q.ID)
	default:
	}
}

// explained fails the test unless what the wallets' books differ by is in doubt or in
// suspense: each may claim more than the other knows to owe, and never less.
func (p *pair) explained(r *rapid.T) {
	byA, byB := p.line.Owed()
	atA, atB := unexplained(r, p.a, p.line.AtA), unexplained(r, p.b, p.line.AtB)
	if differ := byB - byA; differ < 0 || differ > atA+atB {
		r.Errorf("A owes B %d by its books, %d by B's; in doubt or suspense at A are %d, at B %d", byA, byB, atA, atB)
	}
}

// unexplained is what a peer may claim.
func unexplained(r *rapid.T, w *paytest.Wallet, peer uuid.UUID) (sum int64) {
	err := w.DB.Read.QueryRow(`SELECT coalesce((SELECT sum(amount) FROM peer_doubts WHERE peer = ?1), 0) +
		coalesce((SELECT sum(x.amount) FROM suspense x JOIN accounts c ON c.n = x.counterparty WHERE c.id = ?1 AND x.state = 0), 0)`, peer[:]).Scan(&sum)
	if err != nil {
		r.Fatal(err)
	}
	return sum
}
