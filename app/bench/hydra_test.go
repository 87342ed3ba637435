package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// hydra answers a wallet as Ory Hydra's admin interface does, at once and from memory: what a benchmark measures is the wallet. Every
// app has one request, which somebody consents to once.
type hydra struct {
	*httptest.Server
	audience string // of the tokens: the wallet's public URL

	mu       sync.Mutex
	consents map[string]consent        // by challenge
	tokens   map[string]map[string]any // what they stand for
	granted  map[string]string         // agreements by challenge
}

// consent is what an app asks of a person.
type consent struct {
	person person
	app    string
}

// challenge is what the person's consent page is asked for by; token is what the app gets.
func (c consent) challenge() string { return c.app + "-asks-" + c.person.Name }
func (c consent) token() string     { return "token-of-" + c.app + "-for-" + c.person.Name }

// mostOf is how many cents a month an agreement is about: more than anybody spends here.
const mostOf = 1_000_000_000

func startHydra(b *testing.B) *hydra {
	h := &hydra{consents: map[string]consent{}, tokens: map[string]map[string]any{}, granted: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/oauth2/auth/requests/consent", h.showConsent)
	mux.HandleFunc("PUT /admin/oauth2/auth/requests/consent/accept", h.acceptConsent)
	mux.HandleFunc("POST /admin/oauth2/introspect", h.introspect)
	h.Server = httptest.NewServer(mux)
	b.Cleanup(h.Close)
	return h
}

// ask has an app ask a person.
func (h *hydra) ask(c consent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.consents[c.challenge()] = c
}

// agreementOf returns the id of the agreement that came of it, "" for none.
func (h *hydra) agreementOf(c consent) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.granted[c.challenge()]
}

func (h *hydra) asked(r *http.Request) consent {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.consents[r.FormValue("consent_challenge")]
}

func (h *hydra) showConsent(w http.ResponseWriter, r *http.Request) {
	const back = "https://shop.example/back"
	asked := h.asked(r)
	wanted := url.Values{
		"client_id": {asked.app}, "response_type": {"code"}, "redirect_uri": {back}, "scope": {"openid agreement"}, "state": {"bench"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		"authorization_details": {fmt.Sprintf(`[{"type": "agreement", "description": "Vegetables, and whatever goes with them", "interval": "R/P1M",
			"amount": {"value": "%d", "assetCode": "USD", "assetScale": 2}}]`, mostOf)},
	}
	answer(w, map[string]any{
		"challenge": asked.challenge(), "subject": asked.person.id().String(), "login_challenge": asked.challenge(),
		"request_url": h.URL + "/oauth2/auth?" + wanted.Encode(), "requested_scope": []string{"openid", "agreement"},
		"client": map[string]any{"client_id": asked.app, "client_name": "The shop", "redirect_uris": []string{back}},
	})
}

func (h *hydra) acceptConsent(w http.ResponseWriter, r *http.Request) {
	asked := h.asked(r)
	var granted struct {
		Session struct {
			Token struct{ Agreement string } `json:"access_token"`
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&granted); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.granted[asked.challenge()] = granted.Session.Token.Agreement
	h.tokens[asked.token()] = map[string]any{
		"active": true, "token_use": "access_token", "sub": asked.person.id().String(), "client_id": asked.app, "aud": []string{h.audience},
		"scope": "openid agreement", "exp": time.Now().Add(time.Hour).Unix(), "ext": map[string]any{"agreement": granted.Session.Token.Agreement},
	}
	answer(w, map[string]any{"redirect_to": h.URL + "/oauth2/auth?consent_verifier=bench"})
}

func (h *hydra) introspect(w http.ResponseWriter, r *http.Request) {
	token := r.FormValue("token")
	h.mu.Lock()
	about, known := h.tokens[token]
	h.mu.Unlock()
	if !known {
		about = map[string]any{"active": false}
	}
	answer(w, about)
}

func answer(w http.ResponseWriter, about map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(about) // a wallet that stops may have gone
}
