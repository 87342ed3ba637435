package admin

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	"pochi/app/oauth"
	"pochi/app/problem"
)

// Clients is what the handler needs of the wallet's own OAuth clients. Errors
// are those of oauth.Provider.
type Clients interface {
	ListServices(ctx context.Context) ([]oauth.Client, error)
	CreateClient(ctx context.Context, c oauth.Client) (oauth.Client, error)
	DeleteClient(ctx context.Context, id string) error
	Audience() string
}

// OAuthClient is a program of the wallet's own that calls its APIs with tokens
// of its own (RFC 6749, section 4.4).
type OAuthClient struct {
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Scopes []oauth.Scope `json:"scopes"`
	// Of one that was just added: the secret isn't told again. Hydra gives tokens
	// for the audience that is asked for, and this wallet takes those for its own.
	Secret   string `json:"secret,omitempty"`
	Audience string `json:"audience,omitempty"`
}

func newOAuthClient(c oauth.Client) OAuthClient {
	return OAuthClient{ID: c.ID, Name: c.Name, Scopes: c.Scopes}
}

// record implements recorder: the secret goes nowhere.
func (c OAuthClient) record() []any { return []any{slog.String("client", c.ID)} }

// clientName is the body of a command about one client.
type clientName struct {
	Name   string        `json:"name"`
	Scopes []oauth.Scope `json:"scopes,omitempty"`
}

const (
	pathAddClient    = "/clients/add"
	pathListClients  = "/clients/list"
	pathRemoveClient = "/clients/remove"
)

// AddClient adds a client, whose secret is in the answer and nowhere else.
// Errors: problem.Conflict when there is one of this name.
func (c Client) AddClient(ctx context.Context, name string, scopes []oauth.Scope) (OAuthClient, error) {
	return do[OAuthClient](ctx, c, pathAddClient, clientName{name, scopes})
}

// ListClients returns all clients, without their secrets.
func (c Client) ListClients(ctx context.Context) ([]OAuthClient, error) {
	return do[[]OAuthClient](ctx, c, pathListClients, nil)
}

// RemoveClient removes the client with this name or id. Its tokens are worth
// nothing from then on.
func (c Client) RemoveClient(ctx context.Context, name string) (OAuthClient, error) {
	return do[OAuthClient](ctx, c, pathRemoveClient, clientName{Name: name})
}

func (s Services) addClient(r *http.Request) (answer, error) {
	in, err := read[clientName](r)
	if err != nil {
		return answer{}, err
	}
	all, err := s.Clients.ListServices(r.Context())
	if err != nil {
		return answer{}, err
	}
	if slices.ContainsFunc(all, func(c oauth.Client) bool { return c.Name == in.Name }) {
		return answer{}, problem.New(problem.Conflict, "There is a client of this name. If its secret is lost, remove it and add it again.")
	}
	added, err := s.Clients.CreateClient(r.Context(), oauth.Client{Name: in.Name, Service: true, Scopes: in.Scopes})
	if err != nil {
		return answer{}, err
	}
	out := newOAuthClient(added)
	out.Secret, out.Audience = added.Secret, s.Clients.Audience()
	return answer{body: out, state: added.Name}, nil
}

func (s Services) listClients(r *http.Request) (answer, error) {
	all, err := s.Clients.ListServices(r.Context())
	if err != nil {
		return answer{}, err
	}
	out := make([]OAuthClient, len(all))
	for i, c := range all {
		out[i] = newOAuthClient(c)
	}
	return answer{body: out}, nil
}

func (s Services) removeClient(r *http.Request) (answer, error) {
	in, err := read[clientName](r)
	if err != nil {
		return answer{}, err
	}
	all, err := s.Clients.ListServices(r.Context())
	if err != nil {
		return answer{}, err
	}
	i := slices.IndexFunc(all, func(c oauth.Client) bool { return c.ID == in.Name || c.Name == in.Name })
	if i < 0 {
		return answer{}, problem.New(problem.NotFound, "There is no such client of the wallet's own: client list shows all.")
	}
	if err := s.Clients.DeleteClient(r.Context(), all[i].ID); err != nil {
		return answer{}, err
	}
	return answer{body: newOAuthClient(all[i]), state: all[i].Name}, nil
}
