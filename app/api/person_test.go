package api_test

import (
	"testing"

	"pochi/app/payments"

	"github.com/google/go-cmp/cmp"
)

func TestListAccounts(t *testing.T) {
	got := do(t, options(), "GET", "/api/accounts", bearer("accounts"))
	want := map[string]any{
		"accounts": []any{map[string]any{
			"id": annsAccount.String(), "name": "Everyday", "available": shown("1200"), "reserved": shown("0"), "paymentPointers": []any{},
		}},
		"pagination": map[string]any{},
	}
	if diff := cmp.Diff(want, got.Body); diff != "" || got.Status != 200 {
		t.Error(got.Status, diff)
	}
}

func TestListTransactions(t *testing.T) {
	opts := options()
	got := do(t, opts, "GET", "/api/transactions?limit=2&before=abc&account="+annsAccount.String(), bearer("accounts"))
	line := func(of map[string]any) map[string]any {
		of["accountId"], of["createdAt"] = annsAccount.String(), "2026-01-31T12:00:00Z"
		return of
	}
	want := map[string]any{
		"transactions": []any{
			line(map[string]any{"id": sold.String(), "direction": "out", "amount": shown("500"), "state": "partial",
				"app": "The shop", "agreementId": shopping.String(), "with": map[string]any{"name": "The shop", "paymentPointer": "$shop.example/pay"}}),
			line(map[string]any{"id": id(8).String(), "direction": "in", "amount": shown("700"), "state": "delivered", "paidTo": "$wallet.example/ann",
				"incomingPaymentId": asked.String(), "with": map[string]any{"name": "Ben", "paymentPointer": "$wallet.example/ben"}}),
			line(map[string]any{"id": id(9).String(), "direction": "in", "amount": shown("900"), "state": "delivered", "with": map[string]any{"name": "Test money"}}),
			line(map[string]any{"id": id(10).String(), "direction": "out", "amount": shown("1"), "state": "pending", "with": map[string]any{}}),
		},
		"pagination": map[string]any{"next": "older"},
	}
	if diff := cmp.Diff(want, got.Body); diff != "" || got.Status != 200 {
		t.Error(got.Status, diff)
	}
	asked := opts.History.(*historyFake).filter
	if diff := cmp.Diff(payments.Filter{UserID: ann(), AccountID: annsAccount, Before: "abc", Limit: 2}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestBadQueries(t *testing.T) {
	for query, want := range map[string]struct {
		status int
		field  any
	}{
		"?limit=0":                      {400, "limit"},
		"?limit=101":                    {400, "limit"},
		"?limit=+5":                     {400, "limit"},
		"?limit=":                       {400, "limit"},
		"?limit=5&limit=6":              {400, "limit"},
		"?before=":                      {400, "before"},
		"?before=a%20b":                 {400, "before"},
		"?account=x":                    {400, "account"},
		"?account=" + shopping.String(): {404, nil},
		"?userId=" + gone().String():    {400, "userId"},
		"?Limit=5":                      {400, "Limit"},
		"?account=" + annsAccount.String() + "%00": {400, "account"},
	} {
		got := do(t, options(), "GET", "/api/transactions"+query, bearer("accounts"))
		if got.Status != want.status || got.Body["field"] != want.field {
			t.Errorf("%s: %d %v", query, got.Status, got.Body)
		}
	}
}
