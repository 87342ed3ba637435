package payments_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/ilp/packet"
	"pochi/ilp/spsp"
)

const farPointer = "$wallet.example/ben"

// far makes farPointer lead to somebody of this wallet, as if it were another:
// over a path that takes packets up to limit.
func (w *wallet) far(name string, limit uint64) {
	w.t.Helper()
	payee, err := w.Accounts.PayeeByName(context.Background(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Elsewhere.Answer = func() (spsp.Details, error) { return w.Payments.Offer(payee) }
	w.Links.Between(func(p packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		if p.Amount <= limit {
			return next()
		}
		j := packet.NewReject(packet.TooLarge, "test.far", "too large")
		j.Data = packet.AmountTooLarge{Received: p.Amount, Maximum: limit}.Append(nil)
		return j, nil
	})
}

// A payment over a path that takes small packets goes in many at once. The
// quote has the worst rounding in it: no less arrives than it says.
func TestPaymentInManyPackets(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "1000"), w.Person("ben", eur, "")
	w.far("ben", 1000)
	q := w.Quote(ann, farPointer, "500", payments.FixedDebit)
	// 50 packets of 10.00 bring 9.13 each, 456.50 in all; 100 might bring 0.99 less.
	if got := q.ReceiveAmount.String(); got != "455.51 EUR" {
		t.Errorf("quoted %s", got)
	}
	p := w.Confirm(ann, q)
	if p.State != payments.Completed || p.SentAmount != q.DebitAmount || p.DeliveredAmount.String() != "456.50 EUR" {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "500.00 USD" || b != "456.50 EUR" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

// What to send for a wanted amount is found with few questions, each of which is on
// the way while somebody waits.
func TestFixedReceiveAsksLittle(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "1000")
	w.Person("ben", eur, "")
	w.far("ben", 1_000_000)
	for _, to := range []string{benPointer, farPointer} {
		var asked atomic.Int64
		w.Links.Between(func(_ packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
			asked.Add(1)
			return next()
		})
		q := w.Quote(ann, to, "123.45", payments.FixedReceive)
		if n := asked.Load(); q.ReceiveAmount.String() != "123.45 EUR" || n > 10 {
			t.Errorf("to %s: %s → %s after %d packets", to, q.DebitAmount, q.ReceiveAmount, n)
		}
	}
}

// A path that comes to make more packets of a payment than were quoted for
// doesn't end it.
func TestPaymentInMorePacketsThanQuoted(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "1000")
	w.Person("ben", eur, "")
	w.far("ben", 1000)
	q := w.Quote(ann, farPointer, "500", payments.FixedDebit)
	w.far("ben", 500)
	if p := w.Confirm(ann, q); p.State != payments.Completed || p.DeliveredAmount.Value < q.ReceiveAmount.Value {
		t.Errorf("payment %+v", p)
	}
	w.Check()
}

// What arrived of a payment that a path breaks off half-way is what the sender
// paid for, and the rest is back.
func TestPaymentThatBreaksOff(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "1000")
	w.Person("ben", usd, "")
	w.far("ben", 1000)
	q := w.Quote(ann, farPointer, "500", payments.FixedDebit)
	var packets atomic.Int64
	w.Links.Between(func(p packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		if p.Amount > 1000 {
			j := packet.NewReject(packet.TooLarge, "test.far", "too large")
			j.Data = packet.AmountTooLarge{Received: p.Amount, Maximum: 1000}.Append(nil)
			return j, nil
		}
		if p.Amount > 0 && packets.Add(1) > 20 {
			return packet.NewReject(packet.Unreachable, "test.far", "gone"), nil
		}
		return next()
	})
	p := w.Confirm(ann, q)
	if p.State != payments.Failed || p.SentAmount.String() != "200.00 USD" || p.SentAmount != p.DeliveredAmount || p.Reason == "" {
		t.Errorf("payment %+v", p)
	}
	if a := w.Has(ann); a != "800.00 USD" {
		t.Errorf("Ann has %s", a)
	}
	w.Check()
}

// Hazard 24: whoever is on the way can't name the price.
func TestQuoteFarBelowTheRate(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "1000")
	w.Person("ben", eur, "")
	w.far("ben", 1_000_000)
	for keeps, fair := range map[uint64]bool{0: true, 10: true, 20: false, 500: false} {
		w.Links.Keep(keeps)
		for _, fixed := range []payments.Fixed{payments.FixedDebit, payments.FixedReceive} {
			_, err := w.Payments.Quote(context.Background(), ann.ID, payments.QuoteRequest{
				AccountID: ann.Account, To: farPointer, Amount: "100", Fixed: fixed,
			})
			if fair && err != nil || !fair && !strings.Contains(problem.MessageOf(err), "takes too much") {
				t.Errorf("a path that keeps %d of 1000, %s: %v", keeps, fixed, err)
			}
		}
	}
}
