package payments_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

// used is a packet of an agreement as the books see it, of dollars of Ann's.
func (w *wallet) used(agreement uuid.UUID, to connector.Party, amount uint64) connector.Delivery {
	w.t.Helper()
	terms, err := w.Agreements.Agreement(context.Background(), agreement, amount)
	if err != nil {
		w.t.Fatal(err)
	}
	authority := terms.Authority
	authority.Amount = amount
	return connector.Delivery{From: terms.Account, To: to, AmountIn: amount, AmountOut: amount, Authority: &authority}
}

// spender sends packets over an agreement's own link to somebody here.
func (w *wallet) spender(agreement uuid.UUID, name string) *stream.Sender {
	w.t.Helper()
	payee, err := w.Accounts.PayeeByName(context.Background(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	details, err := w.Payments.Offer(payee)
	if err != nil {
		w.t.Fatal(err)
	}
	return stream.NewSender(stream.SenderConfig{
		Link: w.Node.Link(connector.FromAgreement(agreement)), Destination: details.DestinationAccount, Secret: details.SharedSecret,
		Clock: w.Clock, Random: rand.Reader,
	})
}

// An app streams over the agreement's own link: what moves is worth no more than what
// it uses, and the rest of the agreement is what it was.
func TestStreamUnderAnAgreement(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", jpy, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: eur}, "")
	ctx := context.Background()
	s := w.spender(id, "ben")
	probe, err := s.Probe(ctx, 500)
	if err != nil {
		t.Fatal(err)
	}
	if a := w.Has(ann); a != "100.00 USD" {
		t.Errorf("a probe moved something: Ann has %s", a)
	}
	result, err := s.Send(ctx, stream.SendParams{Amount: 500, MinDelivered: probe.Received, Asset: probe.Asset, Whole: true})
	if err != nil || result.Sent != 500 || result.Delivered != 818 {
		t.Errorf("%+v, %v", result, err)
	}
	wantUsed(t, w.Wallet, w.Interval(id), 500)
	if a, b := w.Has(ann), w.Has(ben); a != "94.53 USD" || b != "818 JPY" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

// Whoever asks for more than is left is told so, before and when money would move.
func TestProbesOfAnAgreement(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	w.Person("ben", usd, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: usd}, "R/P1M")
	ctx := context.Background()
	if _, err := w.spender(id, "ben").ProbeWhole(ctx, 1000); err != nil {
		t.Errorf("all of an untouched interval: %v", err)
	}
	charge(t, w.Wallet, asked(id, "k", benPointer, "600", payments.FixedDebit))
	if _, err := w.spender(id, "ben").ProbeWhole(ctx, 400); err != nil {
		t.Errorf("all that is left: %v", err)
	}
	for _, amount := range []uint64{401, 1001} {
		_, err := w.spender(id, "ben").ProbeWhole(ctx, amount)
		failure, ok := err.(*stream.Failure)
		if !ok || failure.Reject == nil || failure.Reject.Code != packet.InsufficientLiquidity ||
			failure.Reject.Message != "The agreement has less than this left until it renews. Ask it what is left, and send no more than that." {
			t.Errorf("%d of 400: %+v", amount, err)
		}
	}
	if err := w.Agreements.Pause(ctx, ann.ID, id); err != nil {
		t.Fatal(err)
	}
	_, err := w.spender(id, "ben").ProbeWhole(ctx, 1)
	if failure, ok := err.(*stream.Failure); !ok || failure.Reject == nil || failure.Reject.Code != packet.BadRequest {
		t.Errorf("paused: %+v", err)
	}
	w.Check()
}

// Of fifty packets at once those that fit pass, and no other; so do packets and
// charges together.
func TestPacketsAtOnce(t *testing.T) {
	for _, charges := range []int{0, 25} {
		w := newWallet(t)
		ann := w.Person("ann", usd, "1000")
		w.Person("ben", usd, "")
		id := w.Agree(ann, "Shop", ledger.Amount{Value: 1099, Asset: usd}, "R/P1M")
		ctx := context.Background()
		var all sync.WaitGroup
		var passed atomic.Int64
		for i := range 50 {
			all.Go(func() {
				if i < charges {
					c, err := w.Payments.Charge(ctx, asked(id, fmt.Sprint(i), benPointer, "100", payments.FixedDebit))
					switch {
					case err == nil:
						w.Payments.Wait(ctx, c.ID)
						passed.Add(1)
					case problem.CodeOf(err) != problem.LimitExceeded:
						t.Error(err)
					}
					return
				}
				d := w.used(id, connect(t, w.Wallet, "ben"), 100)
				switch err := w.Books.Deliver(ctx, d); {
				case err == nil:
					passed.Add(1)
				case !errors.Is(err, connector.ErrAllowance):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := passed.Load(); n != 10 {
			t.Errorf("%d of %d charges and the rest packets passed", n, charges)
		}
		wantUsed(t, w.Wallet, w.Interval(id), 1000)
		if got := w.Has(ann); got != "990.00 USD" {
			t.Errorf("Ann has %s", got)
		}
		w.Check()
	}
}
