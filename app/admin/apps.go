package admin

import (
	"context"
	"log/slog"
	"net/http"
)

// Apps is what the handler needs to register an app of somebody's.
type Apps interface {
	// Register registers an app as its owner could do it on a page. Errors:
	// problem.Errors with what is wrong, under the names of the command's flags;
	// problem.NotFound for an unknown owner; problem.Conflict when the owner has
	// too many; problem.Unavailable when Hydra doesn't answer.
	Register(ctx context.Context, in NewApp) (App, error)
}

// NewApp is an app to be.
type NewApp struct {
	Owner        string   `json:"owner"` // e-mail of a person
	Name         string   `json:"name"`
	RedirectURIs []string `json:"redirectUris"`
	Public       bool     `json:"public,omitempty"` // it can't keep a secret
}

// App is an app as the commands print it.
type App struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Owner        string   `json:"owner"`
	RedirectURIs []string `json:"redirectUris"`
	Secret       string   `json:"secret,omitempty"` // of one that was just added: it isn't told again
}

// record implements recorder: the secret goes nowhere.
func (a App) record() []any { return []any{slog.String("client", a.ID)} }

const pathAddApp = "/apps/add"

// AddApp registers an app, whose secret is in the answer and nowhere else.
func (c Client) AddApp(ctx context.Context, in NewApp) (App, error) {
	return do[App](ctx, c, pathAddApp, in)
}

func (s Services) addApp(r *http.Request) (answer, error) {
	in, err := read[NewApp](r)
	if err != nil {
		return answer{}, err
	}
	added, err := s.Apps.Register(r.Context(), in)
	if err != nil {
		return answer{}, err
	}
	return answer{body: added, state: added.Name}, nil
}
