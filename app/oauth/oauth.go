// Package oauth is the wallet's side of Ory Hydra, the OAuth 2.0 and OpenID
// Connect server that other programs use to get tokens. Hydra keeps clients,
// codes and tokens; who somebody is and what they allow is asked here, through
// challenges that Hydra puts into the URL of the login, consent and logout
// pages. Hydra's own types don't leave this package.
//
// Nothing is remembered at Hydra: each request comes by the wallet, whose own
// session is the only login.
//
// Errors are of the kinds of package problem: Unavailable when Hydra doesn't
// answer, or not in a way that can be understood; NotFound for a challenge that
// is none; Gone for one that expired or was used, from which RedirectOf may tell
// where the browser should go instead. Their texts hold no challenge and no
// token.
package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	hydra "github.com/ory/hydra-client-go/v2"
	"golang.org/x/sync/singleflight"
)

const (
	defaultTimeout = 5 * time.Second
	bodyMax        = 1 << 20  // bytes of an answer
	challengeMax   = 12 << 10 // bytes; 1,200 to 1,500 are usual, long requests make longer ones
	idleMax        = 64       // connections kept to Hydra
)

// Options of a Provider.
type Options struct {
	AdminURL  *url.URL         // where Hydra's admin interface listens: for this wallet only
	PublicURL *url.URL         // where browsers reach Hydra
	Audience  string           // the API that tokens are for: the wallet's own public URL
	Terms     TermsReader      // reads what apps ask for
	Timeout   time.Duration    // of one question to Hydra: 5 seconds when zero
	Now       func() time.Time // time.Now when nil
}

// Provider answers Hydra's challenges, asks about tokens and keeps the register
// of clients. It is safe for concurrent use. Nothing is asked twice.
type Provider struct {
	oauth2   hydra.OAuth2API
	metadata hydra.MetadataAPI
	public   *url.URL
	audience string
	terms    TermsReader
	now      func() time.Time
	cache    tokenCache
	asking   singleflight.Group // about tokens
}

// New returns a Provider. It doesn't call Hydra, which may start later.
func New(opts Options) *Provider {
	timeout := opts.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	now := opts.Now
	if now == nil {
		now = time.Now
	}
	config := hydra.NewConfiguration()
	config.Servers = hydra.ServerConfigurations{{URL: strings.TrimSuffix(opts.AdminURL.String(), "/")}}
	config.UserAgent = "pochi"
	config.HTTPClient = &http.Client{
		Timeout: timeout,
		Transport: bounded{&http.Transport{ // no proxy: the admin interface is beside us
			MaxIdleConns:        idleMax,
			MaxIdleConnsPerHost: idleMax,
			IdleConnTimeout:     30 * time.Second,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	client := hydra.NewAPIClient(config)
	return &Provider{
		oauth2:   client.OAuth2API,
		metadata: client.MetadataAPI,
		public:   opts.PublicURL,
		audience: opts.Audience,
		terms:    opts.Terms,
		now:      now,
		cache:    tokenCache{kept: map[[32]byte]keptToken{}},
	}
}

// Audience returns what tokens for the wallet's API are for: clients that get
// tokens for themselves have to name it.
func (p *Provider) Audience() string { return p.audience }

// Ready returns nil when Hydra serves and reaches its database, else
// Unavailable.
func (p *Provider) Ready(ctx context.Context) error {
	_, _, err := p.metadata.IsReady(ctx).Execute()
	if err != nil {
		return unavailable(fmt.Errorf("ask whether Hydra is ready: %w", withoutURL(err)))
	}
	return nil
}

// target returns where the browser goes next, from an answer of Hydra.
func (p *Provider) target(what string, answer *hydra.OAuth2RedirectTo, resp *http.Response, err error) (string, error) {
	if err != nil {
		return "", p.failed(what, resp, err)
	}
	if answer == nil {
		return "", unavailable(fmt.Errorf("%s: empty answer", what))
	}
	to, err := p.absolute(answer.RedirectTo)
	if err != nil {
		return "", unavailable(fmt.Errorf("%s: %w", what, err))
	}
	return to, nil
}

// absolute resolves a URL of Hydra's against its public one: those of used
// logout requests are relative.
func (p *Provider) absolute(to string) (string, error) {
	u, err := url.Parse(to)
	if err != nil {
		return "", err
	}
	u = p.public.ResolveReference(u)
	if to == "" || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", errors.New("no address to go on to")
	}
	return u.String(), nil
}

// checkChallenge refuses what Hydra can't have issued, without asking it.
func checkChallenge(challenge string) error {
	if challenge == "" || len(challenge) > challengeMax {
		return unknown(fmt.Errorf("challenge of %d bytes", len(challenge)))
	}
	return nil
}

// bounded is a transport whose answers end in an error after bodyMax.
type bounded struct{ transport http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.transport.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, bodyMax)
	}
	return resp, err
}
