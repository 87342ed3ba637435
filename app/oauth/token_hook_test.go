package oauth_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pochi/app/agreements"
	"pochi/app/oauth"
	"pochi/app/problem"

	"github.com/google/uuid"
)

// register is one agreement, and the apps c1 and c2.
type register struct {
	state   agreements.State
	deleted string
	unknown string // to the wallet; Hydra knows it
	err     error
	full    error // when something is to be written
	down    error // when Hydra is asked
}

func (r register) OfClient(_ context.Context, clientID string, id uuid.UUID) (agreements.Agreement, error) {
	if r.err != nil {
		return agreements.Agreement{}, r.err
	}
	if clientID != "c1" || id.String() != agreementID {
		return agreements.Agreement{}, problem.New(problem.NotFound, "There is no such agreement.")
	}
	return agreements.Agreement{ID: id, UserID: uuid.MustParse(subject), State: r.state}, nil
}

func (r register) Collected(context.Context, uuid.UUID) error { return r.full }

func (r register) Registered(_ context.Context, clientID string) error {
	switch clientID {
	case r.deleted:
		return problem.New(problem.Gone, "The app was deleted.")
	case r.unknown, "office":
		return problem.New(problem.NotFound, "This wallet doesn't know the app.")
	}
	return nil
}

func (r register) FindClient(_ context.Context, id string) (oauth.Client, error) {
	return oauth.Client{ID: id, Service: id == "office"}, r.down
}

const (
	codeGrant    = `{"session":{"id_token":{"subject":"` + subject + `"},"extra":{"agreement":"` + agreementID + `"}},"request":{"client_id":"c1","requested_scopes":["openid","agreement"],"granted_scopes":[],"grant_types":["authorization_code"]}}`
	scopesGrant  = `{"session":{"id_token":{"subject":"` + subject + `"},"extra":{}},"request":{"client_id":"c1","requested_scopes":["openid","accounts:read"],"granted_scopes":["openid","accounts:read"],"grant_types":["refresh_token"]}}`
	serviceGrant = `{"session":{"id_token":{"subject":"c1"},"extra":null},"request":{"client_id":"c1","granted_scopes":["agreements:propose"],"grant_types":["client_credentials"]}}`
	officeGrant  = `{"session":{"id_token":{"subject":"c1"},"extra":null},"request":{"client_id":"c1","granted_scopes":["admin:write"],"grant_types":["client_credentials"]}}`
)

func TestTokenHook(t *testing.T) {
	replace := strings.Replace
	for name, tt := range map[string]struct {
		register register
		body     string
		status   int
	}{
		"a live agreement":                 {register{}, codeGrant, 204},
		"nothing can be written":           {register{full: errors.New("disk")}, codeGrant, 503},
		"a paused agreement":               {register{state: agreements.Paused}, codeGrant, 204},
		"a revoked agreement":              {register{state: agreements.Revoked}, codeGrant, 403},
		"an expired agreement":             {register{state: agreements.Expired}, replace(codeGrant, "authorization_code", "refresh_token", 1), 403},
		"another app's agreement":          {register{}, replace(codeGrant, `"c1"`, `"c2"`, 1), 403},
		"another person's agreement":       {register{}, replace(codeGrant, subject, "0194d0b0-0000-7000-8000-000000000002", 1), 403},
		"nobody's agreement":               {register{}, replace(codeGrant, agreementID, subject, 1), 403},
		"an agreement that can't be read":  {register{}, replace(codeGrant, `"`+agreementID+`"`, "1", 1), 403},
		"an agreement without its scope":   {register{}, replace(codeGrant, `"openid","agreement"`, `"openid"`, 1), 403},
		"the scope without an agreement":   {register{}, replace(codeGrant, `"agreement":"`+agreementID+`"`, "", 1), 403},
		"an agreement, refreshed without":  {register{}, replace(replace(codeGrant, `[]`, `["openid"]`, 1), "authorization_code", "refresh_token", 1), 204},
		"a deleted app":                    {register{deleted: "c1"}, scopesGrant, 403},
		"scopes":                           {register{}, scopesGrant, 204},
		"an admin's scope, from a person":  {register{}, replace(scopesGrant, "accounts:read", "admin:read", 1), 403},
		"a service's, from a person":       {register{}, replace(scopesGrant, "accounts:read", "agreements:propose", 1), 403},
		"a deleted app, for itself":        {register{deleted: "c1"}, serviceGrant, 403},
		"an unknown app":                   {register{unknown: "c1"}, scopesGrant, 403},
		"an unknown app, for itself":       {register{unknown: "c1"}, serviceGrant, 403},
		"an unknown office":                {register{unknown: "c1"}, officeGrant, 403},
		"a service":                        {register{}, serviceGrant, 204},
		"the back office":                  {register{}, replace(officeGrant, "c1", "office", 2), 204},
		"the back office, of a person":     {register{}, replace(scopesGrant, "c1", "office", 1), 403},
		"the back office proposes":         {register{}, replace(serviceGrant, "c1", "office", 2), 403},
		"an app as the back office":        {register{}, officeGrant, 403},
		"Hydra can't be asked back":        {register{unknown: "c1", down: errors.New("down")}, officeGrant, 503},
		"a person's scope, from a service": {register{}, replace(serviceGrant, "agreements:propose", "accounts:read", 1), 403},
		"an agreement, from a service":     {register{}, replace(serviceGrant, "agreements:propose", "agreement", 1), 403},
		"a service without scopes":         {register{}, replace(serviceGrant, `"agreements:propose"`, "", 1), 403},
		"a password":                       {register{}, replace(scopesGrant, "refresh_token", "password", 1), 403},
		"two grants":                       {register{}, replace(scopesGrant, `"refresh_token"`, `"refresh_token","client_credentials"`, 1), 403},
		"no grant":                         {register{}, `{}`, 403},
		"nonsense":                         {register{}, `[]`, 400},
		"a broken database":                {register{err: errors.New("disk")}, codeGrant, 503},
	} {
		if tt.register.state == "" {
			tt.register.state = agreements.Active
		}
		hook := oauth.TokenHook{Key: "key", Agreements: tt.register, Apps: tt.register, Clients: tt.register, Log: slog.New(slog.DiscardHandler)}
		if got := ask(hook, "Bearer key", tt.body); got != tt.status {
			t.Errorf("%s: %d, want %d", name, got, tt.status)
		}
	}
}

func TestTokenHookIsForHydraOnly(t *testing.T) {
	known := register{state: agreements.Active}
	hook := oauth.TokenHook{Key: "key", Agreements: known, Apps: known, Clients: known, Log: slog.New(slog.DiscardHandler)}
	for _, header := range []string{"", "Bearer ", "Bearer kez", "Bearer key2", "key", "Basic key"} {
		if got := ask(hook, header, codeGrant); got != 401 {
			t.Errorf("%q: %d", header, got)
		}
	}
	if got := ask(hook, "Bearer key", codeGrant); got != 204 {
		t.Errorf("Hydra: %d", got)
	}
}

func ask(hook http.Handler, authorization, body string) int {
	r := httptest.NewRequest(http.MethodPost, "/hooks/token", strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	hook.ServeHTTP(w, r)
	return w.Code
}
