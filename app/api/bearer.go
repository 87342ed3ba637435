package api

import (
	"fmt"
	"net/http"
	"strings"

	"pochi/app/oauth"
	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
)

const realm = `Bearer realm="pochi"`

// authorize lets a request through to its endpoint when it bears a token (RFC
// 6750, section 2.1) that is meant for this API and has the endpoint's scope.
func (a *API) authorize(e endpoint) fiber.Handler {
	return func(c *fiber.Ctx) error {
		bearer, ok := bearerOf(c)
		if !ok {
			return unauthenticated(realm, "This resource needs an access token.")
		}
		token, err := a.tokens.Introspect(c.UserContext(), bearer)
		if problem.CodeOf(err) == problem.Unauthenticated {
			return invalidToken(problem.MessageOf(err))
		}
		if err != nil {
			return fmt.Errorf("introspect: %w", err)
		}
		if !token.For(a.audience) {
			return insufficient(e.scope, "The access token is not meant for this API.")
		}
		if !token.Has(e.scope) {
			return insufficient(e.scope, fmt.Sprintf("The access token lacks the scope %s.", e.scope))
		}
		return e.handle(c, token)
	}
}

// bearerOf returns the token in the Authorization header.
func bearerOf(c *fiber.Ctx) (string, bool) {
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
