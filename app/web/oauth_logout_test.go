package web_test

import (
	"strings"
	"testing"

	"pochi/app/oauth"
	"pochi/app/problem"

	"github.com/google/go-cmp/cmp"
)

func logoutRequest() oauth.LogoutRequest {
	return oauth.LogoutRequest{
		App: oauth.App{ID: "c1", Name: "Shop"}, Subject: ann().ID.String(), FormURLs: []string{hydraOrigin, "https://shop.example/cb?x"},
	}
}

func TestLogoutIsAskedFor(t *testing.T) {
	h := &hydra{logout: logoutRequest()}
	b := openBrowser(t, h)
	b.logIn(ann())
	got := b.get("/oauth/logout?logout_challenge=sesame")
	if got.Status != 200 || !got.shows("Shop", `value="sesame"`) || !strings.Contains(got.Policy, hydraOrigin+" https://shop.example") {
		t.Errorf("%d %s %s", got.Status, got.Policy, got.Body)
	}
	if len(h.decided) != 0 || !b.loggedIn() {
		t.Error("logged out unasked")
	}
}

func TestLogoutDecision(t *testing.T) {
	for _, tt := range []struct {
		decision string
		status   int
		location string
		decided  []string
		loggedIn bool
	}{
		{"allow", 303, onward, []string{"accept logout sesame"}, false},
		{"deny", 303, "/", []string{"reject logout sesame"}, true},
		{"", 422, "", nil, true},
	} {
		h := &hydra{logout: logoutRequest()}
		b := openBrowser(t, h)
		b.logIn(ann())
		got := b.post("/oauth/logout", "logout_challenge", "sesame", "decision", tt.decision)
		if got.Status != tt.status || got.Location != tt.location || b.loggedIn() != tt.loggedIn {
			t.Errorf("%q: %d to %q, logged in: %v", tt.decision, got.Status, got.Location, b.loggedIn())
		}
		if diff := cmp.Diff(tt.decided, h.decided); diff != "" {
			t.Errorf("%q: %s", tt.decision, diff)
		}
	}
}

func TestLogoutOfSomebodyElseLeavesTheSession(t *testing.T) {
	h := &hydra{logout: logoutRequest()}
	b := openBrowser(t, h)
	b.logIn(ben())
	if got := b.get("/oauth/logout?logout_challenge=sesame"); got.Location != onward || !b.loggedIn() {
		t.Errorf("GET: %d to %q, logged in: %v", got.Status, got.Location, b.loggedIn())
	}
	if got := b.post("/oauth/logout", "logout_challenge", "sesame", "decision", "allow"); got.Location != onward || !b.loggedIn() {
		t.Errorf("POST: %d to %q, logged in: %v", got.Status, got.Location, b.loggedIn())
	}
}

func TestLogoutWithoutHydra(t *testing.T) {
	b := openBrowser(t, &hydra{err: problem.New(problem.Unavailable, "Not now.")})
	b.logIn(ann())
	if got := b.get("/oauth/logout?logout_challenge=sesame"); got.Status != 503 || !got.shows("Not now.") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := b.post("/oauth/logout", "logout_challenge", "sesame", "decision", "allow"); got.Status != 503 || !b.loggedIn() {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
