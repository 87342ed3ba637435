package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// answerMax is how long the wallet may take. A charge is answered when its outcome is known, which takes it up to 20 s.
const answerMax = 30 * time.Second

// wallet is the customers' wallet, as its developers' page describes it.
type wallet struct {
	api        string // URL below which the API is
	issuer     string
	revocation string // URL
	people     oauth2.Config
	own        *clientcredentials.Config // tokens of the shop's own, with which it proposes agreements
	http       *http.Client
}

// discover asks the wallet how its OAuth2 works (OpenID Connect Discovery 1.0, section 4).
func discover(ctx context.Context, cfg config) (*wallet, error) {
	w := &wallet{api: cfg.Wallet + "/api", issuer: cfg.Issuer, http: &http.Client{Timeout: answerMax}}
	var told struct {
		Issuer        string   `json:"issuer"`
		Authorization string   `json:"authorization_endpoint"`
		Token         string   `json:"token_endpoint"`
		Revocation    string   `json:"revocation_endpoint"`
		Challenges    []string `json:"code_challenge_methods_supported"`
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, cfg.Issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return nil, fmt.Errorf("SHOP_ISSUER: %w", err)
	}
	answer, err := w.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask how OAuth2 works here: %w", err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil || answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask how OAuth2 works here: %s, %w", answer.Status, err)
	}
	if told.Issuer != cfg.Issuer || !slices.Contains(told.Challenges, "S256") {
		return nil, fmt.Errorf("%s isn't the issuer, which is %s, or doesn't know PKCE", cfg.Issuer, told.Issuer)
	}
	w.revocation = told.Revocation
	w.people = oauth2.Config{
		ClientID: cfg.ClientID, ClientSecret: cfg.Secret, RedirectURL: cfg.URL + "/callback",
		Endpoint: oauth2.Endpoint{AuthURL: told.Authorization, TokenURL: told.Token, AuthStyle: oauth2.AuthStyleInHeader},
	}
	w.own = &clientcredentials.Config{
		ClientID: cfg.ClientID, ClientSecret: cfg.Secret, TokenURL: told.Token, AuthStyle: oauth2.AuthStyleInHeader,
		Scopes: []string{"agreements:propose"}, EndpointParams: url.Values{"audience": {cfg.Wallet}},
	}
	return w, nil
}

// context makes package oauth2 use the shop's HTTP client.
func (w *wallet) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, w.http)
}

// ask returns where to send a customer's browser who is to agree to what the details say (RFC 9396). The scopes come on top
// of the agreement's.
func (w *wallet) ask(state, verifier string, details any, scopes ...string) (string, error) {
	text, err := json.Marshal(details)
	if err != nil {
		return "", err
	}
	cfg := w.people
	cfg.Scopes = append([]string{"openid", "profile", "agreement"}, scopes...)
	return cfg.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("authorization_details", string(text))), nil
}

// errOtherIssuer: an answer that comes from somebody else than this wallet (RFC 9207).
var errOtherIssuer = errors.New("the answer comes from another issuer")

// exchange turns the code with which a browser came back into tokens.
func (w *wallet) exchange(ctx context.Context, back url.Values, verifier string) (*oauth2.Token, error) {
	if issuer := back.Get("iss"); issuer != "" && issuer != w.issuer {
		return nil, errOtherIssuer
	}
	return w.people.Exchange(w.context(ctx), back.Get("code"), oauth2.VerifierOption(verifier))
}

// fresh returns a token that is good now: the same one, or what the refresh token was exchanged for, which must be kept then,
// since a refresh token is good for once.
func (w *wallet) fresh(ctx context.Context, t *oauth2.Token) (*oauth2.Token, error) {
	return w.people.TokenSource(w.context(ctx), t).Token()
}

// revoke makes tokens worthless that the shop needs no more (RFC 7009).
func (w *wallet) revoke(ctx context.Context, t *oauth2.Token) error {
	token := t.RefreshToken
	if token == "" {
		token = t.AccessToken
	}
	form := url.Values{"token": {token}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.revocation, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(w.people.ClientID), url.QueryEscape(w.people.ClientSecret))
	answer, err := w.http.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("revoke a token: %s", answer.Status)
	}
	return nil
}
