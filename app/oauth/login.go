package oauth

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	hydra "github.com/ory/hydra-client-go/v2"
)

// LoginRequest is an app's question who somebody is.
type LoginRequest struct {
	Challenge string
	App       App
	Hint      string   // the e-mail address or name that the app expects, "" for none; anything
	Refusal   *Reason  // why it is refused, whoever it is; nil when it isn't
	FormURLs  []string // where the browser goes by after the log-in form: its policy must allow them

	parameters url.Values // of the request, as the app sent it
}

// Login returns the request behind a login challenge.
func (p *Provider) Login(ctx context.Context, challenge string) (LoginRequest, error) {
	const what = "get the login request"
	if err := checkChallenge(challenge); err != nil {
		return LoginRequest{}, err
	}
	answer, resp, err := p.oauth2.GetOAuth2LoginRequest(ctx).LoginChallenge(challenge).Execute()
	if err != nil {
		return LoginRequest{}, p.failed(what, resp, err)
	}
	if answer == nil || answer.RequestUrl == "" {
		return LoginRequest{}, unavailable(fmt.Errorf("%s: not a login request", what))
	}
	request := LoginRequest{
		Challenge:  challenge,
		App:        appOf(&answer.Client),
		Refusal:    judge(answer.RequestUrl, &answer.Client, answer.RequestedScope),
		FormURLs:   p.formURLs(redirectURI(answer.RequestUrl, &answer.Client)),
		parameters: query(answer.RequestUrl),
	}
	if request.Refusal == nil {
		_, request.Refusal = p.detail(answer.RequestUrl)
	}
	if answer.OidcContext != nil {
		request.Hint = answer.OidcContext.GetLoginHint()
	}
	return request, nil
}

// NeedsSignIn tells whether somebody who logged in at that time has to do so
// again: the app asked for it (OpenID Connect Core, section 3.1.2.1), with
// prompt=login or select_account, or with a max_age that has passed or makes
// no sense. Hydra itself looks after prompt=none.
func (r LoginRequest) NeedsSignIn(signedInAt, now time.Time) bool {
	for _, list := range r.parameters["prompt"] {
		for prompt := range strings.FieldsSeq(list) {
			if prompt == "login" || prompt == "select_account" {
				return true
			}
		}
	}
	for _, text := range r.parameters["max_age"] {
		age, err := strconv.ParseUint(text, 10, 31) // seconds
		if err != nil || now.Sub(signedInAt) >= time.Duration(age)*time.Second {
			return true
		}
	}
	return false
}

// AcceptLogin tells Hydra who is logged in, by the id that apps will know, and
// returns where the browser goes next. The person must have logged in, as
// lately as the request demands.
func (p *Provider) AcceptLogin(ctx context.Context, challenge, subject string) (string, error) {
	if err := checkChallenge(challenge); err != nil {
		return "", err
	}
	body := hydra.NewAcceptOAuth2LoginRequest(subject)
	body.SetRemember(false)
	answer, resp, err := p.oauth2.AcceptOAuth2LoginRequest(ctx).LoginChallenge(challenge).AcceptOAuth2LoginRequest(*body).Execute()
	return p.target("accept the login request", answer, resp, err)
}

// RejectLogin refuses a login request and returns where the browser goes next:
// by Hydra to the app, which is told the reason.
func (p *Provider) RejectLogin(ctx context.Context, challenge string, reason Reason) (string, error) {
	if err := checkChallenge(challenge); err != nil {
		return "", err
	}
	answer, resp, err := p.oauth2.RejectOAuth2LoginRequest(ctx).LoginChallenge(challenge).RejectOAuth2Request(reason.body()).Execute()
	return p.target("reject the login request", answer, resp, err)
}

// Reason is what an app is told when its request is refused (RFC 6749, section
// 4.1.2.1).
type Reason struct {
	Code        string // "access_denied", "invalid_request", "invalid_scope"
	Description string // for the app's developers
}

func (r Reason) body() hydra.RejectOAuth2Request {
	body := hydra.NewRejectOAuth2Request()
	body.SetError(r.Code)
	body.SetErrorDescription(r.Description)
	return *body
}
