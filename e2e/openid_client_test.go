package e2e

import (
	"net/http"
	"strings"
)

// testOpenIDClient has an app that is made of a standard library, openid-client, do all that apps do.
func (m *market) testOpenIDClient() {
	const callback = "http://localhost:9/callback" // nobody goes there
	owner := m.device(m.flora)
	own := *m
	own.flora = owner
	id, secret := own.register("Library", callback)
	var about struct {
		Issuer string
		PKCE   bool
	}
	app := startForeign(m.t, "openid-client.js", map[string]any{
		"issuer": m.HydraURL, "api": m.URL + "/api", "audience": m.URL, "client": id, "secret": secret, "callback": callback,
	}, &about)
	if about.Issuer != m.HydraURL || !about.PKCE {
		m.t.Errorf("it discovered %+v", about)
	}

	var proposed struct {
		Status int
		Body   struct {
			ID                   string
			AuthorizationDetails []any
		}
	}
	amount := map[string]any{"value": "500", "assetCode": "USD", "assetScale": 2}
	app.do(&proposed, "own", map[string]any{"terms": map[string]any{"description": "Books", "amount": amount, "interval": "R/P1M"}})
	if proposed.Status != http.StatusCreated || len(proposed.Body.AuthorizationDetails) != 1 {
		m.t.Fatalf("it proposed %+v", proposed)
	}
	var asked struct{ URL string }
	app.do(&asked, "ask", map[string]any{"details": proposed.Body.AuthorizationDetails})
	var back struct{ Subject, Scope string }
	ann := newVisitor(m.t, m.wallet)
	ann.logIn(m.t, m.ann.Email, password)
	app.do(&back, "back", map[string]any{"url": ann.allows(m.t, asked.URL, callback)})
	if back.Subject == "" || !strings.Contains(back.Scope, "agreement") {
		m.t.Errorf("it got %+v", back)
	}

	var said struct {
		Status int
		Body   struct{ State, Name string }
	}
	api := func(method, path string, body any, key string) int {
		said.Body.State, said.Body.Name = "", ""
		app.do(&said, "api", map[string]any{"method": method, "path": path, "body": body, "key": key})
		return said.Status
	}
	agreement := "/agreements/" + proposed.Body.ID
	if api("GET", "/me", nil, "") != http.StatusOK || said.Body.Name != "Ann" {
		m.t.Errorf("who it is: %+v", said)
	}
	order := map[string]any{"receiver": m.flora.Pointer, "debitAmount": amount}
	if api("POST", agreement+"/charges", order, "first") != http.StatusCreated || said.Body.State != "delivered" {
		m.t.Errorf("a charge: %+v", said)
	}
	var refreshed struct{ Rotated bool }
	if app.do(&refreshed, "refresh", nil); !refreshed.Rotated {
		m.t.Error("the tokens were not changed for others")
	}
	if api("GET", agreement, nil, "") != http.StatusOK || said.Body.State != "active" {
		m.t.Errorf("with a refreshed token: %+v", said)
	}
	app.do(&struct{}{}, "revoke", nil)
	var again struct{ Refused string }
	if app.do(&again, "again", nil); again.Refused != "invalid_grant" {
		m.t.Errorf("after it was revoked, a refresh is refused with %q", again.Refused)
	}
}
