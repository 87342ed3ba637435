package api_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/app/rates"

	"github.com/google/go-cmp/cmp"
)

func TestListPeers(t *testing.T) {
	got := do(t, options(), "GET", "/api/admin/peers", bearer("office"))
	if got.Status != 200 {
		t.Fatal(got.Status, got.Body)
	}
	ben := got.Body["peers"].([]any)[0].(map[string]any)
	if ben["name"] != "ben" || ben["owedByPeer"] != "5" || ben["owedToPeer"] != "0" || ben["creditLimit"] != "1152921504606846976" {
		t.Error(ben)
	}
	if _, there := ben["tokens"]; there {
		t.Errorf("tells of tokens: %v", ben)
	}
}

func TestListRates(t *testing.T) {
	got := do(t, options(), "GET", "/api/admin/rates", bearer("office"))
	want := map[string]any{"rates": []any{map[string]any{
		"from": "USD", "to": "EUR", "rate": "9/10", "spreadBps": 50.0, "effectiveRate": "1791/2000", "source": "admin",
		"setAt": "2026-01-31T12:00:00Z", "goodUntil": "2026-01-31T12:00:00Z", "stale": true, "renew": "USD EUR",
	}}}
	if diff := cmp.Diff(want, got.Body); diff != "" || got.Status != 200 {
		t.Error(got.Status, diff)
	}
}

// What is asked for arrives as it was written, with who asked.
func TestSetRate(t *testing.T) {
	for path, pair := range map[string][2]string{"USD/EUR": {"USD", "EUR"}, "A%3Fb/%252F%23": {"A?b", "%2F#"}} {
		opts := options()
		app, _ := serve(opts)
		got := send(t, app, "PUT", "/api/admin/rates/"+path, bearer("office"), rateText)
		office := opts.Office.(*officeFake)
		want := rates.Change{From: pair[0], To: pair[1], Rate: "9/10", SpreadBps: 50, Valid: 24 * time.Hour}
		if got.Status != 200 || office.client != "office" || office.change != want {
			t.Errorf("%d %v; %s asked for %+v", got.Status, got.Body, office.client, office.change)
		}
	}
}

func TestBadRates(t *testing.T) {
	for text, want := range map[string]struct {
		status int
		field  any
	}{
		"{}": {400, "rate"},
		`{"rate": 0.9, "spreadBps": 50, "valid": "24h"}`:                    {400, "rate"},
		`{"rate": "9/10", "valid": "24h"}`:                                  {400, "spreadBps"},
		`{"rate": "9/10", "spreadBps": 0.5, "valid": "24h"}`:                {400, "spreadBps"},
		`{"rate": "9/10", "spreadBps": 50, "valid": 24}`:                    {400, "valid"},
		`{"rate": "9/10", "spreadBps": 50, "valid": "a day"}`:               {422, "valid"},
		`{"rate": "9/10", "spreadBps": 50, "valid": "24h", "force": true}`:  {400, "force"},
		`{"rate": "9/10", "rate": "8/10", "spreadBps": 50, "valid": "24h"}`: {400, "rate"},
		"[]": {400, nil},
	} {
		opts := options()
		app, _ := serve(opts)
		got := send(t, app, "PUT", "/api/admin/rates/USD/EUR", bearer("office"), text)
		if got.Status != want.status || got.Body["field"] != want.field || opts.Office.(*officeFake).set.Load() > 0 {
			t.Errorf("%s: %d %v", text, got.Status, got.Body)
		}
	}
	for text, want := range map[string]string{
		`{"rate": "9/10", "valid": "24h"}`:                     "spreadBps is missing.",
		`{"rate": "9/10", "spreadBps": 10000, "valid": "24h"}`: "spreadBps must be a whole number from 0 to 9999.",
	} {
		app, _ := serve(options())
		if got := send(t, app, "PUT", "/api/admin/rates/USD/EUR", bearer("office"), text); got.Status != 400 || got.Body["detail"] != want {
			t.Errorf("%s: %d %v", text, got.Status, got.Body)
		}
	}
	opts := options()
	opts.Office = &officeFake{err: problem.Field("spreadBps", "The spread must be between 0 and 9999 basis points.")}
	app, _ := serve(opts)
	if got := send(t, app, "PUT", "/api/admin/rates/USD/EUR", bearer("office"), rateText); got.Status != 422 || got.Body["field"] != "spreadBps" {
		t.Errorf("%d %v", got.Status, got.Body)
	}
	if got := send(t, app, "GET", "/api/admin/rates?all=1", bearer("office"), ""); got.Status != 400 || got.Body["field"] != "all" {
		t.Errorf("%d %v", got.Status, got.Body)
	}
}

// Whose a client is can't always be told: then nobody is let through.
func TestOfficeWhileHydraIsDown(t *testing.T) {
	opts := options()
	opts.Clients = noClients{}
	app, _ := serve(opts)
	got := send(t, app, "PUT", "/api/admin/rates/USD/EUR", bearer("office"), rateText)
	if got.Status != 503 || opts.Office.(*officeFake).set.Load() > 0 || strings.Contains(got.Body["detail"].(string), "dial") {
		t.Errorf("%d %v", got.Status, got.Body)
	}
}

type noClients struct{}

func (noClients) FindClient(context.Context, string) (oauth.Client, error) {
	return oauth.Client{}, problem.New(problem.Unavailable, "Not possible right now.").Because(errors.New("dial"))
}
