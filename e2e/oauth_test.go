package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestAnAppIsAllowed(t *testing.T) {
	for _, mode := range []struct {
		name    string
		scripts bool
	}{{"with JavaScript", true}, {"without JavaScript", false}} {
		t.Run(mode.name, func(t *testing.T) {
			w := startWallet(t)
			shop := newClient(w, "Demo Shop", "openid", "profile")
			ann := startBrowser(t).newPerson(w, "Ann", "USD", mode.scripts)
			ann.logOut()

			ann.open(shop.start())
			ann.sees("Demo Shop") // the log-in page says for whom
			ann.shot("login-for-app")
			ann.logIn()
			ann.sees("Allow Demo Shop?")
			ann.shot("consent")
			ann.press("Allow")
			ann.sees("Back at Demo Shop")
			token := shop.token()

			status, body := fetch(t, w.URL+"/api/me", "Authorization", "Bearer "+token.AccessToken)
			var me map[string]any
			if err := json.Unmarshal([]byte(body), &me); status != http.StatusOK || err != nil {
				t.Fatalf("GET /api/me: %d %s", status, body)
			}
			if !strings.Contains(body, "Ann") {
				t.Errorf("GET /api/me doesn't name Ann: %s", body)
			}

			ann.open(shop.start()) // still logged in: no second log-in, but asked again
			ann.sees("Allow Demo Shop?")
			ann.press("Deny")
			ann.sees("Back at Demo Shop")
			if got := shop.brought().Get("error"); got != "access_denied" {
				t.Errorf("the app was told %q, want access_denied", got)
			}
		})
	}
}

func TestTokensThatMayNot(t *testing.T) {
	w := startWallet(t)
	shop := newClient(w, "Demo Shop", "profile")
	ann := startBrowser(t).newPerson(w, "Ann", "USD", true)
	ann.open(shop.start())
	ann.press("Allow")
	ann.sees("Back at Demo Shop")
	token := shop.token()

	for name, c := range map[string]struct {
		authorization string
		want          int
	}{
		"no token":             {"", http.StatusUnauthorized},
		"not a token":          {"Bearer ory_at_invented", http.StatusUnauthorized},
		"not a bearer":         {"Basic QW5uOkFubg==", http.StatusUnauthorized},
		"without scope openid": {"Bearer " + token.AccessToken, http.StatusForbidden},
	} {
		if status, body := fetch(t, w.URL+"/api/me", "Authorization", c.authorization); status != c.want {
			t.Errorf("%s: status %d, want %d: %s", name, status, c.want, body)
		}
	}
}

func TestSomebodySignsUpForAnApp(t *testing.T) {
	w := startWallet(t)
	shop := newClient(w, "Demo Shop", "openid", "profile")
	eve := &person{tab: startBrowser(t).newTab(w.URL, true), Name: "Eve", Email: "eve@example.com"}
	eve.open(shop.start())
	if err := eve.page.Locator("main").GetByText("Sign up").First().Click(); err != nil {
		t.Fatal(err)
	}
	eve.signUp("eve", "EUR")
	eve.sees("Allow Demo Shop?")
	eve.press("Allow")
	eve.sees("Back at Demo Shop")
	shop.token()
}

func TestOAuthMistakesAreExplained(t *testing.T) {
	w := startWallet(t)
	ann := startBrowser(t).newPerson(w, "Ann", "USD", true)
	for _, address := range []string{
		w.HydraURL + "/oauth2/auth?client_id=unknown&response_type=code",
		"/oauth/login", "/oauth/login?login_challenge=invented",
		"/oauth/consent", "/oauth/consent?consent_challenge=invented",
		"/oauth/logout", "/oauth/logout?logout_challenge=invented",
	} {
		ann.open(address)
		if !strings.HasPrefix(ann.page.URL(), w.URL+"/") || ann.text() == "" {
			t.Errorf("%s ends at %s, without a page of the wallet", address, ann.page.URL())
		}
	}
	ann.shot("oauth-error")
}

func TestWithoutHydra(t *testing.T) {
	w := newWallet(t)
	w.start()
	browser := startBrowser(t)
	ann := browser.newPerson(w, "Ann", "USD", true)
	ben := browser.newPerson(w, "Ben", "USD", true)
	ann.addMoney("10.00")
	ann.pay(ben.Pointer, "4.00")
	ann.holds("6.00")

	down := w.health()
	if down.hydra == down.database {
		t.Errorf("health says the same of the database and of Hydra, which doesn't run: %+v", down)
	}
	for _, path := range []string{
		"/oauth/login?login_challenge=x", "/oauth/consent?consent_challenge=x", "/oauth/logout?logout_challenge=x",
	} {
		answer, err := ann.page.Goto(path)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status() != http.StatusServiceUnavailable {
			t.Errorf("%s answers %d without Hydra, want 503", path, answer.Status())
		}
	}
	ann.shot("unavailable")
	if status, _ := fetch(t, w.URL+"/api/me", "Authorization", "Bearer x"); status != http.StatusServiceUnavailable {
		t.Errorf("/api/me answers %d without Hydra, want 503", status)
	}

	w.startHydra()
	poll(t, startMax, "health says that Hydra is there", func() bool { h := w.health(); return h.hydra == h.database })
	shop := newClient(w, "Demo Shop", "openid", "profile")
	ann.open(shop.start())
	ann.press("Allow")
	ann.sees("Back at Demo Shop")
	shop.token()
}

// health is what the wallet says of the two things it needs.
type health struct{ database, hydra any }

// health asks the ops listener.
func (w *wallet) health() health {
	w.t.Helper()
	_, body := fetch(w.t, w.OpsURL+"/healthz")
	var said map[string]any
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		w.t.Fatalf("healthz says %s: %v", body, err)
	}
	for _, name := range []string{"database", "hydra"} {
		if said[name] == nil {
			w.t.Errorf("healthz doesn't name %s: %s", name, body)
		}
	}
	return health{said["database"], said["hydra"]}
}
