package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pochi/app/problem"
)

const tokenMax = 4 << 10 // bytes; Hydra's opaque tokens have about 90

// Token is a valid access token.
type Token struct {
	Subject   string // whose it is: the id given to AcceptLogin, or the client's own id
	ClientID  string
	Scopes    []Scope // as granted, known or not
	Audience  []string
	ExpiresAt time.Time
}

// Has tells whether the token was granted a scope.
func (t Token) Has(scope Scope) bool { return slices.Contains(t.Scopes, scope) }

// For tells whether the token is meant for an API.
func (t Token) For(audience string) bool { return slices.Contains(t.Audience, audience) }

// Introspect returns what an access token stands for (RFC 7662). Any other
// string, a refresh token among them, is Unauthenticated: Hydra calls refresh
// tokens active, too.
func (p *Provider) Introspect(ctx context.Context, token string) (Token, error) {
	if token == "" || len(token) > tokenMax {
		return Token{}, invalidToken(errors.New("no token, or one that is too long"))
	}
	answer, _, err := p.oauth2.IntrospectOAuth2Token(ctx).Token(token).Execute()
	if err != nil {
		return Token{}, unavailable(fmt.Errorf("introspect: %w", withoutURL(err)))
	}
	if answer == nil {
		return Token{}, unavailable(errors.New("introspect: empty answer"))
	}
	expires := time.Unix(answer.GetExp(), 0).UTC()
	switch {
	case !answer.Active:
		return Token{}, invalidToken(errors.New("not active"))
	case answer.GetTokenUse() != "access_token":
		return Token{}, invalidToken(errors.New("not an access token"))
	case !expires.After(p.now()):
		return Token{}, invalidToken(errors.New("expired"))
	case answer.GetSub() == "" || answer.GetClientId() == "":
		return Token{}, invalidToken(errors.New("nobody's"))
	}
	return Token{
		Subject:   answer.GetSub(),
		ClientID:  answer.GetClientId(),
		Scopes:    scopesOf(answer.GetScope()),
		Audience:  answer.GetAud(),
		ExpiresAt: expires,
	}, nil
}

func invalidToken(err error) error {
	return problem.New(problem.Unauthenticated, "The access token is not valid, or not any more.").Because(err)
}
