package oauth_test

import (
	"testing"
	"time"

	"pochi/app/oauth"
	"pochi/app/problem"

	"github.com/google/go-cmp/cmp"
)

func TestConnections(t *testing.T) {
	session := func(client, at, scopes string) string {
		return `{"consent_request":{"challenge":"x","client":{"client_id":"` + client + `","client_name":"` + client + `"}},"handled_at":"` + at + `","grant_scope":[` + scopes + `]}`
	}
	p, h := start(t, 200, `[`+session("c1", "2026-11-01T00:00:00Z", `"openid"`)+`,`+session("c2", "2026-11-02T00:00:00Z", `"openid","agreement"`)+`,`+
		session("c3", "2026-11-03T00:00:00Z", `"profile"`)+`,`+session("c1", "2026-11-04T00:00:00Z", `"accounts:read","openid","unheard-of"`)+`,{}]`)
	got, err := p.Connections(t.Context(), subject)
	want := []oauth.Connection{
		{App: oauth.App{ID: "c1", Name: "c1"}, Scopes: []oauth.Scope{oauth.OpenID, oauth.AccountsRead}, Since: time.Date(2026, 11, 4, 0, 0, 0, 0, time.UTC)},
		{App: oauth.App{ID: "c3", Name: "c3"}, Scopes: []oauth.Scope{oauth.Profile}, Since: time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if diff := cmp.Diff([]string{"GET /admin/oauth2/auth/sessions/consent?page_size=500&subject=" + subject}, h.asked); diff != "" {
		t.Error(diff)
	}
}

func TestDisconnect(t *testing.T) {
	p, h := start(t, 204, "")
	if err := p.Disconnect(t.Context(), subject, "c1"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"DELETE /admin/oauth2/auth/sessions/consent?client=c1&subject=" + subject}, h.asked); diff != "" {
		t.Error(diff)
	}
	p, h = start(t, 204, "")
	if err := p.Disconnect(t.Context(), subject, ""); problem.CodeOf(err) != problem.NotFound || len(h.asked) != 0 {
		t.Errorf("no app, which to Hydra is every app: %v, asked %v", err, h.asked)
	}
	p, _ = start(t, 500, "{}")
	if err := p.Disconnect(t.Context(), subject, "c1"); problem.CodeOf(err) != problem.Unavailable {
		t.Error(err)
	}
}
