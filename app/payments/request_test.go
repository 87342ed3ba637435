package payments_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/ledger"

	"github.com/google/uuid"
)

// request asks for an amount in somebody's account, as they type it; "" for whatever
// is paid.
func (w *wallet) request(of person, amount, description string) payments.Request {
	w.t.Helper()
	r, err := w.Payments.CreateRequest(context.Background(), w.terms(of, amount, description))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *wallet) terms(of person, amount, description string) payments.RequestTerms {
	w.t.Helper()
	ctx := context.Background()
	t := payments.RequestTerms{UserID: of.ID, AccountID: of.Account, Description: description}
	if amount != "" {
		a, err := w.Accounts.Find(ctx, of.ID, of.Account)
		if err != nil {
			w.t.Fatal(err)
		}
		if t.Amount, err = ledger.ParseAmount(amount, a.Asset()); err != nil {
			w.t.Fatal(err)
		}
	}
	return t
}

// found is a request as it is now.
func (w *wallet) found(id uuid.UUID) payments.Request {
	w.t.Helper()
	r, err := w.Payments.FindRequest(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// address is where a request is paid.
func (w *wallet) address(r payments.Request) string {
	return "http://" + w.Host + "/requests/" + r.ID.String()
}

// Who pays a request needn't say how much: what it asks for is filled in. It is
// credited at once, and the owner's history says what it was for.
func TestRequest(t *testing.T) {
	ctx := context.Background()
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", eur, "")
	r := w.request(ben, "25.00", "  Dinner on\nFriday ")
	if r.State != payments.RequestOpen || r.Description != "Dinner on Friday" || r.PersonName != "ben" || r.Left().String() != "25.00 EUR" ||
		r.Most.String() != "25.25 EUR" {
		t.Errorf("%+v", r)
	}
	q := w.Quote(ann, w.address(r), "", payments.FixedDebit)
	if q.ReceiveAmount.Value < 25_00 || q.ReceiveAmount.Value > 25_01 || q.ReceiverName != "ben" || q.Fixed != payments.FixedReceive {
		t.Errorf("%+v", q)
	}
	if p := w.Confirm(ann, q); p.State != payments.Completed {
		t.Errorf("%s: %s", p.State, p.Reason)
	}
	if r = w.found(r.ID); r.State != payments.RequestCompleted || r.Received != q.ReceiveAmount || r.Left().Value != 0 {
		t.Errorf("%+v", r)
	}
	lines, _, err := w.Payments.History(ctx, payments.Filter{UserID: ben.ID, Limit: 10})
	if err != nil || len(lines) != 1 || lines[0].Description != "Dinner on Friday" || lines[0].RequestID != r.ID || lines[0].Who != "ann" {
		t.Errorf("%+v, %v", lines, err)
	}
	in, err := w.Payments.FindIncoming(ctx, ben.ID, q.ID)
	if err != nil || in.Description != "Dinner on Friday" || in.RequestID != r.ID {
		t.Errorf("%+v, %v", in, err)
	}
	paid, _, err := w.Payments.RequestPayments(ctx, ben.ID, r.ID, "", 10)
	if err != nil || len(paid) != 1 || paid[0].ID != q.ID {
		t.Errorf("%+v, %v", paid, err)
	}
	if paid, _, err := w.Payments.RequestPayments(ctx, ann.ID, r.ID, "", 10); err != nil || len(paid) != 0 {
		t.Errorf("Ann sees %+v, %v", paid, err)
	}
	w.Check()
}

// A request that can't be paid any more says why before anybody is asked to confirm.
func TestRequestsThatCannotBePaid(t *testing.T) {
	ctx := context.Background()
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", usd, "")
	paid, cancelled, lasting := w.request(ben, "5", ""), w.request(ben, "5", ""), w.request(ben, "5", "")
	terms := w.terms(ben, "5", "")
	terms.ExpiresAt = w.Clock.Now().Add(time.Hour)
	expired, err := w.Payments.CreateRequest(ctx, terms)
	if err != nil {
		t.Fatal(err)
	}
	late := w.Quote(ann, w.address(expired), "", payments.FixedDebit)
	w.Confirm(ann, w.Quote(ann, w.address(paid), "", payments.FixedDebit))
	if err := w.Payments.CancelRequest(ctx, ben.ID, cancelled.ID); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Minute)
	if err := w.Payments.CancelRequest(ctx, ben.ID, cancelled.ID); err != nil {
		t.Errorf("cancelled again: %v", err)
	}
	if err := w.Payments.CancelRequest(ctx, ann.ID, lasting.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("Ann cancels Ben's: %v", err)
	}
	if err := w.Payments.CancelRequest(ctx, ben.ID, paid.ID); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("cancelled after it was paid: %v", err)
	}
	w.Clock.Advance(time.Hour)
	for _, c := range []struct {
		to, says string
	}{
		{w.address(paid), "This request has been paid."},
		{w.address(expired), "This request has expired."},
		{w.address(cancelled), "This request was cancelled."},
		{w.address(payments.Request{ID: uuid.Must(uuid.NewV7())}), "There is no such payment request."},
		{strings.ToUpper(w.address(lasting)), ""},
	} {
		_, err := w.Payments.Resolve(ctx, c.to)
		if problem.CodeOf(err) != problem.Invalid || c.says != "" && problem.MessageOf(err) != c.says {
			t.Errorf("%s: %v", c.to, err)
		}
	}
	if _, err := w.Payments.OfferRequest(w.found(expired.ID)); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("an expired request offers: %v", err)
	}
	if _, err := w.Payments.Confirm(ctx, ann.ID, late.ID); problem.CodeOf(err) != problem.Gone {
		t.Errorf("confirmed late: %v", err)
	}
	if got := w.Has(ben); got != "5.00 USD" {
		t.Errorf("Ben has %s", got)
	}
	w.Check()
}

// What isn't asked for in an amount takes whatever is paid, by many, until it is
// cancelled.
func TestRequestForAnyAmount(t *testing.T) {
	ctx := context.Background()
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", usd, "")
	terms := payments.RequestTerms{UserID: ben.ID, Description: "Tips"}
	r, err := w.Payments.CreateRequest(ctx, terms)
	if err != nil || r.AccountID != ben.Account || r.Asset() != usd {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, amount := range []string{"3", "4"} {
		w.Confirm(ann, w.Quote(ann, w.address(r), amount, payments.FixedDebit))
	}
	if _, err := w.Payments.Quote(ctx, ann.ID, payments.QuoteRequest{AccountID: ann.Account, To: w.address(r)}); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("nobody said how much: %v", err)
	}
	if r = w.found(r.ID); r.State != payments.RequestOpen || r.Received.String() != "7.00 USD" {
		t.Errorf("%+v", r)
	}
	list, next, err := w.Payments.Requests(ctx, payments.RequestFilter{UserID: ben.ID, Limit: 1})
	if err != nil || len(list) != 1 || next != "" || list[0] != r {
		t.Errorf("%+v, %q, %v", list, next, err)
	}
	w.Check()
}

// What is wrong with the terms is said beside the field.
func TestRequestTermsAreChecked(t *testing.T) {
	ctx := context.Background()
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, ""), w.Person("ben", eur, "")
	for field, change := range map[string]func(*payments.RequestTerms){
		"account":     func(t *payments.RequestTerms) { t.AccountID = ben.Account },
		"amount":      func(t *payments.RequestTerms) { t.Amount = ledger.Amount{Value: 5, Asset: eur} },
		"description": func(t *payments.RequestTerms) { t.Description = strings.Repeat("é", 201) },
		"expires":     func(t *payments.RequestTerms) { t.ExpiresAt = w.Clock.Now() },
	} {
		terms := w.terms(ann, "1", strings.Repeat("é", 200))
		change(&terms)
		_, err := w.Payments.CreateRequest(ctx, terms)
		if fields := problem.Fields(err); len(fields) != 1 || fields[field] == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	hidden := w.terms(ann, "1", "\u202eevil")
	if _, err := w.Payments.CreateRequest(ctx, hidden); problem.Fields(err)["description"] == "" {
		t.Errorf("text that changes direction: %v", err)
	}
}
