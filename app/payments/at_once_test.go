package payments_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/ilp/packet"

	"github.com/google/go-cmp/cmp"
)

func TestLocalPaymentIsOneCommit(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", eur, "")
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	batches := func() (n int) {
		if err := w.DB.Read.QueryRowContext(ctx, "SELECT count(*) FROM batches").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := batches()
	p, err := w.Payments.Confirm(ctx, ann.ID, q.ID)
	if err != nil || p.State != payments.Completed {
		t.Fatalf("payment %+v, %v", p, err)
	}
	if moved := batches() - before; moved != 1 {
		t.Errorf("money moved in %d commits", moved)
	}
	row, err := payments.New(w.Payments.Config).FindOutgoing(ctx, ann.ID, q.ID) // it remembers nothing
	if err != nil {
		t.Fatal(err)
	}
	for _, told := range []payments.Outgoing{p, w.Outgoing(ann, q.ID)} {
		if diff := cmp.Diff(row, told); diff != "" {
			t.Errorf("the row (-) isn't what is told (+):\n%s", diff)
		}
	}
	if again, err := w.Payments.Confirm(ctx, ann.ID, q.ID); err != nil || !cmp.Equal(again, p) {
		t.Errorf("confirmed again: %+v, %v", again, err)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "0.00 USD" || b != "9.13 EUR" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

// The packet that opens its payment is refused: the payment is there nevertheless, as
// whoever confirmed it was told, and the worker sends it.
func TestPaymentThatCannotBeMadeAtOnce(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", usd, "")
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	var tries atomic.Int64
	w.Links.Between(func(_ packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		if tries.Add(1) == 1 {
			return packet.NewReject(packet.CannotReceive, "test", ""), nil
		}
		return next()
	})
	if p := w.Confirm(ann, q); p.State != payments.Completed || p.SentAmount != q.DebitAmount {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "0.00 USD" || b != "10.00 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

// Of two clicks at once, one pays.
func TestConfirmedTwiceAtOnce(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann, ben := w.Person("ann", usd, "20"), w.Person("ben", usd, "")
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	other := make(chan error)
	var once atomic.Bool
	w.Links.Between(func(_ packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		if !once.Swap(true) {
			go func() {
				_, err := w.Payments.Confirm(ctx, ann.ID, q.ID)
				other <- err
			}()
			if err := <-other; err != nil {
				t.Errorf("the other click: %v", err)
			}
		}
		return next()
	})
	if p, err := w.Payments.Confirm(ctx, ann.ID, q.ID); err != nil || p.State != payments.Completed {
		t.Errorf("payment %+v, %v", p, err)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "10.00 USD" || b != "10.00 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

func TestMoneyGoneAtOnce(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	first, second := w.Quote(ann, benPointer, "10", payments.FixedDebit), w.Quote(ann, benPointer, "1", payments.FixedDebit)
	w.Confirm(ann, first)
	if _, err := w.Payments.Confirm(ctx, ann.ID, second.ID); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("confirm: %v", err)
	}
	if _, err := w.Payments.FindQuote(ctx, ann.ID, second.ID); err != nil {
		t.Errorf("the quote that the page shows again: %v", err)
	}
	w.Check()
}

// Whoever has paid sees it in what they may pay next, from memory as in the database,
// while others pay.
func TestPayersSeeWhatTheyPaid(t *testing.T) {
	w := newWallet(t)
	w.Person("ben", usd, "")
	var all sync.WaitGroup
	for i := range 4 {
		p := w.Person(fmt.Sprint("ann", i), usd, "1000")
		all.Go(func() {
			for left := uint64(1000_00 - 1_00); left > 960_00; left -= 1_00 {
				q, err := w.Payments.Quote(t.Context(), p.ID, payments.QuoteRequest{AccountID: p.Account, To: benPointer, Amount: "1", Fixed: payments.FixedDebit})
				if err == nil {
					_, err = w.Payments.Confirm(t.Context(), p.ID, q.ID)
				}
				remembered, err2 := w.Accounts.Payer(t.Context(), p.ID, p.Account)
				written, err3 := w.Accounts.Find(t.Context(), p.ID, p.Account)
				if err := errors.Join(err, err2, err3); err != nil || remembered.Available.Value != left || written.Available.Value != left {
					t.Errorf("%d left, %d remembered, %d written, %v", left, remembered.Available.Value, written.Available.Value, err)
					return
				}
			}
		})
	}
	all.Wait()
	w.Check()
}
