package payments_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/app/rates"
	"pochi/ilp/packet"
)

// setRate sets a rate for a day.
func (w *wallet) setRate(from, to, rate string) {
	w.t.Helper()
	_, err := w.Rates.Set(context.Background(), rates.Change{From: from, To: to, Rate: rate, Valid: 24 * time.Hour})
	if err != nil {
		w.t.Fatal(err)
	}
}

// A rate that is set holds for the next quote and, of the earlier ones, for
// those that it keeps the promise of: the others fail.
func TestOldQuotesKeepTheirMinimum(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", eur, "")
	high := w.Quote(ann, benPointer, "10", payments.FixedDebit) // brings 9.13
	w.setRate("USD", "EUR", "0.9")
	low := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	if low.ReceiveAmount.String() != "9.00 EUR" || low.Rate != "1 USD = 0.9 EUR" {
		t.Errorf("quoted %s at %q", low.ReceiveAmount, low.Rate)
	}
	if p := w.Confirm(ann, high); p.State != payments.Failed || p.SentAmount.Value != 0 || p.DeliveredAmount.Value != 0 || p.Reason == "" {
		t.Errorf("less would have arrived than was promised: %+v", p)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "100.00 USD" || b != "0.00 EUR" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.setRate("USD", "EUR", "0.95")
	if p := w.Confirm(ann, low); p.State != payments.Completed || p.DeliveredAmount.String() != "9.50 EUR" || p.Rate != "1 USD = 0.9 EUR" {
		t.Errorf("more arrives than was promised: %+v", p)
	}
	w.Check()
}

// Of a payment on its way the next packet already is exchanged at the new rate.
func TestRateChangesWithinAPayment(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "1000"), w.Person("ben", eur, "")
	w.far("ben", 1000)
	q := w.Quote(ann, farPointer, "500", payments.FixedDebit)
	var once sync.Once
	w.Links.Between(func(p packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		if p.Amount > 1000 {
			j := packet.NewReject(packet.TooLarge, "test.far", "too large")
			j.Data = packet.AmountTooLarge{Received: p.Amount, Maximum: 1000}.Append(nil)
			return j, nil
		}
		reply, err := next()
		if _, fulfilled := reply.(*packet.Fulfill); fulfilled && p.Amount > 0 {
			once.Do(func() { w.setRate("USD", "EUR", "0.5") })
		}
		return reply, err
	})
	p := w.Confirm(ann, q)
	promised := p.SentAmount.Value * q.ReceiveAmount.Value / q.DebitAmount.Value
	if p.State != payments.Failed || p.SentAmount.Value == 0 || p.DeliveredAmount.Value < promised {
		t.Errorf("payment %+v", p)
	}
	if got := w.Has(ben); got != p.DeliveredAmount.String() {
		t.Errorf("Ben has %s of %s", got, p.DeliveredAmount)
	}
	w.Check()
}

// A rate that is too old is said to be.
func TestQuoteAtAStaleRate(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	w.Person("ben", eur, "")
	w.Person("cho", usd, "")
	w.setRate("USD", "EUR", "0.9")
	w.Clock.Advance(24 * time.Hour)
	for _, fixed := range []payments.Fixed{payments.FixedDebit, payments.FixedReceive} {
		_, err := w.Payments.Quote(context.Background(), ann.ID, payments.QuoteRequest{
			AccountID: ann.Account, To: benPointer, Amount: "10", Fixed: fixed,
		})
		if got := problem.Fields(err)["to"]; got != "This wallet's exchange rate from USD to EUR is out of date. Try again later." {
			t.Errorf("%s: %v", fixed, err)
		}
	}
	w.Quote(ann, "$localhost:3000/cho", "10", payments.FixedDebit)
	w.setRate("USD", "EUR", "0.9")
	w.Quote(ann, benPointer, "10", payments.FixedDebit)
}

// What others on the way to another wallet make of it can't be judged by a rate
// that is too old.
func TestQuoteElsewhereAtAStaleRate(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	w.Person("ben", eur, "")
	w.setRate("USD", "EUR", "0.9")
	w.far("ben", 1_000_000)
	w.Clock.Advance(24 * time.Hour)
	w.Links.Between(func(_ packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		w.Clock.Advance(-time.Minute) // their rate is still good
		defer w.Clock.Advance(time.Minute)
		return next()
	})
	_, err := w.Payments.Quote(context.Background(), ann.ID, payments.QuoteRequest{
		AccountID: ann.Account, To: farPointer, Amount: "10", Fixed: payments.FixedDebit,
	})
	if got := problem.Fields(err)["to"]; got != "This wallet's exchange rate from USD to EUR is out of date. Try again later." {
		t.Errorf("%v", err)
	}
}

// Between a quote and its payment a rate can become too old.
func TestPaymentAtAStaleRate(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", eur, "")
	w.setRate("USD", "EUR", "0.9")
	w.Clock.Advance(24*time.Hour - time.Minute)
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	w.Clock.Advance(time.Minute)
	if p := w.Confirm(ann, q); p.State != payments.Failed || p.SentAmount.Value != 0 || p.Reason != "The exchange rate from USD to EUR is out of date. Try again later." {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "100.00 USD" || b != "0.00 EUR" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}
