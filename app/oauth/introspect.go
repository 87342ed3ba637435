package oauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pochi/app/problem"

	"github.com/google/uuid"
	hydra "github.com/ory/hydra-client-go/v2"
)

const tokenMax = 4 << 10 // bytes; Hydra's opaque tokens have about 90

// Token is a valid access token.
type Token struct {
	Subject   string // whose it is: the id given to AcceptLogin, or the client's own id
	ClientID  string
	Scopes    []Scope // as granted, known or not
	Audience  []string
	Agreement uuid.UUID // the one that it can spend under; zero for none
	ExpiresAt time.Time
}

// Has tells whether the token was granted a scope.
func (t Token) Has(scope Scope) bool { return slices.Contains(t.Scopes, scope) }

// For tells whether the token is meant for an API.
func (t Token) For(audience string) bool { return slices.Contains(t.Audience, audience) }

// OfService tells whether the token is what one of the wallet's own services gets for
// itself: all of its scopes are the back office's. Whether the client is one, only
// Hydra knows.
func (t Token) OfService() bool {
	other := func(s Scope) bool { return !slices.Contains(ServiceScopes(), s) }
	return t.Subject == t.ClientID && len(t.Scopes) > 0 && !slices.ContainsFunc(t.Scopes, other)
}

// agreementClaim is where a token says which agreement it is for: in the access
// token's part of Hydra's session.
const agreementClaim = "agreement"

// Introspect returns what an access token stands for (RFC 7662). Any other
// string, a refresh token among them, is Unauthenticated: Hydra calls refresh
// tokens active, too. What is found out is kept for 5 seconds at most. Those who
// ask about one token at the same time are one question.
func (p *Provider) Introspect(ctx context.Context, token string) (Token, error) {
	if !isToken(token) {
		return Token{}, invalidToken(errors.New("nothing that Hydra has issued"))
	}
	key, now := sha256.Sum256([]byte(token)), p.now()
	found, asked, err := p.cache.find(key, now)
	if !errors.Is(err, errUnknown) {
		return found, err
	}
	question := fmt.Sprintf("%s %d", key, asked) // who asks after a revocation waits for no answer from before
	answered := p.asking.DoChan(question, func() (any, error) {
		// One who gives up takes the answer from nobody else.
		return p.ask(context.WithoutCancel(ctx), key, token, now)
	})
	select {
	case answer := <-answered:
		found, _ := answer.Val.(Token)
		return found, answer.Err
	case <-ctx.Done():
		return Token{}, unavailable(fmt.Errorf("introspect: %w", ctx.Err()))
	}
}

// ask asks Hydra and keeps the answer, unless an earlier question was answered
// after whoever asks had looked.
func (p *Provider) ask(ctx context.Context, key [32]byte, token string, now time.Time) (Token, error) {
	found, asked, err := p.cache.find(key, now)
	if !errors.Is(err, errUnknown) {
		return found, err
	}
	found, err = p.introspect(ctx, token)
	switch problem.CodeOf(err) {
	case "":
		p.cache.keep(key, found, now, asked)
	case problem.Unauthenticated:
		p.cache.refuse(key, err, now)
	}
	return found, err
}

// isToken reports whether a text can be a bearer token, which is visible ASCII
// (RFC 6750, section 2.1), and isn't far longer than Hydra's: what can't be isn't
// asked about.
func isToken(text string) bool {
	return text != "" && len(text) <= tokenMax && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// introspect asks Hydra.
func (p *Provider) introspect(ctx context.Context, token string) (Token, error) {
	answer, _, err := p.oauth2.IntrospectOAuth2Token(ctx).Token(token).Execute()
	if err != nil {
		return Token{}, unavailable(fmt.Errorf("introspect: %w", withoutURL(err)))
	}
	return p.tokenOf(answer)
}

// ForgetAgreement makes the next use of every token for an agreement ask Hydra
// again.
func (p *Provider) ForgetAgreement(id uuid.UUID) {
	p.cache.forget(func(t Token) bool { return t.Agreement == id })
}

func (p *Provider) tokenOf(answer *hydra.IntrospectedOAuth2Token) (Token, error) {
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
	agreement, err := agreementOf(answer.Ext)
	if err != nil {
		return Token{}, invalidToken(err)
	}
	scopes := scopesOf(answer.GetScope())
	if slices.Contains(scopes, AgreementScope) != (agreement != uuid.Nil) {
		return Token{}, invalidToken(errors.New("an agreement without its scope, or the reverse"))
	}
	return Token{
		Subject:   answer.GetSub(),
		ClientID:  answer.GetClientId(),
		Scopes:    scopes,
		Audience:  answer.GetAud(),
		Agreement: agreement,
		ExpiresAt: expires,
	}, nil
}

// agreementOf reads the agreement from what a token says besides; zero when it
// names none.
func agreementOf(claims map[string]any) (uuid.UUID, error) {
	claim, ok := claims[agreementClaim]
	if !ok {
		return uuid.Nil, nil
	}
	text, _ := claim.(string)
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil {
		return uuid.Nil, errors.New("of an agreement that can't be read")
	}
	return id, nil
}

func invalidToken(err error) error {
	return problem.New(problem.Unauthenticated, "The access token is not valid, or not any more.").Because(err)
}
