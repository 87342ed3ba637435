package web_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/app/web"

	"github.com/google/go-cmp/cmp"
)

func loginRequest() oauth.LoginRequest {
	return oauth.LoginRequest{
		App: oauth.App{ID: "c1", Name: "Shop <of> Ben"}, Hint: `ann@example.com"><script>`,
		FormURLs: []string{hydraOrigin, "https://shop.example/cb?x"},
	}
}

func TestWhoIsSignedInGoesStraightOn(t *testing.T) {
	h := &hydra{login: loginRequest()}
	b := openBrowser(t, h)
	b.logIn(ann())
	got := b.get("/oauth/login?login_challenge=ses%2Fame")
	if got.Status != 303 || got.Location != onward {
		t.Errorf("%d to %q", got.Status, got.Location)
	}
	if diff := cmp.Diff([]string{"accept login of " + ann().ID.String() + " ses/ame"}, h.decided); diff != "" {
		t.Error(diff)
	}
}

func TestOthersLogInFirst(t *testing.T) {
	h := &hydra{login: loginRequest()}
	b := openBrowser(t, h)
	got := b.get("/oauth/login?login_challenge=sesame")
	if got.Status != 200 || !got.shows("to continue to", "Shop <of> Ben", "/signup?login_challenge=sesame", `value="sesame"`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if strings.Contains(got.Body, "<of>") || strings.Contains(got.Body, `"><script>`) {
		t.Error("what the app says isn't escaped")
	}
	if !strings.Contains(got.Policy, hydraOrigin+" https://shop.example") {
		t.Errorf("policy: %s", got.Policy)
	}
	if len(h.decided) != 0 {
		t.Error(h.decided)
	}
}

func TestLoggingInLeadsBackToTheApp(t *testing.T) {
	h := &hydra{login: loginRequest()}
	b := openBrowser(t, h)
	got := b.post("/login", "email", "ben@example.com", "password", "wrong", "login_challenge", "sesame")
	if !got.shows("Shop <of> Ben", `value="sesame"`) || !strings.Contains(got.Policy, hydraOrigin) || len(h.decided) != 0 {
		t.Errorf("wrong password: %d %s %v", got.Status, got.Policy, h.decided)
	}
	got = b.post("/login", "email", "ben@example.com", "password", "correct horse", "login_challenge", "sesame")
	if got.Status != 303 || got.Location != onward || !b.loggedIn() {
		t.Errorf("%d to %q, logged in: %v", got.Status, got.Location, b.loggedIn())
	}
	if diff := cmp.Diff([]string{"accept login of " + ben().ID.String() + " sesame"}, h.decided); diff != "" {
		t.Error(diff)
	}
	b = openBrowser(t, &hydra{err: problem.New(problem.Unavailable, "Not now.")})
	got = b.post("/login", "email", "ben@example.com", "password", "correct horse", "login_challenge", "sesame")
	if got.Status != 503 || !got.shows("Not now.") || !b.loggedIn() {
		t.Errorf("without Hydra: %d, logged in: %v", got.Status, b.loggedIn())
	}
}

// A real Provider reads the parameters, from a Hydra that always asks the same.
func TestWhoSignedInTooLongAgoLogsInAgain(t *testing.T) {
	for parameters, want := range map[string]int{"prompt=login": 200, "max_age=0": 200, "max_age=3600": 303, "prompt=consent": 303} {
		admin := fakeAdmin(t, `{"challenge":"x","client":{"client_id":"c1","redirect_uris":["https://shop.example/cb"]},"requested_scope":["openid"],
			"skip":false,"subject":"","redirect_to":"`+onward+`",
			"request_url":"`+hydraOrigin+`/oauth2/auth?client_id=c1&response_type=code&scope=openid&code_challenge=x&code_challenge_method=S256&`+parameters+`"}`)
		b := browseSite(t, web.OAuth{Logins: admin}, time.Now)
		b.logIn(ann())
		if got := b.get("/oauth/login?login_challenge=sesame"); got.Status != want {
			t.Errorf("%s: %d to %q", parameters, got.Status, got.Location)
		}
	}
}

func TestARequestThatCannotBeAllowedIsRefusedBeforeAnybodyLogsIn(t *testing.T) {
	admin := fakeAdmin(t, `{"challenge":"x","client":{"client_id":"c1"},"skip":false,"subject":"","redirect_to":"`+onward+`",
		"request_url":"`+hydraOrigin+`/oauth2/auth?prompt=none&prompt=login"}`)
	b := browseSite(t, web.OAuth{Logins: admin}, time.Now)
	if got := b.get("/oauth/login?login_challenge=sesame"); got.Status != 303 || got.Location != onward {
		t.Errorf("%d to %q", got.Status, got.Location)
	}
}

func TestLoginPageWhenHydraCannotSay(t *testing.T) {
	used := fakeAdminStatus(t, 410, `{"redirect_to":"`+onward+`"}`)
	b := browseSite(t, web.OAuth{Logins: used}, time.Now)
	if got := b.get("/oauth/login?login_challenge=x"); got.Status != 303 || got.Location != onward {
		t.Errorf("used: %d to %q", got.Status, got.Location)
	}
	for _, tt := range []struct {
		err    error
		status int
		text   string
	}{
		{problem.New(problem.Unavailable, "Not now.").Because(errors.New("dial")), 503, "Not now."},
		{problem.New(problem.NotFound, "Never heard of it."), 404, "Never heard of it."},
		{problem.New(problem.Gone, "Too late."), 410, "Too late."},
		{errors.New("secret cause"), 500, "Something went wrong"},
	} {
		b := openBrowser(t, &hydra{err: tt.err})
		got := b.get("/oauth/login?login_challenge=x")
		if got.Status != tt.status || !got.shows(tt.text) || got.shows("secret cause") {
			t.Errorf("%v: %d %s", tt.err, got.Status, got.Body)
		}
		if got := b.get("/login"); got.Status != 200 {
			t.Errorf("the wallet's own log-in page: %d", got.Status)
		}
	}
}

func TestSignUpAndLogInPagesNameTheApp(t *testing.T) {
	b := openBrowser(t, &hydra{login: loginRequest()})
	got := b.get("/login?login_challenge=sesame")
	if !got.shows("Shop <of> Ben", `value="sesame"`) || !strings.Contains(got.Policy, hydraOrigin) {
		t.Errorf("%d %s %s", got.Status, got.Policy, got.Body)
	}
	b = openBrowser(t, &hydra{err: problem.New(problem.Unavailable, "Not now.")})
	if got := b.get("/login?login_challenge=sesame"); got.Status != 200 {
		t.Errorf("without Hydra: %d", got.Status)
	}
}

// fakeAdmin returns a Provider whose Hydra always answers the same.
func fakeAdmin(t *testing.T, body string) *oauth.Provider {
	t.Helper()
	return fakeAdminStatus(t, 200, body)
}

func fakeAdminStatus(t *testing.T, status int, body string) *oauth.Provider {
	t.Helper()
	server := httptest.NewServer(jsonAnswer(status, body))
	t.Cleanup(server.Close)
	return oauth.New(oauth.Options{AdminURL: parsed(t, server.URL), PublicURL: parsed(t, hydraOrigin), Audience: walletURL})
}

// An app may want another person than the one who is logged in.
func TestWhoIsLoggedInCanSignUpForAnApp(t *testing.T) {
	b := openBrowser(t, &hydra{login: loginRequest()})
	b.logIn(ann())
	if got := b.get("/signup?login_challenge=sesame"); got.Status != 200 || !got.shows("Shop <of> Ben", `action="/signup"`, `value="sesame"`) {
		t.Errorf("%d to %q", got.Status, got.Location)
	}
	if got := b.get("/signup?next=/send"); got.Status != 303 || got.Location != "/send" {
		t.Errorf("without an app: %d to %q", got.Status, got.Location)
	}
}
