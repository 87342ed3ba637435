package admin

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"pochi/app/problem"

	"github.com/google/go-cmp/cmp"
)

// registry knows one person.
type registry struct{}

func (registry) Register(_ context.Context, in NewApp) (App, error) {
	if in.Owner != "ann@example.com" {
		return App{}, problem.New(problem.NotFound, "Nobody has the e-mail %s.", in.Owner)
	}
	return App{ID: "id-of-" + in.Name, Name: in.Name, Owner: in.Owner, RedirectURIs: in.RedirectURIs, Secret: "sesame"}, nil
}

func TestAddApp(t *testing.T) {
	c, _ := newClient(t, nil)
	var logged bytes.Buffer
	running(t, c, Handler(Services{Apps: registry{}, Database: DatabaseKey(c.DB), Log: slog.New(slog.NewTextHandler(&logged, nil))}))
	in := NewApp{Owner: "ann@example.com", Name: "Maua", RedirectURIs: []string{"https://maua.example/callback"}}
	got, err := c.AddApp(t.Context(), in)
	want := App{ID: "id-of-Maua", Name: "Maua", Owner: in.Owner, RedirectURIs: in.RedirectURIs, Secret: "sesame"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if text := logged.String(); strings.Contains(text, "sesame") || !strings.Contains(text, "client=id-of-Maua") {
		t.Errorf("logged: %s", text)
	}
	in.Owner = "ben@example.com"
	if _, err := c.AddApp(t.Context(), in); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("for nobody: %v", err)
	}
}
