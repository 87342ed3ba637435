package payments_test

import (
	"context"
	"testing"

	"pochi/app/agreements"
	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/ledger"
)

// An app pays a request as a charge, under an agreement that names only the pointer at
// which the request is paid; another person's request is somebody else.
func TestChargePaysARequest(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann, ben, cho := w.Person("ann", usd, "100"), w.Person("ben", eur, ""), w.Person("cho", eur, "")
	a, err := w.Agreements.Approve(ctx, agreements.Approval{
		UserID: ann.ID, AccountID: ann.Account, ClientID: "shop", App: "Shop", Amount: 50_00, Consent: [32]byte{1},
		Terms: agreements.Terms{Description: "Orders", Amount: ledger.Amount{Value: 50_00, Asset: usd}, Receivers: []string{benPointer}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, others := w.request(ben, "10", "Order 17"), w.request(cho, "10", "")
	if _, err := w.Payments.Charge(ctx, asked(a.ID, "cho", w.address(others), "1000", payments.FixedReceive)); problem.CodeOf(err) != problem.Forbidden {
		t.Errorf("another's request: %v", err)
	}
	if c := charge(t, w.Wallet, asked(a.ID, "ben", w.address(r), "1000", payments.FixedReceive)); c.State != payments.Completed || c.Delivered.String() != "10.00 EUR" {
		t.Errorf("%+v", c)
	}
	if got := w.found(r.ID); got.State != payments.RequestCompleted {
		t.Errorf("%+v", got)
	}
	if _, err := w.Payments.Charge(ctx, asked(a.ID, "again", w.address(r), "1000", payments.FixedReceive)); problem.MessageOf(err) != "This request has been paid." {
		t.Errorf("paid again: %v", err)
	}
	w.Check()
}

// Of two charges at once for one request one pays; what the other reserved is back.
func TestTwoChargesPayOneRequest(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", usd, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 50_00, Asset: usd}, "")
	r := w.request(ben, "10", "")
	first := w.Quote(ann, w.address(r), "10", payments.FixedDebit)
	paidFirst := false
	w.Writer.Between(func(next func() error) error { // the charge's packet comes just after another payment's
		if !paidFirst {
			paidFirst = true
			w.Confirm(ann, first)
		}
		return next()
	})
	c, err := w.Payments.Charge(ctx, asked(id, "k", w.address(r), "1000", payments.FixedDebit))
	if err != nil {
		t.Fatal(err)
	}
	w.Payments.Wait(ctx, c.ID)
	if c, err = w.Payments.FindCharge(ctx, id, c.ID); err != nil || c.State != payments.Failed || c.Spent.Value != 0 || c.Returned.Value != 10_00 {
		t.Errorf("%+v, %v", c, err)
	}
	if got := w.found(r.ID); got.Received.Value != 10_00 || w.Has(ann) != "90.00 USD" {
		t.Errorf("%+v; Ann has %s", got, w.Has(ann))
	}
	wantUsed(t, w.Wallet, w.Interval(id), 0)
	w.Check()
}
