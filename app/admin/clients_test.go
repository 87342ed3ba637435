package admin

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"pochi/app/oauth"
	"pochi/app/problem"

	"github.com/google/go-cmp/cmp"
)

// register is a Hydra that keeps clients.
type register struct{ clients []oauth.Client }

func (r *register) ListServices(context.Context) ([]oauth.Client, error) {
	out := append([]oauth.Client{}, r.clients...)
	for i := range out {
		out[i].Secret = ""
	}
	return out, nil
}

func (r *register) CreateClient(_ context.Context, c oauth.Client) (oauth.Client, error) {
	if !c.Service || len(c.Scopes) == 0 {
		return oauth.Client{}, problem.Field("scopes", "The scopes of a service are admin:read and admin:write.")
	}
	c.ID, c.Secret = "id-of-"+c.Name, "sesame"
	r.clients = append(r.clients, c)
	return c, nil
}

func (r *register) DeleteClient(_ context.Context, id string) error {
	for i, c := range r.clients {
		if c.ID == id {
			r.clients = append(r.clients[:i], r.clients[i+1:]...)
		}
	}
	return nil
}

func (*register) Audience() string { return "https://wallet.example" }

func TestClients(t *testing.T) {
	c, _ := newClient(t, nil)
	var logged bytes.Buffer
	running(t, c, Handler(Services{Clients: &register{}, Database: DatabaseKey(c.DB), Log: slog.New(slog.NewTextHandler(&logged, nil))}))
	read := []oauth.Scope{oauth.AdminRead}
	office, err := c.AddClient(t.Context(), "Back office", read)
	want := OAuthClient{ID: "id-of-Back office", Name: "Back office", Scopes: read, Secret: "sesame", Audience: "https://wallet.example"}
	if diff := cmp.Diff(want, office); err != nil || diff != "" {
		t.Fatalf("%v: %s", err, diff)
	}
	if _, err := c.AddClient(t.Context(), "Back office", read); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("the same name again: %v", err)
	}
	if _, err := c.AddClient(t.Context(), "Other", nil); problem.Fields(err)["scopes"] == "" {
		t.Errorf("without scopes: %v", err)
	}
	want.Secret, want.Audience = "", ""
	all, err := c.ListClients(t.Context())
	if diff := cmp.Diff([]OAuthClient{want}, all); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if _, err := c.RemoveClient(t.Context(), "Front office"); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("an unknown one: %v", err)
	}
	if removed, err := c.RemoveClient(t.Context(), "Back office"); err != nil || removed.ID != want.ID {
		t.Errorf("%+v, %v", removed, err)
	}
	if all, err := c.ListClients(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	if text := logged.String(); strings.Contains(text, "sesame") || !strings.Contains(text, "client=\"id-of-Back office\"") {
		t.Errorf("logged: %s", text)
	}
}
