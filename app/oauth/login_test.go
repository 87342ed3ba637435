package oauth_test

import (
	"strings"
	"testing"
	"time"

	"pochi/app/oauth"

	"github.com/google/go-cmp/cmp"
)

// loginAnswer is Hydra's, cut down to what matters, for an authorization URL
// with these parameters.
func loginAnswer(parameters string) string {
	return `{"challenge":"sesame","skip":false,"subject":"","oidc_context":{"login_hint":"ann@example.com"},
		"client":{"client_id":"c1","client_name":"  Shop\u202e\u0000 of Ben ","redirect_uris":["https://shop.example/cb"]},
		"request_url":"` + publicURL + `/oauth2/auth?client_id=c1&` + parameters + `"}`
}

func login(t *testing.T, body string) oauth.LoginRequest {
	t.Helper()
	p, _ := start(t, 200, body)
	request, err := p.Login(t.Context(), "sesame")
	if err != nil {
		t.Fatal(err)
	}
	return request
}

func TestLogin(t *testing.T) {
	got := login(t, loginAnswer("redirect_uri=https%3A%2F%2Fshop.example%2Fcb"))
	if diff := cmp.Diff(oauth.App{ID: "c1", Name: "Shop of Ben"}, got.App); diff != "" {
		t.Error(diff)
	}
	if got.Challenge != "sesame" || got.Hint != "ann@example.com" {
		t.Errorf("challenge %q, hint %q", got.Challenge, got.Hint)
	}
	if diff := cmp.Diff([]string{publicURL, "https://shop.example/cb"}, got.FormURLs); diff != "" {
		t.Error(diff)
	}
}

func TestAppWithoutANameIsCalledByItsID(t *testing.T) {
	for name, want := range map[string]string{
		``:                         "c1",
		`\u200b`:                   "c1",
		strings.Repeat("long", 50): strings.Repeat("long", 50)[:59] + "…",
	} {
		got := login(t, `{"challenge":"x","client":{"client_id":"c1","client_name":"`+name+`"},"request_url":"x","skip":false,"subject":""}`)
		if got.App.Name != want {
			t.Errorf("%q: got %q, want %q", name, got.App.Name, want)
		}
	}
}

func TestNeedsSignIn(t *testing.T) {
	tests := []struct {
		parameters string
		ago        time.Duration // since the sign-in
		want       bool
	}{
		{"", 20 * 24 * time.Hour, false},
		{"prompt=consent", time.Hour, false},
		{"prompt=login", time.Second, true},
		{"prompt=consent+login", time.Second, true},
		{"prompt=consent&prompt=login", time.Second, true},
		{"prompt=select_account", time.Second, true},
		{"prompt=loginx", time.Second, false},
		{"max_age=60", 59 * time.Second, false},
		{"max_age=60", 60 * time.Second, true},
		{"max_age=0", 0, true},
		{"max_age=-1", time.Second, true},
		{"max_age=soon", time.Second, true},
		{"max_age=", time.Second, true},
		{"max_age=99999999999999999999", time.Second, true},
		{"max_age=2147483647", 20 * 365 * 24 * time.Hour, false},
	}
	for _, tt := range tests {
		request := login(t, loginAnswer(tt.parameters))
		if got := request.NeedsSignIn(now().Add(-tt.ago), now()); got != tt.want {
			t.Errorf("%q after %s: got %v", tt.parameters, tt.ago, got)
		}
	}
}

func TestAcceptAndRejectLogin(t *testing.T) {
	p, h := start(t, 200, `{"redirect_to":"`+publicURL+`/oauth2/auth?login_verifier=v"}`)
	to, err := p.AcceptLogin(t.Context(), "ses=ame&", subject)
	if err != nil || to != publicURL+"/oauth2/auth?login_verifier=v" {
		t.Errorf("accept: %q, %v", to, err)
	}
	if _, err := p.RejectLogin(t.Context(), "sesame", oauth.Reason{Code: "invalid_request", Description: "twice"}); err != nil {
		t.Errorf("reject: %v", err)
	}
	if diff := cmp.Diff([]string{
		"PUT /admin/oauth2/auth/requests/login/accept?login_challenge=ses%3Dame%26",
		"PUT /admin/oauth2/auth/requests/login/reject?login_challenge=sesame",
	}, h.asked); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"subject": subject, "remember": false}, decoded(t, h.sent[0])); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"error": "invalid_request", "error_description": "twice"}, decoded(t, h.sent[1])); diff != "" {
		t.Error(diff)
	}
}
