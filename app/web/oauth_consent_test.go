package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/app/web"

	"github.com/google/go-cmp/cmp"
)

func jsonAnswer(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func consentRequest(scopes ...oauth.Scope) oauth.ConsentRequest {
	return oauth.ConsentRequest{
		App: oauth.App{ID: "c1", Name: "Shop <of> Ben"}, Subject: ann().ID.String(), Scopes: scopes,
		Hosts:      []string{"shop.example"},
		RestartURL: hydraOrigin + "/oauth2/auth?client_id=c1",
		FormURLs:   []string{hydraOrigin, "https://shop.example/cb?x"},
	}
}

func TestConsentPage(t *testing.T) {
	b := openBrowser(t, &hydra{consent: consentRequest(oauth.OpenID, oauth.Profile, oauth.OfflineAccess)})
	b.logIn(ann())
	got := b.get("/oauth/consent?consent_challenge=sesame")
	if got.Status != 200 || !got.shows("Shop <of> Ben", "shop.example", "ann@example.com", "Recognise you", "See your name and your payment pointers",
		"while you are away", "Move money", `value="sesame"`, `value="allow"`, `value="deny"`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if strings.Contains(got.Body, "<of>") {
		t.Error("the app's name isn't escaped")
	}
	if !strings.Contains(got.Policy, hydraOrigin+" https://shop.example") || !strings.Contains(got.Policy, "frame-ancestors 'none'") {
		t.Errorf("policy: %s", got.Policy)
	}
}

func TestConsentPagePromisesNoMoreThanIsAsked(t *testing.T) {
	b := openBrowser(t, &hydra{consent: consentRequest(oauth.OpenID)})
	b.logIn(ann())
	got := b.get("/oauth/consent?consent_challenge=sesame")
	if !got.shows("See your name or your payment pointers", "See what is in your accounts", "See your payments") || got.shows("See your name and") || got.shows("while you are away") {
		t.Error(got.Body)
	}
}

// seal opens the consent page and returns what it is sealed with.
func (b *browser) seal(challenge string) string {
	b.t.Helper()
	match := regexp.MustCompile(`name="seal" value="([^"]*)"`).FindStringSubmatch(b.get("/oauth/consent?consent_challenge=" + challenge).Body)
	if match == nil {
		b.t.Fatal("the page has no seal")
	}
	return match[1]
}

func TestConsentDecision(t *testing.T) {
	for _, tt := range []struct {
		decision string
		status   int
		decided  []string
		granted  oauth.Grant
	}{
		{"allow", 303, []string{"accept consent sesame"}, oauth.Grant{Scopes: []oauth.Scope{oauth.OpenID, oauth.Profile}, Name: "Ann"}},
		{"deny", 303, []string{"reject consent: access_denied sesame"}, oauth.Grant{}},
		{"", 422, nil, oauth.Grant{}},
		{"Allow", 422, nil, oauth.Grant{}},
	} {
		h := &hydra{consent: consentRequest(oauth.OpenID, oauth.Profile)}
		b := openBrowser(t, h)
		b.logIn(ann())
		got := b.post("/oauth/consent", "consent_challenge", "sesame", "seal", b.seal("sesame"), "decision", tt.decision)
		if got.Status != tt.status || got.Status == 303 && got.Location != onward {
			t.Errorf("%q: %d to %q", tt.decision, got.Status, got.Location)
		}
		if diff := cmp.Diff(tt.decided, h.decided); diff != "" {
			t.Errorf("%q: %s", tt.decision, diff)
		}
		if diff := cmp.Diff(tt.granted, h.granted); diff != "" {
			t.Errorf("%q: %s", tt.decision, diff)
		}
	}
}

// What is allowed is what the page has shown, to this person, for this
// challenge.
func TestWhatWasNotShownIsNotAllowed(t *testing.T) {
	for name, swap := range map[string]func(h *hydra, b *browser, form url.Values){
		"without a seal":    func(_ *hydra, _ *browser, form url.Values) { form.Del("seal") },
		"another challenge": func(_ *hydra, _ *browser, form url.Values) { form.Set("consent_challenge", "other") },
		"more scopes":       func(h *hydra, _ *browser, _ url.Values) { h.consent = consentRequest(oauth.OpenID, oauth.Profile) },
		"another app":       func(h *hydra, _ *browser, _ url.Values) { h.consent.App = oauth.App{ID: "c2", Name: "Shop <of> Ben"} },
		"another place":     func(h *hydra, _ *browser, _ url.Values) { h.consent.Hosts = []string{"evil.example"} },
		"another person": func(h *hydra, b *browser, _ url.Values) {
			b.logIn(ben())
			h.consent.Subject = ben().ID.String()
		},
	} {
		h := &hydra{consent: consentRequest(oauth.OpenID)}
		b := openBrowser(t, h)
		b.logIn(ann())
		form := url.Values{"consent_challenge": {"sesame"}, "seal": {b.seal("sesame")}, "decision": {"allow"}}
		swap(h, b, form)
		got := b.post("/oauth/consent", flat(form)...)
		if got.Status != 409 || !got.shows("isn't what you were shown before", "Nothing was allowed") || len(h.decided) != 0 {
			t.Errorf("%s: %d, %v", name, got.Status, h.decided)
		}
	}
}

func flat(form url.Values) (pairs []string) {
	for name := range form {
		pairs = append(pairs, name, form.Get(name))
	}
	return pairs
}

func TestARequestThatCannotBeAllowedIsRefused(t *testing.T) {
	for _, decision := range []string{"", "allow"} {
		h := &hydra{consent: consentRequest(oauth.OpenID)}
		b := openBrowser(t, h)
		b.logIn(ann())
		seal := b.seal("sesame")
		h.consent.Refusal = &oauth.Reason{Code: oauth.InvalidScope, Description: "no"}
		got := b.get("/oauth/consent?consent_challenge=sesame")
		if decision != "" {
			h.decided = nil
			got = b.post("/oauth/consent", "consent_challenge", "sesame", "seal", seal, "decision", decision)
		}
		if got.Status != 303 || got.Location != onward || !slices.Equal(h.decided, []string{"reject consent: invalid_scope sesame"}) {
			t.Errorf("%q: %d to %q, %v", decision, got.Status, got.Location, h.decided)
		}
	}
}

// no is why none is registered.
type no problem.Code

func (n no) Registered(context.Context, string) error {
	return problem.New(problem.Code(n), "No.")
}

// An app that was deleted is allowed nothing, also while Hydra still knows it, nor is
// one that Hydra alone knows.
func TestWhoIsNoAppIsAllowedNothing(t *testing.T) {
	for _, code := range []problem.Code{problem.Gone, problem.NotFound} {
		h := &hydra{consent: consentRequest(oauth.OpenID)}
		b := browseSite(t, web.OAuth{Logins: h, Consents: h, Logouts: h, Approvals: &deals{}, Apps: no(code)}, time.Now)
		b.logIn(ann())
		for method, got := range map[string]reply{
			"GET":  b.get("/oauth/consent?consent_challenge=sesame"),
			"POST": b.post("/oauth/consent", "consent_challenge", "sesame", "decision", "allow"),
		} {
			if got.Status != 303 || !slices.Equal(h.decided, []string{"reject consent: access_denied sesame", "reject consent: access_denied sesame"}) {
				t.Errorf("%s, %s: %d, %v", code, method, got.Status, h.decided)
			}
		}
	}
}

// The address can't decide what a button has to.
func TestTheAddressDecidesNothing(t *testing.T) {
	for decision, want := range map[string][]string{"deny": {"reject consent: access_denied sesame"}, "": nil} {
		h := &hydra{consent: consentRequest(oauth.OpenID)}
		b := openBrowser(t, h)
		b.logIn(ann())
		b.post("/oauth/consent?decision=allow&consent_challenge=another", "consent_challenge", "sesame", "decision", decision)
		if diff := cmp.Diff(want, h.decided); diff != "" {
			t.Errorf("%q: %s", decision, diff)
		}
	}
}

func TestOnlyWhoWasAskedConsents(t *testing.T) {
	for name, visit := range map[string]func(*browser){
		"nobody":        func(*browser) {},
		"somebody else": func(b *browser) { b.logIn(ben()) },
		"logged out since": func(b *browser) {
			b.logIn(ann())
			b.post("/logout")
		},
	} {
		h := &hydra{consent: consentRequest(oauth.OpenID)}
		b := openBrowser(t, h)
		visit(b)
		for method, got := range map[string]reply{
			"GET":  b.get("/oauth/consent?consent_challenge=sesame"),
			"POST": b.post("/oauth/consent", "consent_challenge", "sesame", "decision", "allow"),
		} {
			if got.Status != 403 || !got.shows("Nothing was allowed", hydraOrigin+"/oauth2/auth?client_id=c1") {
				t.Errorf("%s, %s: %d %s", name, method, got.Status, got.Body)
			}
		}
		if len(h.decided) != 0 {
			t.Errorf("%s: %v", name, h.decided)
		}
	}
}

func TestConsentWithoutHydra(t *testing.T) {
	for status, err := range map[int]error{
		503: problem.New(problem.Unavailable, "Connecting apps is not possible right now.").Because(errors.New("dial")),
		410: problem.New(problem.Gone, "Go back to the app."),
		404: problem.New(problem.NotFound, "Go back to the app."),
	} {
		b := openBrowser(t, &hydra{err: err})
		b.logIn(ann())
		for method, got := range map[string]reply{
			"GET":  b.get("/oauth/consent?consent_challenge=sesame"),
			"POST": b.post("/oauth/consent", "consent_challenge", "sesame", "decision", "allow"),
		} {
			if got.Status != status || !got.shows(problem.MessageOf(err)) || got.shows("dial") {
				t.Errorf("%s: %d %s", method, got.Status, got.Body)
			}
		}
	}
}
