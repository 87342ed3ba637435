package oauth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"pochi/app/agreements"
	"pochi/app/problem"

	"github.com/google/uuid"
)

// hookBodyMax is how large a question of Hydra's may be, in bytes: it repeats
// what the app has sent.
const hookBodyMax = 1 << 20

// TokenHook answers POST /hooks/token: Hydra asks before it gives a token to an
// app, for a code, for a refresh token and for a client's own credentials. An
// agreement that has ended gets no more tokens, nor does a client that is neither
// an app of this wallet nor one of its own services, and
// nobody gets scopes that aren't theirs to have. Hydra is told 204 for yes: with
// 200 it would take the token's claims from the answer. 403 is no, and with
// everything else, and without an answer, no token is given either.
//
// It asks up to three times: to be asked again changes nothing.
type TokenHook struct {
	Key        string // that Hydra must know
	Agreements HookAgreements
	Apps       HookApps
	Clients    HookClients // as Hydra knows them
	Log        *slog.Logger
}

// HookAgreements is what the hook needs of agreements.
type HookAgreements interface {
	// OfClient returns an agreement of an app, or problem.NotFound.
	OfClient(ctx context.Context, clientID string, id uuid.UUID) (agreements.Agreement, error)
	// Collected notes that the app gets a token for an agreement.
	Collected(ctx context.Context, id uuid.UUID) error
}

// HookApps is what the hook needs of the apps that people have registered.
type HookApps interface {
	// Registered returns nil for an app of this wallet, problem.Gone for one that was
	// deleted, and problem.NotFound for any other client.
	Registered(ctx context.Context, clientID string) error
}

// HookClients is what the hook needs of the clients at Hydra.
type HookClients interface {
	// FindClient returns a client, or problem.NotFound.
	FindClient(ctx context.Context, id string) (Client, error)
}

// hookQuestion is what Hydra asks, as far as it matters.
type hookQuestion struct {
	Session struct {
		IDToken struct {
			Subject string `json:"subject"`
		} `json:"id_token"`
		Extra map[string]any `json:"extra"`
	} `json:"session"`
	Request struct {
		ClientID        string   `json:"client_id"`
		RequestedScopes []Scope  `json:"requested_scopes"` // of people all are granted, or none
		GrantedScopes   []Scope  `json:"granted_scopes"`   // none yet when it is about a code
		GrantTypes      []string `json:"grant_types"`
	} `json:"request"`
}

// ServeHTTP implements http.Handler.
func (h TokenHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+h.Key)) != 1 {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var question hookQuestion
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, hookBodyMax)).Decode(&question); err != nil {
		h.Log.WarnContext(r.Context(), "hydra's question about a token can't be read", "error", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	err := h.judge(r.Context(), question)
	switch problem.CodeOf(err) {
	case "":
		w.WriteHeader(http.StatusNoContent)
	case problem.Forbidden, problem.NotFound, problem.Gone:
		h.Log.InfoContext(r.Context(), "a token is refused", "client", question.Request.ClientID, "error", err)
		w.WriteHeader(http.StatusForbidden)
	default:
		h.Log.ErrorContext(r.Context(), "whether a token may be given isn't known", "client", question.Request.ClientID, "error", err)
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// judge returns nil when a token may be given, and problem.Forbidden, NotFound or
// Gone when it may not.
func (h TokenHook) judge(ctx context.Context, q hookQuestion) error {
	if len(q.Request.GrantTypes) != 1 {
		return noToken("there isn't exactly one grant type")
	}
	switch q.Request.GrantTypes[0] {
	case grantCode, grantRefresh:
		return h.judgePerson(ctx, q)
	case grantCredentials:
		return h.judgeService(ctx, q)
	}
	return noToken("the grant type isn't for our clients")
}

// judgePerson is for tokens that somebody has allowed an app.
func (h TokenHook) judgePerson(ctx context.Context, q hookQuestion) error {
	if err := h.Apps.Registered(ctx, q.Request.ClientID); err != nil {
		return err
	}
	scopes := slices.Concat(q.Request.RequestedScopes, q.Request.GrantedScopes)
	if slices.ContainsFunc(scopes, func(s Scope) bool { return !slices.Contains(known(), s) }) {
		return noToken("people can't grant these scopes")
	}
	id, err := agreementOf(q.Session.Extra)
	if err != nil {
		return noToken(err.Error())
	}
	if slices.Contains(scopes, AgreementScope) != (id != uuid.Nil) {
		return noToken("an agreement and its scope go together")
	}
	if id == uuid.Nil {
		return nil
	}
	agreement, err := h.Agreements.OfClient(ctx, q.Request.ClientID, id)
	if err != nil {
		return fmt.Errorf("find the agreement: %w", err)
	}
	switch {
	case !agreement.Live():
		return noToken("the agreement has ended")
	case agreement.UserID.String() != q.Session.IDToken.Subject:
		return noToken("the agreement is somebody else's")
	}
	return h.Agreements.Collected(ctx, id)
}

// judgeService is for tokens that a client gets for itself. Hydra would give it
// everything that people can grant it, too.
func (h TokenHook) judgeService(ctx context.Context, q hookQuestion) error {
	own, err := h.ownScopes(ctx, q.Request.ClientID)
	if err != nil {
		return err
	}
	if len(q.Request.GrantedScopes) == 0 || slices.ContainsFunc(q.Request.GrantedScopes, func(s Scope) bool { return !slices.Contains(own, s) }) {
		return noToken("a client can't have these scopes for itself")
	}
	return nil
}

// ownScopes returns what a client may have for itself: an app, or one of the wallet's
// own services, which only Hydra knows.
func (h TokenHook) ownScopes(ctx context.Context, clientID string) ([]Scope, error) {
	unknown := h.Apps.Registered(ctx, clientID)
	if problem.CodeOf(unknown) != problem.NotFound {
		return []Scope{AgreementsPropose}, unknown
	}
	found, err := h.Clients.FindClient(ctx, clientID)
	if err == nil && !found.Service {
		err = unknown
	}
	return ServiceScopes(), err
}

func noToken(why string) error {
	return problem.New(problem.Forbidden, "No token is given.").Because(errors.New(why))
}
