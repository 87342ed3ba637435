package oauth_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"pochi/app/oauth"
	"pochi/app/problem"

	"github.com/google/go-cmp/cmp"
)

const (
	publicURL = "http://hydra.example:4444"
	audience  = "https://wallet.example"
	subject   = "0194d0b0-0000-7000-8000-000000000001"
)

func now() time.Time { return time.Unix(1_800_000_000, 0) }

// hydra answers as Hydra's admin interface does, each path with what is given,
// and keeps what it was asked.
type hydra struct {
	status int
	body   string
	asked  []string // method, path and query
	sent   []string // bodies
}

func (h *hydra) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.asked = append(h.asked, r.Method+" "+r.URL.RequestURI())
	h.sent = append(h.sent, string(body))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(h.status)
	_, _ = io.WriteString(w, h.body)
}

// start returns a provider in front of a Hydra that always answers the same.
func start(t *testing.T, status int, body string) (*oauth.Provider, *hydra) {
	t.Helper()
	h := &hydra{status: status, body: body}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return provider(t, server.URL, 0), h
}

func provider(t *testing.T, adminURL string, timeout time.Duration) *oauth.Provider {
	t.Helper()
	admin, err := url.Parse(adminURL)
	if err != nil {
		t.Fatal(err)
	}
	public, err := url.Parse(publicURL)
	if err != nil {
		t.Fatal(err)
	}
	return oauth.New(oauth.Options{AdminURL: admin, PublicURL: public, Audience: audience, Terms: reader(), Timeout: timeout, Now: now})
}

// questions are all of a Provider's methods but Introspect and Ready.
func questions() map[string]func(context.Context, *oauth.Provider, string) error {
	type ask = func(context.Context, *oauth.Provider, string) error
	return map[string]ask{
		"Login": func(ctx context.Context, p *oauth.Provider, challenge string) error {
			_, err := p.Login(ctx, challenge)
			return err
		},
		"AcceptLogin": func(ctx context.Context, p *oauth.Provider, challenge string) error {
			_, err := p.AcceptLogin(ctx, challenge, subject)
			return err
		},
		"RejectLogin": func(ctx context.Context, p *oauth.Provider, challenge string) error {
			_, err := p.RejectLogin(ctx, challenge, oauth.Reason{Code: "access_denied"})
			return err
		},
		"Consent": func(ctx context.Context, p *oauth.Provider, challenge string) error {
			_, err := p.Consent(ctx, challenge)
			return err
		},
		"AcceptConsent": func(ctx context.Context, p *oauth.Provider, challenge string) error {
			_, err := p.AcceptConsent(ctx, challenge, oauth.Grant{})
			return err
		},
		"RejectConsent": func(ctx context.Context, p *oauth.Provider, challenge string) error {
			_, err := p.RejectConsent(ctx, challenge, oauth.Reason{Code: "access_denied"})
			return err
		},
		"Logout": func(ctx context.Context, p *oauth.Provider, challenge string) error {
			_, err := p.Logout(ctx, challenge)
			return err
		},
		"AcceptLogout": func(ctx context.Context, p *oauth.Provider, challenge string) error {
			_, err := p.AcceptLogout(ctx, challenge)
			return err
		},
		"RejectLogout": func(ctx context.Context, p *oauth.Provider, challenge string) error {
			return p.RejectLogout(ctx, challenge)
		},
	}
}

func TestWhatHydraAnswersBecomesAProblem(t *testing.T) {
	const refused = `{"error":"no","error_description":"no"}`
	tests := []struct {
		name   string
		status int
		body   string
		want   problem.Code
	}{
		{"unknown challenge", 404, refused, problem.NotFound},
		{"unknown challenge, not JSON", 404, "<html>", problem.NotFound},
		{"expired challenge", 401, refused, problem.Gone},
		{"answered at the same time", 409, refused, problem.Gone},
		{"used challenge without an address", 410, `{}`, problem.Gone},
		{"used challenge with a bad address", 410, `{"redirect_to":"javascript:alert(1)"}`, problem.Gone},
		{"our mistake", 400, refused, problem.Internal},
		{"too many questions", 429, refused, problem.Unavailable},
		{"broken", 500, refused, problem.Unavailable},
		{"a proxy without Hydra", 502, "<html>", problem.Unavailable},
		{"moved", 307, "", problem.Unavailable},
	}
	for name, ask := range questions() {
		for _, tt := range tests {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				p, h := start(t, tt.status, tt.body)
				err := ask(t.Context(), p, "sesame")
				if got := problem.CodeOf(err); got != tt.want {
					t.Errorf("got %q (%v), want %q", got, err, tt.want)
				}
				if len(h.asked) != 1 {
					t.Errorf("asked %d times: %v", len(h.asked), h.asked)
				}
				if to, ok := oauth.RedirectOf(err); ok {
					t.Errorf("sends the browser to %s", to)
				}
			})
		}
	}
}

func TestNonsenseIsUnavailable(t *testing.T) {
	for name, ask := range questions() {
		if name == "RejectLogout" { // its answer is empty
			continue
		}
		for _, body := range []string{"", "null", "{}", "[]", `"`, `{"redirect_to":""}`, `{"redirect_to":"ftp://x.example/"}`,
			`{"challenge":"x","request_url":"","client":{},"skip":false,"subject":""}`, strings.Repeat(" ", 2<<20)} {
			p, _ := start(t, 200, body)
			if got := problem.CodeOf(ask(t.Context(), p, "sesame")); got != problem.Unavailable {
				t.Errorf("%s of %.40q: got %q", name, body, got)
			}
		}
	}
}

func TestUsedChallengeTellsWhereToGo(t *testing.T) {
	for name, ask := range questions() {
		for to, want := range map[string]string{
			"https://hydra.example/oauth2/auth?x=1": "https://hydra.example/oauth2/auth?x=1",
			"/oauth2/sessions/logout?id_token_hint": publicURL + "/oauth2/sessions/logout?id_token_hint",
		} {
			if name != "Login" && name != "Consent" && name != "Logout" {
				continue // Hydra gives the address to those who get a request
			}
			p, _ := start(t, 410, `{"redirect_to":"`+to+`"}`)
			err := ask(t.Context(), p, "sesame")
			if got, ok := oauth.RedirectOf(err); !ok || got != want {
				t.Errorf("%s: got %q %v, want %q", name, got, ok, want)
			}
			if problem.CodeOf(err) != problem.Gone {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestWithoutHydraNothingIsPossibleAndNoChallengeIsLogged(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	p := provider(t, address, 0)
	for name, ask := range questions() {
		err := ask(t.Context(), p, "sesame")
		if problem.CodeOf(err) != problem.Unavailable || !strings.Contains(problem.MessageOf(err), "connects apps") {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: the error holds the challenge: %v", name, err)
		}
	}
	if _, err := p.Introspect(t.Context(), "sesame"); problem.CodeOf(err) != problem.Unavailable || strings.Contains(err.Error(), "sesame") {
		t.Errorf("Introspect: %v", err)
	}
	if err := p.Ready(t.Context()); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("Ready: %v", err)
	}
}

func TestSlowHydraIsGivenUp(t *testing.T) {
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-done:
		}
	}))
	defer server.Close()
	defer close(done)
	p := provider(t, server.URL, 10*time.Millisecond)
	if _, err := p.Login(t.Context(), "sesame"); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("Login: %v", err)
	}
	if _, err := p.Introspect(t.Context(), "sesame"); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("Introspect: %v", err)
	}
}

func TestWhatCanBeNoChallengeIsNotAskedFor(t *testing.T) {
	p, h := start(t, 200, "{}")
	for name, ask := range questions() {
		for _, challenge := range []string{"", strings.Repeat("x", 100_000)} {
			if got := problem.CodeOf(ask(t.Context(), p, challenge)); got != problem.NotFound {
				t.Errorf("%s: got %q", name, got)
			}
		}
	}
	if len(h.asked) != 0 {
		t.Errorf("asked %v", h.asked)
	}
}

func TestReady(t *testing.T) {
	p, h := start(t, 200, `{"status":"ok"}`)
	if err := p.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"GET /health/ready"}, h.asked); diff != "" {
		t.Error(diff)
	}
	p, _ = start(t, 503, `{"errors":{"database":"gone"}}`)
	if err := p.Ready(t.Context()); problem.CodeOf(err) != problem.Unavailable {
		t.Error(err)
	}
}

// decoded compares JSON by meaning.
func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}
