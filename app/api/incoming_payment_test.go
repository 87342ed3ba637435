package api_test

import (
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/app/problem"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

const incomingURL = "/api/incoming-payments"

func TestRequestPayment(t *testing.T) {
	fake := &requestsFake{}
	opts := options()
	opts.Requests = fake
	app, _ := serve(opts)
	got := send(t, app, "POST", incomingURL, bearer("requests"), `{"accountId": "`+annsAccount.String()+`", "description": "Lunch",
		"incomingAmount": {"value": "900", "assetCode": "EUR", "assetScale": 2}, "expiresAt": "2026-02-01T13:00:00+01:00"}`)
	if got.Status != 201 || got.header.Get("Location") != incomingURL+"/"+asked.String() {
		t.Errorf("%d at %q", got.Status, got.header.Get("Location"))
	}
	want := payments.RequestTerms{
		UserID: ann(), AccountID: annsAccount, Amount: euros(900), Description: "Lunch", ExpiresAt: time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC), ClientID: "shop",
	}
	if diff := cmp.Diff(want, fake.terms); diff != "" {
		t.Error(diff)
	}
	got = send(t, app, "POST", incomingURL, bearer("requests"), "{}")
	if diff := cmp.Diff(payments.RequestTerms{UserID: ann(), ClientID: "shop"}, fake.terms); diff != "" || got.Status != 201 || got.Body["incomingAmount"] != nil {
		t.Errorf("whatever is paid: %d %v %s", got.Status, got.Body, diff)
	}
}

// An app sees what it has asked for itself, and what came of it.
func TestShowIncomingPayment(t *testing.T) {
	want := map[string]any{
		"id": asked.String(), "url": "https://wallet.example/requests/" + asked.String(), "state": "open", "description": "Lunch",
		"incomingAmount": shown("900"), "receivedAmount": shown("100"), "createdAt": "2026-01-31T12:00:00Z", "expiresAt": "2026-02-01T12:00:00Z",
	}
	got := do(t, options(), "GET", incomingURL+"/"+asked.String(), bearer("requests"))
	if diff := cmp.Diff(want, got.Body); diff != "" || got.Status != 200 {
		t.Error(got.Status, diff)
	}
	for _, other := range []string{annsOwn.String(), uuid.NewString(), "x"} {
		if got := do(t, options(), "GET", incomingURL+"/"+other, bearer("requests")); got.Status != 404 {
			t.Errorf("%s: %d %v", other, got.Status, got.Body)
		}
	}
	opts := options()
	list := do(t, opts, "GET", incomingURL+"?limit=1", bearer("requests"))
	if diff := cmp.Diff(map[string]any{"incomingPayments": []any{want}, "pagination": map[string]any{"next": "older"}}, list.Body); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(payments.RequestFilter{UserID: ann(), ClientID: "shop", Limit: 1}, opts.Requests.(*requestsFake).seen); diff != "" {
		t.Error(diff)
	}
}

func TestBadIncomingPayments(t *testing.T) {
	for body, field := range map[string]any{
		`{"accountId": "x"}`:                       "accountId",
		`{"accountId": 1}`:                         "accountId",
		`{"incomingAmount": "9"}`:                  "incomingAmount",
		`{"description": null}`:                    "description",
		`{"expiresAt": "tomorrow"}`:                "expiresAt",
		`{"expiresAt": 1}`:                         "expiresAt",
		`{"receivedAmount": {}}`:                   "receivedAmount",
		`{"description": "a", "description": "b"}`: "description",
	} {
		fake := &requestsFake{}
		opts := options()
		opts.Requests = fake
		app, _ := serve(opts)
		if got := send(t, app, "POST", incomingURL, bearer("requests"), body); got.Status != 400 || got.Body["field"] != field || fake.made.Load() > 0 {
			t.Errorf("%s: %d %v", body, got.Status, got.Body)
		}
	}
	for field, want := range map[string]string{"account": "accountId", "amount": "incomingAmount", "description": "description", "expires": "expiresAt"} {
		opts := options()
		opts.Requests = &requestsFake{err: problem.Errors{problem.Field(field, "It isn't right.")}}
		app, _ := serve(opts)
		if got := send(t, app, "POST", incomingURL, bearer("requests"), "{}"); got.Status != 422 || got.Body["field"] != want {
			t.Errorf("%s: %d %v", field, got.Status, got.Body)
		}
	}
}
