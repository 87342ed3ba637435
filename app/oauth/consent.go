package oauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	hydra "github.com/ory/hydra-client-go/v2"
)

// ConsentRequest is an app's question what it may do.
type ConsentRequest struct {
	Challenge  string
	Key        [32]byte // of the app's request: the same for each challenge that asks about it
	App        App
	Subject    string   // who was logged in when the login request was accepted
	Scopes     []Scope  // what it asks for
	Detail     *Detail  // the agreement that it asks for, nil for none
	Refusal    *Reason  // why it is refused, whatever the person thinks of it; nil when it isn't
	Hosts      []string // where the answer may go, to show, first where it should: "shop.example"
	RestartURL string   // makes the same request again from its beginning
	FormURLs   []string // where the browser goes by after the consent form: its policy must allow them
}

// Consent returns the request behind a consent challenge.
func (p *Provider) Consent(ctx context.Context, challenge string) (ConsentRequest, error) {
	const what = "get the consent request"
	if err := checkChallenge(challenge); err != nil {
		return ConsentRequest{}, err
	}
	answer, resp, err := p.oauth2.GetOAuth2ConsentRequest(ctx).ConsentChallenge(challenge).Execute()
	if err != nil {
		return ConsentRequest{}, p.failed(what, resp, err)
	}
	if answer == nil || answer.GetSubject() == "" || answer.GetLoginChallenge() == "" || answer.Client == nil {
		return ConsentRequest{}, unavailable(fmt.Errorf("%s: not a consent request", what))
	}
	restart, err := p.absolute(answer.GetRequestUrl())
	if err != nil {
		return ConsentRequest{}, unavailable(fmt.Errorf("%s: %w", what, err))
	}
	to := redirectURI(answer.GetRequestUrl(), answer.Client)
	refusal := judge(answer.GetRequestUrl(), answer.Client, answer.RequestedScope)
	var detail *Detail
	if refusal == nil {
		detail, refusal = p.detail(answer.GetRequestUrl())
	}
	return ConsentRequest{
		Challenge:  challenge,
		Key:        keyOf(answer.GetLoginChallenge(), answer.Client.GetClientId(), answer.GetSubject()),
		App:        appOf(answer.Client),
		Subject:    answer.GetSubject(),
		Scopes:     knownOf(answer.RequestedScope),
		Detail:     detail,
		Refusal:    refusal,
		Hosts:      hostsOf(to, answer.Client),
		RestartURL: restart,
		FormURLs:   p.formURLs(to),
	}, nil
}

// keyOf tells requests apart. Whoever reloads a page on the way here gets another
// consent challenge, and can answer both, but only one answer reaches the app:
// what they have in common is the login request.
func keyOf(login, client, subject string) [32]byte {
	return sha256.Sum256([]byte(login + "\n" + client + "\n" + subject))
}

// Grant is what somebody allows an app.
type Grant struct {
	Scopes    []Scope   // of those that the request asked for
	Name      string    // the person's, for the id token; told with Profile only
	Agreement uuid.UUID // the one that tokens are for, which AgreementScope needs; zero for none
}

// AcceptConsent allows what the grant says and returns where the browser goes
// next. Whose consent it is must have been checked: Hydra grants whatever it is
// told, asked for or not. Tokens are for the wallet's own API and nothing else.
// Accepting twice is possible and harmless: the browser can follow one of the
// two answers, the other ends at the app as access_denied.
//
// Clients have to be registered with that API as an audience, or Hydra
// refuses to refresh their tokens.
func (p *Provider) AcceptConsent(ctx context.Context, challenge string, grant Grant) (string, error) {
	if err := checkChallenge(challenge); err != nil {
		return "", err
	}
	scopes := knownOf(grant.Scopes)
	if slices.Contains(scopes, AgreementScope) != (grant.Agreement != uuid.Nil) {
		return "", errors.New("accept the consent request: an agreement and its scope go together")
	}
	claims := map[string]any{}
	if slices.Contains(scopes, Profile) {
		claims["name"] = grant.Name
	}
	body := hydra.NewAcceptOAuth2ConsentRequest()
	body.SetRemember(false)
	body.SetGrantScope(names(scopes))
	body.SetGrantAccessTokenAudience([]string{p.audience})
	session := hydra.AcceptOAuth2ConsentRequestSession{IdToken: claims}
	if grant.Agreement != uuid.Nil {
		session.AccessToken = map[string]any{agreementClaim: grant.Agreement.String()}
	}
	body.SetSession(session)
	answer, resp, err := p.oauth2.AcceptOAuth2ConsentRequest(ctx).ConsentChallenge(challenge).AcceptOAuth2ConsentRequest(*body).Execute()
	return p.target("accept the consent request", answer, resp, err)
}

// RejectConsent refuses a consent request and returns where the browser goes
// next: by Hydra to the app, which is told the reason.
func (p *Provider) RejectConsent(ctx context.Context, challenge string, reason Reason) (string, error) {
	if err := checkChallenge(challenge); err != nil {
		return "", err
	}
	answer, resp, err := p.oauth2.RejectOAuth2ConsentRequest(ctx).ConsentChallenge(challenge).RejectOAuth2Request(reason.body()).Execute()
	return p.target("reject the consent request", answer, resp, err)
}

func names(scopes []Scope) []string {
	out := make([]string, len(scopes))
	for i, scope := range scopes {
		out[i] = string(scope)
	}
	return out
}
