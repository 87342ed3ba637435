package oauth

import (
	"context"
	"fmt"
)

// LogoutRequest is an app's wish that somebody be logged out. Hydra asks only
// about logins that it remembers: with this package's own it sends the browser
// straight back to the app.
type LogoutRequest struct {
	Challenge string
	App       App      // zero when it isn't known
	Subject   string   // whom it wants logged out
	FormURLs  []string // where the browser goes by after the logout form: its policy must allow them
}

// Logout returns the request behind a logout challenge.
func (p *Provider) Logout(ctx context.Context, challenge string) (LogoutRequest, error) {
	const what = "get the logout request"
	if err := checkChallenge(challenge); err != nil {
		return LogoutRequest{}, err
	}
	answer, resp, err := p.oauth2.GetOAuth2LogoutRequest(ctx).LogoutChallenge(challenge).Execute()
	if err != nil {
		return LogoutRequest{}, p.failed(what, resp, err)
	}
	if answer == nil || answer.GetSubject() == "" {
		return LogoutRequest{}, unavailable(fmt.Errorf("%s: not a logout request", what))
	}
	return LogoutRequest{
		Challenge: challenge,
		App:       appOf(answer.Client),
		Subject:   answer.GetSubject(),
		FormURLs:  p.formURLs(query(answer.GetRequestUrl()).Get("post_logout_redirect_uri")),
	}, nil
}

// AcceptLogout ends what Hydra remembers and returns where the browser goes
// next.
func (p *Provider) AcceptLogout(ctx context.Context, challenge string) (string, error) {
	if err := checkChallenge(challenge); err != nil {
		return "", err
	}
	answer, resp, err := p.oauth2.AcceptOAuth2LogoutRequest(ctx).LogoutChallenge(challenge).Execute()
	return p.target("accept the logout request", answer, resp, err)
}

// RejectLogout drops a logout request. The browser stays with the wallet: Hydra
// has no way back to the app for this.
func (p *Provider) RejectLogout(ctx context.Context, challenge string) error {
	if err := checkChallenge(challenge); err != nil {
		return err
	}
	resp, err := p.oauth2.RejectOAuth2LogoutRequest(ctx).LogoutChallenge(challenge).Execute()
	if err != nil {
		return p.failed("reject the logout request", resp, err)
	}
	return nil
}
