package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/agreements"
	"pochi/app/agreements/interval"
	"pochi/db"
	"pochi/ilp/ilphttp"
	"pochi/ledger"

	"github.com/google/uuid"
)

// market is a wallet with people, and a shop that has an agreement with one of
// them. Of Hydra there is what answers questions about tokens and apps.
type market struct {
	*station
	hydra     *tokenServer
	ann, ben  person
	agreement agreements.Agreement // of Ann's with the shop: 50 dollars a month
}

const (
	shopClient   = "shop"
	rivalClient  = "rival"
	officeClient = "office" // of the wallet's own
)

var dollars = ledger.Asset{Code: "USD", Scale: 2}

func newMarket(t *testing.T) *market {
	t.Helper()
	m := &market{hydra: newTokenServer(t)}
	m.station = newStation(t, "test.market", "POCHI_HYDRA_ADMIN_URL", m.hydra.URL)
	m.ann, m.ben = m.person("ann"), m.person("ben")
	m.register(shopClient)
	m.register(rivalClient)
	m.agreement = m.agree(agreements.Terms{Description: "Vegetables", Amount: ledger.Amount{Value: 50_00, Asset: dollars}, Interval: monthly(t)})
	m.hydra.give("shop's", m.accessToken(m.agreement.ID))
	return m
}

// register makes a client an app of Ben's that was used a moment ago.
func (m *market) register(client string) {
	m.t.Helper()
	err := m.db.Write(m.t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(m.t.Context(), `INSERT INTO apps (client_id, owner, name, confidential, redirect_uris, policy_url, terms_url,
			revision, settled, created_at) VALUES (?, ?, 'The shop', 1, 'https://shop.example/back', '', '', 1, 1, 0)`, client, m.ben.ID[:])
		return err
	})
	if err == nil {
		err = m.server.apps.Used(m.t.Context(), client)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

func monthly(t testing.TB) interval.Rule {
	t.Helper()
	rule, err := interval.Parse("R/P1M")
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// agree makes an agreement of Ann's with the shop.
func (m *market) agree(terms agreements.Terms) agreements.Agreement {
	m.t.Helper()
	made, err := m.server.agreements.Approve(m.t.Context(), agreements.Approval{
		UserID: m.ann.ID, AccountID: m.ann.Account, ClientID: shopClient, App: "The shop", Terms: terms,
		Amount: terms.Amount.Value, Consent: sha256.Sum256([]byte(uuid.NewString())),
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return made
}

// accessToken is what Hydra says of a token of Ann's for an agreement.
func (m *market) accessToken(agreement uuid.UUID) map[string]any {
	return map[string]any{
		"active": true, "token_use": "access_token", "sub": m.ann.ID.String(), "client_id": shopClient, "aud": []string{m.cfg.PublicURL},
		"scope": "openid agreement", "exp": time.Now().Add(time.Hour).Unix(), "ext": map[string]any{"agreement": agreement.String()},
	}
}

// pointer is somebody's payment pointer here.
func (m *market) pointer(name string) string { return "$" + m.cfg.Host() + "/" + name }

// order is a body that charges cents for a receiver.
func (m *market) order(name, cents string) string {
	return `{"receiver": "` + m.pointer(name) + `", "debitAmount": {"value": "` + cents + `", "assetCode": "USD", "assetScale": 2}}`
}

func (m *market) chargesPath() string {
	return "/api/agreements/" + m.agreement.ID.String() + "/charges"
}

// reply is what the API answered.
type reply struct {
	Status int
	Header http.Header
	Body   map[string]any
}

// ask sends a request with a bearer token, unless that is "".
func (m *market) ask(method, path, token, body string, headers ...string) reply {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), method, m.cfg.PublicURL+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return m.send(r)
}

func (m *market) send(r *http.Request) reply {
	m.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	out := reply{Status: response.StatusCode, Header: response.Header}
	if len(bytes.TrimSpace(text)) > 0 {
		if err := json.Unmarshal(text, &out.Body); err != nil {
			m.t.Fatalf("%v: %s", err, text)
		}
	}
	return out
}

// charge charges Ann for Ben, once for each key.
func (m *market) charge(key, cents string) reply {
	m.t.Helper()
	return m.ask("POST", m.chargesPath(), "shop's", m.order("ben", cents), "Idempotency-Key", key)
}

// has is what is on somebody's account, with nothing on its way.
func (m *market) has(p person) int64 {
	m.t.Helper()
	balance, pending := m.balance(p.Account)
	if pending != 0 {
		m.t.Errorf("%d is pending", pending)
	}
	return balance
}

// packetsURL is where the agreement takes packets.
func (m *market) packetsURL() string { return m.cfg.AgreementsURL() + m.agreement.ID.String() }

// endpoint is the shop's own end of the agreement's link.
func (m *market) endpoint(token string) *ilphttp.Endpoint {
	m.t.Helper()
	client, err := ilphttp.NewClient(ilphttp.ClientConfig{
		Address: "test.shop", DialContext: new(net.Dialer).DialContext, AllowLoopback: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(client.CloseIdleConnections)
	e, err := client.Endpoint(ilphttp.EndpointConfig{Name: "the wallet", URL: m.packetsURL(), Token: token})
	if err != nil {
		m.t.Fatal(err)
	}
	return e
}

// tokenServer answers as Hydra's admin interface does.
type tokenServer struct {
	*httptest.Server
	down  atomic.Bool
	asked atomic.Int64

	mu    sync.Mutex
	known map[string]map[string]any
}

func newTokenServer(t *testing.T) *tokenServer {
	h := &tokenServer{known: map[string]map[string]any{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /admin/oauth2/introspect", h.introspect)
	mux.HandleFunc("GET /admin/clients/{id}", func(w http.ResponseWriter, r *http.Request) {
		about := map[string]any{"client_id": r.PathValue("id"), "client_name": "The shop"}
		if r.PathValue("id") == officeClient {
			about = map[string]any{"client_id": officeClient, "client_name": "Back office", "owner": "wallet", "scope": "admin:read admin:write"}
		}
		answerJSON(w, about)
	})
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *tokenServer) introspect(w http.ResponseWriter, r *http.Request) {
	h.asked.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	about, known := h.known[r.FormValue("token")]
	if !known {
		about = map[string]any{"active": false}
	}
	answerJSON(w, about)
}

// give makes a token known.
func (h *tokenServer) give(token string, about map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.known[token] = about
}

func answerJSON(w http.ResponseWriter, about map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(about) // who asked may have gone
}
