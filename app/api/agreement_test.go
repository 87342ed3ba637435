package api_test

import (
	"errors"
	"strings"
	"testing"

	"pochi/app/agreements"
	"pochi/app/problem"

	"github.com/google/go-cmp/cmp"
)

func shown(cents string) map[string]any {
	return map[string]any{"value": cents, "assetCode": "EUR", "assetScale": 2.0}
}

// An app sees its agreement as it was granted, what is left of it, and where to
// send packets.
func TestShowAgreement(t *testing.T) {
	want := map[string]any{
		"id": shopping.String(), "state": "active", "description": "Vegetables", "amount": shown("2000"),
		"interval": "R/2026-01-31T00:00:00Z/P1M", "intervalWords": "every month", "receivers": []any{},
		"used": shown("500"), "left": shown("1500"), "renewsAt": "2026-02-28T12:00:00Z",
		"ilp":       map[string]any{"url": "https://ilp.wallet.example/ilp/agreements/" + shopping.String()},
		"createdAt": "2026-01-31T12:00:00Z",
	}
	got := do(t, options(), "GET", "/api/agreements/"+shopping.String(), bearer("agreement"))
	if diff := cmp.Diff(want, got.Body); diff != "" || got.Status != 200 {
		t.Error(got.Status, diff)
	}
	list := do(t, options(), "GET", "/api/agreements", bearer("agreement"))
	if diff := cmp.Diff(map[string]any{"agreements": []any{want}, "pagination": map[string]any{}}, list.Body); diff != "" {
		t.Error(diff)
	}
}

// Where only charges may be made, no address for packets is given.
func TestAgreementsWithoutPackets(t *testing.T) {
	for name, terms := range map[string]agreements.Terms{
		"a cap":     {Amount: euros(2000), PaymentMax: 500},
		"receivers": {Amount: euros(2000), Receivers: []string{"$shop.example/pay"}},
	} {
		opts := options()
		opts.Agreements = &agreementsFake{terms: terms}
		if got := do(t, opts, "GET", "/api/agreements/"+shopping.String(), bearer("agreement")); got.Status != 200 || got.Body["ilp"] != nil {
			t.Errorf("%s: %d %v", name, got.Status, got.Body)
		}
	}
	opts := options()
	opts.PacketsURL = ""
	if got := do(t, opts, "GET", "/api/agreements/"+shopping.String(), bearer("agreement")); got.Body["ilp"] != nil {
		t.Errorf("nobody can reach the listener: %v", got.Body)
	}
}

// What an agreement that has ended still says depends on nobody's balance.
func TestAgreementWithoutUsage(t *testing.T) {
	opts := options()
	opts.Agreements = &agreementsFake{usage: problem.New(problem.Forbidden, "It has ended.")}
	if got := do(t, opts, "GET", "/api/agreements/"+over.String(), bearer("over")); got.Status != 200 || got.Body["state"] != "revoked" || got.Body["left"] != nil {
		t.Errorf("%d %v", got.Status, got.Body)
	}
	opts.Agreements = &agreementsFake{usage: errors.New("disk")}
	if got := do(t, opts, "GET", "/api/agreements/"+over.String(), bearer("over")); got.Status != 500 {
		t.Errorf("%d %v", got.Status, got.Body)
	}
}

func TestGiveUpAgreement(t *testing.T) {
	opts := options()
	if got := do(t, opts, "DELETE", "/api/agreements/"+shopping.String(), bearer("agreement")); got.Status != 204 {
		t.Errorf("%d %v", got.Status, got.Body)
	}
	if n := opts.Agreements.(*agreementsFake).changes.Load(); n != 1 {
		t.Errorf("given up %d times", n)
	}
	if got := do(t, opts, "DELETE", "/api/agreements/"+over.String(), bearer("over")); got.Status != 204 {
		t.Errorf("again: %d %v", got.Status, got.Body)
	}
	if n := opts.Agreements.(*agreementsFake).changes.Load(); n != 1 {
		t.Error("what has ended was given up")
	}
}

// An app can put the answer into its authorization request.
func TestProposeAgreement(t *testing.T) {
	app, _ := serve(options())
	got := send(t, app, "POST", "/api/agreements", bearer("service"), `{"description": "Vegetables"}`)
	details := []any{map[string]any{"type": "agreement", "id": shopping.String()}}
	if diff := cmp.Diff(details, got.Body["authorizationDetails"]); diff != "" || got.Status != 201 {
		t.Errorf("%d %v", got.Status, got.Body)
	}
	if got.Body["state"] != "pending" || got.Body["paymentMax"] != "500" || got.Body["intervalWords"] != "once" {
		t.Errorf("%v", got.Body)
	}
	for body, want := range map[string]int{
		`{"wrong":1}`: 422, `{"a":1,"a":2}`: 400, `{"amount":{"value":"1","value":"2"}}`: 400, `[]`: 400, `{} {}`: 400,
		`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`: 400,
	} {
		if got := send(t, app, "POST", "/api/agreements", bearer("service"), body); got.Status != want {
			t.Errorf("%s: %d %v", body, got.Status, got.Body)
		}
	}
}

// An app that was deleted can't go on with a token that it still has.
func TestProposeAsADeletedApp(t *testing.T) {
	opts := options()
	deleted := token("rival", "agreements:propose")
	deleted.ClientID = "rival"
	opts.Tokens.(tokens).known["deleted"] = deleted
	app, _ := serve(opts)
	if got := send(t, app, "POST", "/api/agreements", bearer("deleted"), `{}`); got.Status != 401 || opts.Agreements.(*agreementsFake).changes.Load() > 0 {
		t.Errorf("%d %v", got.Status, got.Body)
	}
}
