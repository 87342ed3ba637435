package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"pochi/app/agreements"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/app/users"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

const realm = `Bearer realm="pochi"`

// authorize lets a request through to its endpoint when it bears a token (RFC
// 6750, section 2.1) that is meant for this API, of the endpoint's kind and with
// its scope, and for the agreement in the path.
func (a *API) authorize(e endpoint) fiber.Handler {
	return func(c *fiber.Ctx) error {
		token, err := a.tokenOf(c)
		if err != nil {
			return err
		}
		if err := a.limits.app(token.ClientID); err != nil {
			return err
		}
		if err := e.allows(token, a.audience); err != nil {
			return err
		}
		if err := a.checkOwn(c.UserContext(), e.scope, token); err != nil {
			return err
		}
		by, err := a.callerOf(c, token)
		if err != nil {
			return err
		}
		if kindOf(token) == agreement && !e.ended {
			if err := notEnded(by.agreement); err != nil {
				return err
			}
		}
		return e.handle(c, by)
	}
}

// tokenOf returns what the request's token stands for.
func (a *API) tokenOf(c *fiber.Ctx) (oauth.Token, error) {
	bearer, ok := bearerOf(c)
	if !ok {
		return oauth.Token{}, unauthenticated(realm, "This resource needs an access token.")
	}
	guessed, err := a.limits.stranger(c.IP())
	if err != nil {
		return oauth.Token{}, err
	}
	token, err := a.tokens.Introspect(c.UserContext(), bearer)
	if problem.CodeOf(err) == problem.Unauthenticated {
		guessed()
		return oauth.Token{}, invalidToken(problem.MessageOf(err))
	}
	if err != nil {
		return oauth.Token{}, fmt.Errorf("introspect: %w", err)
	}
	if !coherent(token) {
		return oauth.Token{}, invalidToken("The access token isn't one that this wallet gives out.")
	}
	return token, nil
}

// coherent reports whether a token says one thing: the scope of agreements goes
// with an agreement, and an agreement with a person.
func coherent(token oauth.Token) bool {
	names := token.Agreement != uuid.Nil
	return token.Has(oauth.AgreementScope) == names && !(names && kindOf(token) == service)
}

// allows returns why the endpoint doesn't take a token, nil if it does.
func (e endpoint) allows(token oauth.Token, audience string) error {
	if !token.For(audience) {
		return insufficient(e.scope, "The access token is not meant for this API.")
	}
	if err := e.of.takes(token); err != nil {
		return err
	}
	if !token.Has(e.scope) {
		return insufficient(e.scope, fmt.Sprintf("The access token lacks the scope %s.", e.scope))
	}
	return nil
}

// checkOwn lets only clients of the wallet's own use the scopes of its back
// office, and only those that have the scope to this day: whatever a token of an
// app says, it isn't enough.
func (a *API) checkOwn(ctx context.Context, scope oauth.Scope, token oauth.Token) error {
	if !slices.Contains(oauth.ServiceScopes(), scope) {
		return nil
	}
	found, err := a.clients.FindClient(ctx, token.ClientID)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return invalidToken("The client that the access token belongs to isn't registered any more.")
	case err != nil:
		return fmt.Errorf("find the client: %w", err)
	case !found.Service || !slices.Contains(found.Scopes, scope):
		return insufficient(scope, fmt.Sprintf("Only the wallet's own clients that have the scope %s can do this.", scope))
	}
	return nil
}

// callerOf finds out whose the token is. An agreement in the path that isn't the
// token's is no resource, whether or not it exists.
func (a *API) callerOf(c *fiber.Ctx, token oauth.Token) (by caller, err error) {
	by.Token = token
	if kindOf(token) == service {
		return by, nil
	}
	if by.person, err = a.personOf(c.UserContext(), token); err != nil {
		return by, err
	}
	if kindOf(token) != agreement {
		return by, nil
	}
	if id := c.Params("id", token.Agreement.String()); id != token.Agreement.String() {
		return by, notFound(c)
	}
	by.agreement, err = a.agreementOf(c.UserContext(), token)
	return by, err
}

// personOf returns whom a token belongs to.
func (a *API) personOf(ctx context.Context, token oauth.Token) (users.User, error) {
	const nobody = "Whoever the access token belongs to has no account here any more."
	id, err := uuid.Parse(token.Subject)
	if err != nil {
		return users.User{}, invalidToken(nobody)
	}
	found, err := a.people.Find(ctx, id)
	if problem.CodeOf(err) == problem.NotFound {
		return users.User{}, invalidToken(nobody)
	}
	if err != nil {
		return users.User{}, fmt.Errorf("find the token's person: %w", err)
	}
	return found, nil
}

// agreementOf returns the agreement that a token is for: its client's, and its
// person's.
func (a *API) agreementOf(ctx context.Context, token oauth.Token) (agreements.Agreement, error) {
	const none = "There is no agreement that the access token is for."
	found, err := a.agreements.OfClient(ctx, token.ClientID, token.Agreement)
	if problem.CodeOf(err) == problem.NotFound {
		return agreements.Agreement{}, invalidToken(none)
	}
	if err != nil {
		return agreements.Agreement{}, fmt.Errorf("find the token's agreement: %w", err)
	}
	if found.UserID.String() != token.Subject {
		return agreements.Agreement{}, invalidToken(none)
	}
	return found, nil
}

// notEnded refuses what only an agreement that still holds allows. One that is
// paused does.
func notEnded(found agreements.Agreement) error {
	if found.Live() {
		return nil
	}
	return newFault(http.StatusForbidden, "agreement_ended", "Not allowed", "The agreement that the access token is for has ended.")
}

// bearerOf returns the token in the Authorization header.
func bearerOf(c *fiber.Ctx) (string, bool) {
	if len(c.Request().Header.PeekAll(fiber.HeaderAuthorization)) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", false
	}
	return strings.Clone(token), true
}

// invalidToken asks for another token (RFC 6750, section 3.1).
func invalidToken(detail string) error {
	return unauthenticated(realm+`, error="invalid_token"`, detail)
}

func unauthenticated(challenge, detail string) error {
	f := newFault(http.StatusUnauthorized, "unauthenticated", "Not authenticated", detail)
	f.challenge = challenge
	return f
}

// insufficient names the scope that is needed (RFC 6750, section 3.1).
func insufficient(scope oauth.Scope, detail string) error {
	f := newFault(http.StatusForbidden, "insufficient_scope", "Not allowed", detail)
	f.challenge = fmt.Sprintf(`%s, error="insufficient_scope", scope="%s"`, realm, scope)
	return f
}
