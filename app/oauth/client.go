package oauth

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"

	"pochi/app/problem"

	"github.com/google/uuid"
	hydra "github.com/ory/hydra-client-go/v2"
)

// ownServices is who owns the wallet's own services at Hydra; everybody else's
// apps have no owner there.
const ownServices = "wallet"

const (
	grantCode        = "authorization_code"
	grantRefresh     = "refresh_token"
	grantCredentials = "client_credentials"

	authBasic = "client_secret_basic"
	authNone  = "none" // with PKCE alone
)

// Client is an app, or a service of the wallet's own, as Hydra knows it. Grants
// and scopes aren't chosen: an app may ask people for everything that they can
// grant and, if it can keep a secret, propose agreements; a service gets what
// its Scopes say, for itself only.
type Client struct {
	ID           string
	Name         string // 1 to 60 printable characters
	Secret       string // made here, told once: in the answer to CreateClient
	Confidential bool   // it can keep a secret; services can
	RedirectURIs []string
	PolicyURL    string // "" for none, as in the following
	TermsURL     string
	LogoURL      string
	Scopes       []Scope // of a service: of ServiceScopes
	Service      bool    // the wallet's own, not an app
}

// CreateClient registers an app or a service and returns it with its secret,
// and with an ID if it has none. Errors: Invalid with the fields name,
// redirect_uris, policy_url, terms_url, logo_url and scopes; Conflict for an ID
// that is taken; Unavailable.
func (p *Provider) CreateClient(ctx context.Context, c Client) (Client, error) {
	if err := c.Validate(); err != nil {
		return Client{}, err
	}
	if c.ID == "" {
		c.ID = uuid.NewString()
	}
	c.Secret, c.Confidential = "", c.Confidential || c.Service
	if c.Confidential {
		c.Secret = newSecret()
	}
	answer, resp, err := p.oauth2.CreateOAuth2Client(ctx).OAuth2Client(p.body(c)).Execute()
	if err != nil {
		return Client{}, p.failedClient("register a client", resp, err)
	}
	if answer.GetClientId() != c.ID {
		return Client{}, unavailable(fmt.Errorf("register a client: it has another id"))
	}
	return c, nil
}

// FindClient returns a client, without its secret. Errors: NotFound,
// Unavailable.
func (p *Provider) FindClient(ctx context.Context, id string) (Client, error) {
	if err := checkClientID(id); err != nil {
		return Client{}, err
	}
	answer, resp, err := p.oauth2.GetOAuth2Client(ctx, id).Execute()
	if err != nil {
		return Client{}, p.failedClient("find a client", resp, err)
	}
	if answer.GetClientId() != id {
		return Client{}, unavailable(fmt.Errorf("find a client: another one was found"))
	}
	return clientOf(*answer), nil
}

// ListServices returns the wallet's own services, without their secrets; 500
// at most.
func (p *Provider) ListServices(ctx context.Context) ([]Client, error) {
	answer, resp, err := p.oauth2.ListOAuth2Clients(ctx).Owner(ownServices).PageSize(500).Execute()
	if err != nil {
		return nil, p.failedClient("list the services", resp, err)
	}
	var out []Client
	for _, c := range answer {
		if c.GetOwner() == ownServices {
			out = append(out, clientOf(c))
		}
	}
	return out, nil
}

// UpdateClient changes name, redirect URIs and links of the app c.ID, and the
// scopes of a service. Its secret, its being confidential and its being a
// service stay. It returns the client without its secret. Errors: those of
// CreateClient, and NotFound.
func (p *Provider) UpdateClient(ctx context.Context, c Client) (Client, error) {
	before, err := p.FindClient(ctx, c.ID)
	if err != nil {
		return Client{}, err
	}
	c.Secret, c.Confidential, c.Service = "", before.Confidential, before.Service
	if err := c.Validate(); err != nil {
		return Client{}, err
	}
	_, resp, err := p.oauth2.SetOAuth2Client(ctx, c.ID).OAuth2Client(p.body(c)).Execute()
	if err != nil {
		return Client{}, p.failedClient("change a client", resp, err)
	}
	return c, nil
}

// RotateSecret gives a confidential client a new secret and returns it. The old
// one is refused from then on; tokens stay. Errors: NotFound; Conflict for an
// app that has no secret; Unavailable.
func (p *Provider) RotateSecret(ctx context.Context, id string) (string, error) {
	c, err := p.FindClient(ctx, id)
	if err != nil {
		return "", err
	}
	if !c.Confidential {
		return "", problem.New(problem.Conflict, "This app has no secret: it is a public one.")
	}
	c.Secret = newSecret()
	if _, resp, err := p.oauth2.SetOAuth2Client(ctx, id).OAuth2Client(p.body(c)).Execute(); err != nil {
		return "", p.failedClient("give a client a new secret", resp, err)
	}
	return c.Secret, nil
}

// DeleteClient removes a client. Its tokens are worth nothing from then on.
// Errors: NotFound, Unavailable.
func (p *Provider) DeleteClient(ctx context.Context, id string) error {
	if err := checkClientID(id); err != nil {
		return err
	}
	if resp, err := p.oauth2.DeleteOAuth2Client(ctx, id).Execute(); err != nil {
		return p.failedClient("delete a client", resp, err)
	}
	p.cache.forget(func(t Token) bool { return t.ClientID == id })
	return nil
}

// body is the whole client, as Hydra has it. Without a secret the one that it
// has stays.
func (p *Provider) body(c Client) hydra.OAuth2Client {
	body := hydra.NewOAuth2Client()
	body.SetClientId(c.ID)
	body.SetClientName(c.Name)
	body.SetAudience([]string{p.audience}) // or its tokens can't be refreshed
	body.SetTokenEndpointAuthMethod(authNone)
	if c.Confidential {
		body.SetTokenEndpointAuthMethod(authBasic)
	}
	if c.Secret != "" {
		body.SetClientSecret(c.Secret)
	}
	if c.Service {
		body.SetOwner(ownServices)
		body.SetGrantTypes([]string{grantCredentials})
		body.SetResponseTypes([]string{})
		body.SetScope(joined(c.Scopes))
		return *body
	}
	grants, scopes := []string{grantCode, grantRefresh}, known()
	if c.Confidential {
		grants, scopes = append(grants, grantCredentials), append(scopes, AgreementsPropose)
	}
	body.SetGrantTypes(grants)
	body.SetResponseTypes([]string{"code"})
	body.SetScope(joined(scopes))
	body.SetRedirectUris(c.RedirectURIs)
	body.SetPolicyUri(c.PolicyURL)
	body.SetTosUri(c.TermsURL)
	body.SetLogoUri(c.LogoURL)
	return *body
}

func clientOf(answer hydra.OAuth2Client) Client {
	c := Client{
		ID: answer.GetClientId(), Name: answer.GetClientName(), Confidential: answer.GetTokenEndpointAuthMethod() != authNone,
		PolicyURL: answer.GetPolicyUri(), TermsURL: answer.GetTosUri(), LogoURL: answer.GetLogoUri(),
		Service: answer.GetOwner() == ownServices,
	}
	if c.Service {
		c.Scopes = scopesOf(answer.GetScope())
	} else {
		c.RedirectURIs = answer.RedirectUris
	}
	return c
}

// newSecret returns 260 random bits.
func newSecret() string { return rand.Text() + rand.Text() }

func checkClientID(id string) error {
	if id == "" || len(id) > clientIDMax {
		return noClient(fmt.Errorf("client id of %d bytes", len(id)))
	}
	return nil
}

func noClient(err error) error {
	return problem.New(problem.NotFound, "There is no such app.").Because(err)
}

// failedClient is failed for questions about clients.
func (p *Provider) failedClient(what string, resp *http.Response, err error) error {
	if resp == nil {
		return p.failed(what, resp, err)
	}
	because := fmt.Errorf("%s: %w", what, withoutURL(err))
	switch resp.StatusCode {
	case http.StatusNotFound:
		return noClient(because)
	case http.StatusConflict:
		return problem.New(problem.Conflict, "There is such an app already.").Because(because)
	}
	return p.failed(what, resp, err)
}
