package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pochi/app/api"
	"pochi/db"
	"pochi/ilp"
	"pochi/ledger"

	"github.com/google/uuid"
)

// An app charges, learns what became of it, and what is left.
func TestShopCharges(t *testing.T) {
	m := newMarket(t)
	got := m.charge("order-1", "1200")
	if got.Status != 201 || got.Body["state"] != "delivered" {
		t.Fatalf("%d %v", got.Status, got.Body)
	}
	location := got.Header.Get("Location")
	if again := m.charge("order-1", "1200"); again.Status != 200 || again.Body["id"] != got.Body["id"] {
		t.Errorf("again: %d %v", again.Status, again.Body)
	}
	if other := m.charge("order-1", "1201"); other.Status != 409 || other.Body["type"] != "urn:pochi:problem:idempotency_key_reused" {
		t.Errorf("another one: %d %v", other.Status, other.Body)
	}
	if too := m.charge("order-2", "3801"); too.Status != 422 || too.Body["type"] != "urn:pochi:problem:limit_exceeded" {
		t.Errorf("too much: %d %v", too.Status, too.Body)
	}
	if shown := m.ask("GET", location, "shop's", ""); shown.Status != 200 || shown.Body["id"] != got.Body["id"] {
		t.Errorf("%d %v", shown.Status, shown.Body)
	}
	if list := m.ask("GET", m.chargesPath(), "shop's", ""); list.Status != 200 || len(list.Body["charges"].([]any)) != 1 {
		t.Errorf("%d %v", list.Status, list.Body)
	}
	granted := m.ask("GET", "/api/agreements", "shop's", "").Body["agreements"].([]any)[0].(map[string]any)
	if left := granted["left"].(map[string]any)["value"]; left != "3800" || granted["ilp"].(map[string]any)["url"] != m.packetsURL() {
		t.Errorf("%v", granted)
	}
	if m.has(m.ann) != personHas-12_00 || m.has(m.ben) != personHas+12_00 {
		t.Errorf("Ann has %d, Ben %d", m.has(m.ann), m.has(m.ben))
	}
	m.atRest()
}

// One order that is sent many times at once is one charge.
func TestShopSendsOneOrderManyTimes(t *testing.T) {
	m := newMarket(t)
	ids := make(chan any, 20)
	var wait sync.WaitGroup
	for range cap(ids) {
		wait.Go(func() {
			got := m.charge("order", "700")
			if got.Status != 200 && got.Status != 201 && got.Status != 202 {
				t.Errorf("%d %v", got.Status, got.Body)
			}
			ids <- got.Body["id"]
		})
	}
	wait.Wait()
	close(ids)
	different := map[any]bool{}
	for id := range ids {
		different[id] = true
	}
	if len(different) != 1 || m.has(m.ben) != personHas+7_00 {
		t.Errorf("%d charges, Ben has %d", len(different), m.has(m.ben))
	}
}

// Fifty charges at once against a limit that fits ten: ten.
func TestShopChargesAtOnce(t *testing.T) {
	m := newMarket(t)
	statuses := make(chan int, 50)
	var wait sync.WaitGroup
	for n := range cap(statuses) {
		wait.Go(func() { statuses <- m.charge(fmt.Sprint("order-", n), "500").Status })
	}
	wait.Wait()
	close(statuses)
	counts := map[int]int{}
	for status := range statuses {
		counts[status]++
	}
	if counts[422]+counts[429] != 40 || counts[201]+counts[202] != 10 {
		t.Errorf("%v", counts)
	}
	await(t, "ten charges", func() bool { balance, _ := m.balance(m.ben.Account); return balance == personHas+50_00 })
	m.atRest()
}

// Whatever is wrong with a token, no route of the document lets it through, and
// nothing at all is written.
func TestWrongTokensMoveNothing(t *testing.T) {
	m := newMarket(t)
	own := m.accessToken(m.agreement.ID)
	with := func(changes map[string]any) map[string]any {
		about := maps.Clone(own)
		maps.Copy(about, changes)
		return about
	}
	const all = "openid profile accounts:read transactions:read payments:request agreements:propose admin:read admin:write"
	wrong := map[string]map[string]any{
		"inactive":                       with(map[string]any{"active": false}),
		"expired":                        with(map[string]any{"exp": time.Now().Add(-time.Second).Unix()}),
		"a refresh token":                with(map[string]any{"token_use": "refresh_token"}),
		"another audience":               with(map[string]any{"aud": []string{"https://other.example"}}),
		"no audience":                    with(map[string]any{"aud": []string{}}),
		"another client's":               with(map[string]any{"client_id": rivalClient}),
		"another person's":               with(map[string]any{"sub": m.ben.ID.String()}),
		"nobody's":                       with(map[string]any{"sub": uuid.NewString()}),
		"for an agreement that isn't":    with(map[string]any{"ext": map[string]any{"agreement": uuid.NewString()}}),
		"for what is no agreement":       with(map[string]any{"ext": map[string]any{"agreement": "x"}}),
		"the scope without an agreement": with(map[string]any{"ext": nil}),
		"an agreement without the scope": with(map[string]any{"scope": all}),
		"no scope":                       with(map[string]any{"scope": "", "ext": nil}),
		"admin scopes on a person's":     with(map[string]any{"scope": "admin:read admin:write", "ext": nil}),
		"an app's own without a scope":   with(map[string]any{"sub": shopClient, "scope": "", "ext": nil}),
	}
	refusedOnly := func(name, token string) {
		t.Helper()
		for _, r := range routes(t) {
			before := m.db.Writer.Seq()
			got := m.ask(r.method, strings.NewReplacer("{id}", m.agreement.ID.String(), "{charge}", uuid.NewString(), "{payment}", uuid.NewString()).Replace(r.path), token,
				map[bool]string{true: m.order("ben", "100")}[r.method == "POST"], "Idempotency-Key", "wrong")
			if !slices.Contains([]int{401, 403, 404}, got.Status) || got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s at %s %s: %d %v", name, r.method, r.path, got.Status, got.Body)
			}
			if m.db.Writer.Seq() != before {
				t.Errorf("%s at %s %s: something was written", name, r.method, r.path)
			}
		}
	}
	refusedOnly("none", "")
	refusedOnly("unknown", "x")
	for name, about := range wrong {
		token := strings.ReplaceAll(name, " ", "_")
		m.hydra.give(token, about)
		refusedOnly(name, token)
	}
	m.hydra.give("person's", with(map[string]any{"scope": all, "ext": nil}))
	m.hydra.give("app's", with(map[string]any{"sub": shopClient, "scope": all, "ext": nil}))
	for token, foreign := range map[string][]string{
		"person's": {"POST /api/agreements", "GET " + m.chargesPath(), "POST " + m.chargesPath(), "DELETE /api/agreements/" + m.agreement.ID.String(),
			"GET /api/admin/peers", "PUT /api/admin/rates/USD/EUR"},
		"app's": {"GET /api/me", "GET /api/accounts", "GET /api/transactions", "GET /api/agreements", "POST " + m.chargesPath(),
			"GET /api/admin/peers", "GET /api/admin/rates", "PUT /api/admin/rates/USD/EUR"},
		"shop's": {"GET /api/accounts", "GET /api/transactions", "POST /api/agreements"},
	} {
		for _, route := range foreign {
			method, path, _ := strings.Cut(route, " ")
			if got := m.ask(method, path, token, map[bool]string{true: m.order("ben", "100")}[method == "POST"], "Idempotency-Key", "wrong"); got.Status != 403 {
				t.Errorf("the %s token at %s: %d %v", token, route, got.Status, got.Body)
			}
		}
	}
	if m.has(m.ann) != personHas || m.has(m.ben) != personHas {
		t.Errorf("Ann has %d, Ben %d", m.has(m.ann), m.has(m.ben))
	}
	m.atRest()
}

type route struct{ method, path string }

// routes are those of the document that need a token.
func routes(t *testing.T) (all []route) {
	t.Helper()
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(api.Document(), &document); err != nil {
		t.Fatal(err)
	}
	for path, operations := range document.Paths {
		for method := range operations {
			if method != "parameters" && path != "/openapi.json" {
				all = append(all, route{strings.ToUpper(method), api.Prefix + path})
			}
		}
	}
	return all
}

// An app that Hydra knows and the wallet doesn't, or not any more, is told so, wherever
// it comes with its token.
func TestTokensOfUnknownApps(t *testing.T) {
	forget := map[string]func(m *market) error{
		"unknown": func(m *market) error {
			return m.db.Write(t.Context(), func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), "DELETE FROM apps")
				return err
			})
		},
		"deleted": func(m *market) error {
			m.hydra.down.Store(true) // Hydra doesn't come to know
			defer m.hydra.down.Store(false)
			return m.server.apps.Delete(t.Context(), m.ben.ID, shopClient)
		},
	}
	says := map[string]string{"unknown": "This wallet doesn't know the app.", "deleted": "The app was deleted."}
	for name, forget := range forget {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t)
			own := m.accessToken(uuid.Nil)
			own["sub"], own["scope"], own["ext"] = shopClient, "agreements:propose", nil
			m.hydra.give("own", own)
			if err := forget(m); err != nil {
				t.Fatal(err)
			}
			for token, got := range map[string]reply{
				"shop's, reading":  m.ask("GET", m.chargesPath(), "shop's", ""),
				"shop's, charging": m.charge("order", "700"),
				"own":              m.ask("POST", "/api/agreements", "own", "{}"),
			} {
				if detail, _ := got.Body["detail"].(string); got.Status != 401 || !strings.HasPrefix(detail, says[name]) {
					t.Errorf("%s: %d %v", token, got.Status, got.Body)
				}
			}
			if status := m.post("shop's", m.agreement.ID); status != 401 {
				t.Errorf("a packet: %d", status)
			}
		})
	}
}

// The back office sees what admins see, and what it sets is in force at once.
func TestBackOffice(t *testing.T) {
	m := newMarket(t)
	about := m.accessToken(m.agreement.ID)
	about["sub"], about["client_id"], about["scope"], about["ext"] = officeClient, officeClient, "admin:read admin:write", nil
	m.hydra.give("office's", about)
	if got := m.ask("GET", "/api/admin/peers", "office's", ""); got.Status != 200 || len(got.Body["peers"].([]any)) != 0 {
		t.Errorf("%d %v", got.Status, got.Body)
	}
	was, err := m.server.rates.Convert(t.Context(), 1000, ilp.Asset{Code: "USD", Scale: 2}, ilp.Asset{Code: "EUR", Scale: 2})
	if err != nil {
		t.Fatal(err)
	}
	got := m.ask("PUT", "/api/admin/rates/USD/EUR", "office's", `{"rate": "9/10", "spreadBps": 100, "valid": "24h"}`)
	if got.Status != 200 || len(got.Body["rates"].([]any)) != 2 {
		t.Fatalf("%d %v", got.Status, got.Body)
	}
	is, err := m.server.rates.Convert(t.Context(), 1000, ilp.Asset{Code: "USD", Scale: 2}, ilp.Asset{Code: "EUR", Scale: 2})
	if err != nil || is != 891 || is == was {
		t.Errorf("10.00 USD were %d, and are %d cents, %v", was, is, err)
	}
	if got := m.ask("PUT", "/api/admin/rates/USD/EUR", "office's", `{"rate": "9", "spreadBps": 100, "valid": "24h"}`); got.Status != 409 {
		t.Errorf("ten times as much: %d %v", got.Status, got.Body)
	}
	set := slices.ContainsFunc(m.ask("GET", "/api/admin/rates", "office's", "").Body["rates"].([]any), func(each any) bool {
		r := each.(map[string]any)
		return r["from"] == "USD" && r["to"] == "EUR" && r["rate"] == "9/10" && r["source"] == "admin"
	})
	if !set {
		t.Error("the rate isn't listed as it was set")
	}
}

// While Hydra doesn't answer, nothing moves; what it said a moment ago counts, for
// five seconds at most.
func TestHydraDoesNotAnswerApps(t *testing.T) {
	m := newMarket(t)
	m.hydra.down.Store(true)
	before := m.db.Writer.Seq()
	for _, r := range routes(t) {
		path := strings.NewReplacer("{id}", m.agreement.ID.String(), "{charge}", uuid.NewString(), "{payment}", uuid.NewString()).Replace(r.path)
		got := m.ask(r.method, path, "shop's", map[bool]string{true: m.order("ben", "100")}[r.method == "POST"], "Idempotency-Key", "k")
		if got.Status != 503 || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s %s: %d %v", r.method, r.path, got.Status, got.Body)
		}
	}
	if m.db.Writer.Seq() != before || m.has(m.ann) != personHas {
		t.Error("something moved")
	}
	m.hydra.down.Store(false)
	if got := m.charge("k", "100"); got.Status != 201 {
		t.Errorf("afterwards: %d %v", got.Status, got.Body)
	}
}

// What an agreement allows ends at once when its owner ends it, whatever is kept
// of its token; what was charged can still be looked up.
func TestRevokedAgreement(t *testing.T) {
	m := newMarket(t)
	first := m.charge("first", "100")
	asked := m.hydra.asked.Load()
	if m.charge("second", "100").Status != 201 || m.hydra.asked.Load() != asked {
		t.Error("Hydra is asked for every request")
	}
	if err := m.server.agreements.Pause(t.Context(), m.ann.ID, m.agreement.ID); err != nil {
		t.Fatal(err)
	}
	if got := m.charge("third", "100"); got.Status != 403 || got.Body["type"] != "urn:pochi:problem:agreement_paused" {
		t.Errorf("paused: %d %v", got.Status, got.Body)
	}
	if err := m.server.agreements.Revoke(t.Context(), m.ann.ID, m.agreement.ID); err != nil {
		t.Fatal(err)
	}
	if got := m.charge("third", "100"); got.Status != 403 || got.Body["type"] != "urn:pochi:problem:agreement_ended" {
		t.Errorf("revoked: %d %v", got.Status, got.Body)
	}
	if m.hydra.asked.Load() == asked {
		t.Error("Hydra isn't asked again after an agreement was revoked")
	}
	if got := m.charge("first", "100"); got.Status != 200 || got.Body["id"] != first.Body["id"] {
		t.Errorf("what was charged before: %d %v", got.Status, got.Body)
	}
	if got := m.ask("GET", "/api/agreements/"+m.agreement.ID.String(), "shop's", ""); got.Status != 200 || got.Body["state"] != "revoked" {
		t.Errorf("%d %v", got.Status, got.Body)
	}
	if got := m.ask("GET", "/api/me", "shop's", ""); got.Status != 403 {
		t.Errorf("who the person is: %d %v", got.Status, got.Body)
	}
	if m.has(m.ann) != personHas-2_00 {
		t.Errorf("Ann has %d", m.has(m.ann))
	}
}

func TestShopGivesUp(t *testing.T) {
	m := newMarket(t)
	path := "/api/agreements/" + m.agreement.ID.String()
	for range 2 {
		if got := m.ask("DELETE", path, "shop's", ""); got.Status != 204 {
			t.Errorf("%d %v", got.Status, got.Body)
		}
	}
	if got := m.charge("k", "100"); got.Status != 403 {
		t.Errorf("%d %v", got.Status, got.Body)
	}
}

// An app proposes what its people are then asked for; what isn't known is refused.
func TestShopProposes(t *testing.T) {
	m := newMarket(t)
	own := m.accessToken(uuid.Nil)
	own["sub"], own["scope"], own["ext"] = shopClient, "agreements:propose", nil
	m.hydra.give("own", own)
	const amount = `"amount": {"value": "1200", "assetCode": "USD", "assetScale": 2}`
	got := m.ask("POST", "/api/agreements", "own", `{"description": "Vegetables", "interval": "R/P1M", `+amount+`}`)
	if got.Status != 201 || got.Body["state"] != "pending" {
		t.Fatalf("%d %v", got.Status, got.Body)
	}
	id := uuid.MustParse(got.Body["id"].(string))
	kept, err := m.server.agreements.Proposal(t.Context(), shopClient, id)
	if err != nil || kept.App != "The shop" || kept.Amount != (ledger.Amount{Value: 12_00, Asset: dollars}) {
		t.Errorf("%+v, %v", kept, err)
	}
	for body, status := range map[string]int{
		`{"description": "Vegetables"}`:                                  422,
		`{"description": "Vegetables", "limit": 1, ` + amount + `}`:      422,
		`{"description": "Vegetables", ` + amount + `, ` + amount + `}`:  400,
		`{"description": 7, ` + amount + `}`:                             422,
		`{"description": "Vegetables", "interval": "P", ` + amount + `}`: 422,
	} {
		if got := m.ask("POST", "/api/agreements", "own", body); got.Status != status || status == 422 && got.Body["field"] == nil {
			t.Errorf("%s: %d %v", body, got.Status, got.Body)
		}
	}
}

// A body that is too long is refused before it is read, in the API's own words.
func TestOversizedOrder(t *testing.T) {
	m := newMarket(t)
	got := m.ask("POST", m.chargesPath(), "shop's", `{"receiver": "`+strings.Repeat("x", 70<<10)+`"}`, "Idempotency-Key", "k")
	if got.Status != http.StatusRequestEntityTooLarge || got.Body["type"] != "urn:pochi:problem:too_large" || got.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", got.Status, got.Body)
	}
}

// What one app requests for Ben, another one pays by a charge under its agreement
// with Ann, and no more than was asked.
func TestShopPaysARequest(t *testing.T) {
	m := newMarket(t)
	bens := m.accessToken(uuid.Nil)
	bens["sub"], bens["client_id"], bens["scope"], bens["ext"] = m.ben.ID.String(), "invoices", "payments:request", nil
	m.hydra.give("invoices'", bens)
	m.register("invoices")
	made := m.ask("POST", "/api/incoming-payments", "invoices'", `{"description": "Lunch", "incomingAmount": {"value": "900", "assetCode": "USD", "assetScale": 2}}`)
	if made.Status != 201 || made.Body["state"] != "open" {
		t.Fatalf("%d %v", made.Status, made.Body)
	}
	order := `{"receiver": "` + made.Body["url"].(string) + `", "debitAmount": {"value": "900", "assetCode": "USD", "assetScale": 2}}`
	if got := m.ask("POST", m.chargesPath(), "shop's", order, "Idempotency-Key", "lunch"); got.Status != 201 || got.Body["state"] != "delivered" {
		t.Fatalf("%d %v", got.Status, got.Body)
	}
	if got := m.ask("POST", m.chargesPath(), "shop's", order, "Idempotency-Key", "again"); got.Status != 422 || got.Body["field"] != "receiver" {
		t.Errorf("paid twice: %d %v", got.Status, got.Body)
	}
	seen := m.ask("GET", made.Header.Get("Location"), "invoices'", "")
	if seen.Status != 200 || seen.Body["state"] != "completed" || seen.Body["receivedAmount"].(map[string]any)["value"] != "900" {
		t.Errorf("%d %v", seen.Status, seen.Body)
	}
	annsApp := maps.Clone(bens)
	annsApp["sub"] = m.ann.ID.String()
	m.hydra.give("anns", annsApp)
	if got := m.ask("GET", made.Header.Get("Location"), "anns", ""); got.Status != 404 {
		t.Errorf("another person's token: %d %v", got.Status, got.Body)
	}
	if m.has(m.ann) != personHas-9_00 || m.has(m.ben) != personHas+9_00 {
		t.Errorf("Ann has %d, Ben %d", m.has(m.ann), m.has(m.ben))
	}
	m.atRest()
}

// A person's app reads accounts and history, and nobody else's.
func TestAppReads(t *testing.T) {
	m := newMarket(t)
	m.charge("k", "100")
	reader := m.accessToken(uuid.Nil)
	reader["scope"], reader["ext"] = "accounts:read transactions:read", nil
	m.hydra.give("reader's", reader)
	accounts := m.ask("GET", "/api/accounts", "reader's", "").Body["accounts"].([]any)
	if len(accounts) != 1 || accounts[0].(map[string]any)["available"].(map[string]any)["value"] != fmt.Sprint(personHas-1_00) {
		t.Errorf("%v", accounts)
	}
	first := m.ask("GET", "/api/transactions?limit=1", "reader's", "")
	line := first.Body["transactions"].([]any)[0].(map[string]any)
	if line["app"] != "The shop" || line["agreementId"] != m.agreement.ID.String() || line["direction"] != "out" || line["state"] != "delivered" {
		t.Errorf("%v", line)
	}
	next := first.Body["pagination"].(map[string]any)["next"].(string)
	older := m.ask("GET", "/api/transactions?account="+m.ann.Account.String()+"&before="+next, "reader's", "")
	if lines := older.Body["transactions"].([]any); len(lines) != 1 || lines[0].(map[string]any)["direction"] != "in" {
		t.Errorf("%v", lines)
	}
	if got := m.ask("GET", "/api/transactions?account="+m.ben.Account.String(), "reader's", ""); got.Status != 404 {
		t.Errorf("Ben's account: %d %v", got.Status, got.Body)
	}
}
