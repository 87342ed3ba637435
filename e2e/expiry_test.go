package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

// shortMax is how long the agreement that expires can be used: time to allow it, and less than the tests between take.
const shortMax = 15 * time.Second

// short is an agreement that expires.
type short struct {
	client *client
	token  *oauth2.Token
	id     string
}

// testShort makes the agreement, and uses it while it can be.
func (m *market) testShort() {
	s := &short{client: newClient(m.wallet, "Pop-up stall", "openid", "offline_access", "agreement")}
	ann := m.device(m.ann)
	until := time.Now().Add(shortMax)
	ann.open(s.client.startAgreement(fmt.Sprintf(
		`[{"type": "agreement", "description": "Until the stall closes", "amount": {"value": "100", "assetCode": "USD", "assetScale": 2}, "expiresAt": %q}]`,
		until.Format(time.RFC3339))))
	ann.press("Allow")
	ann.sees("Back at Pop-up stall")
	s.token = s.client.token()
	var granted struct {
		Agreements []struct{ ID, State string }
	}
	if status := m.api(s.token, http.MethodGet, "/agreements", nil, &granted); status != http.StatusOK || len(granted.Agreements) != 1 || granted.Agreements[0].State != "active" {
		m.t.Fatalf("the agreement: %d %+v", status, granted)
	}
	s.id = granted.Agreements[0].ID
	if status := m.charge(s, "first"); status != http.StatusCreated {
		m.t.Errorf("before it expires a charge is answered with %d", status)
	}
	m.short = s
}

// testExpired uses it when it has expired.
func (m *market) testExpired() {
	s := m.short
	if s == nil {
		m.t.Skip("there is no such agreement")
	}
	var now struct{ State string }
	poll(m.t, startMax, "it has expired", func() bool {
		if status := m.api(s.token, http.MethodGet, "/agreements/"+s.id, nil, &now); status != http.StatusOK {
			m.t.Fatalf("the agreement: %d", status)
		}
		return now.State == "expired"
	})
	if status := m.charge(s, "second"); status != http.StatusForbidden {
		m.t.Errorf("a charge is answered with %d, want 403", status)
	}
	if status := m.charge(s, "first"); status != http.StatusOK {
		m.t.Errorf("the charge from before is answered with %d, want 200", status)
	}
	old := &oauth2.Token{RefreshToken: s.token.RefreshToken}
	if fresh, err := s.client.config.TokenSource(m.t.Context(), old).Token(); err == nil {
		m.t.Errorf("it could be refreshed: %v", fresh.Expiry)
	}
}

// charge charges 0.40 for Flora.
func (m *market) charge(s *short, key string) (status int) {
	m.t.Helper()
	return m.api(s.token, http.MethodPost, "/agreements/"+s.id+"/charges", map[string]any{
		"receiver": m.flora.Pointer, "debitAmount": map[string]any{"value": "40", "assetCode": "USD", "assetScale": 2},
	}, nil, "Idempotency-Key", key)
}

// api asks the wallet's API with a token, reads the answer if out isn't nil, and returns its status.
func (m *market) api(token *oauth2.Token, method, path string, in, out any, headers ...string) (status int) {
	m.t.Helper()
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			m.t.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(m.t.Context(), method, m.URL+"/api"+path, &body)
	if err != nil {
		m.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token.AccessToken)
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		m.t.Fatal(err)
	}
	defer answer.Body.Close()
	if out != nil {
		if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
			m.t.Fatalf("%s %s: %s, %v", method, path, answer.Status, err)
		}
	}
	return answer.StatusCode
}
