package e2e

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// client is a third-party app: it is registered and receives people's browsers at its callback.
type client struct {
	t         *testing.T
	Name      string
	config    oauth2.Config
	verifier  string
	callbacks chan url.Values // what browsers brought back
}

// newClient starts an app and registers it for somebody who builds apps.
func newClient(w *wallet, name string, scopes ...string) *client {
	w.t.Helper()
	c := &client{t: w.t, Name: name, verifier: oauth2.GenerateVerifier(), callbacks: make(chan url.Values, 1)}
	server := httptest.NewServer(http.HandlerFunc(c.callback))
	w.t.Cleanup(server.Close)
	id, secret := c.register(w, server.URL+"/callback")
	c.config = oauth2.Config{
		ClientID:     id,
		ClientSecret: secret,
		RedirectURL:  server.URL + "/callback",
		Scopes:       scopes,
		Endpoint: oauth2.Endpoint{
			AuthURL: w.HydraURL + "/oauth2/auth", TokenURL: w.HydraURL + "/oauth2/token",
			AuthStyle: oauth2.AuthStyleInHeader,
		},
	}
	return c
}

// callback keeps what the browser brings and shows a page.
func (c *client) callback(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/callback" {
		http.NotFound(w, r)
		return
	}
	c.callbacks <- r.URL.Query()
	fmt.Fprintf(w, "<!DOCTYPE html><title>%s</title><main>Back at %s</main>", c.Name, c.Name)
}

// register registers the app, as an admin can, and returns its id and secret.
func (c *client) register(w *wallet, callback string) (id, secret string) {
	c.t.Helper()
	developer := "dev" + rand.Text()
	email := strings.ToLower(developer) + "@example.com"
	printed, ok := w.command("admin", "user", "add", "--email", email, "--password", rand.Text(), "--name", "A developer",
		"--pointer", strings.ToLower(developer), "--asset", "USD")
	if !ok {
		c.t.Fatalf("add the app's developer: %s", printed)
	}
	printed, ok = w.command("admin", "app", "add", "--owner", email, "--name", c.Name, "--redirect-uri", callback)
	var app struct{ ID, Secret string }
	if err := json.Unmarshal([]byte(printed), &app); err != nil || !ok || app.Secret == "" {
		c.t.Fatalf("register the app: %s", printed)
	}
	return app.ID, app.Secret
}

// start is where the app sends a browser that shall grant its scopes.
func (c *client) start() string {
	return c.config.AuthCodeURL("state-of-"+c.Name, oauth2.S256ChallengeOption(c.verifier))
}

// brought waits for a browser to come back and returns what it brought.
func (c *client) brought() url.Values {
	c.t.Helper()
	select {
	case values := <-c.callbacks:
		if got, want := values.Get("state"), "state-of-"+c.Name; got != want {
			c.t.Errorf("state %q came back, want %q", got, want)
		}
		return values
	case <-time.After(actionMaxMS * time.Millisecond):
		c.t.Fatal("no browser came back to the app")
		return nil
	}
}

// token waits for a browser to come back and exchanges the code that it brought.
func (c *client) token() *oauth2.Token {
	c.t.Helper()
	values := c.brought()
	code := values.Get("code")
	if code == "" {
		c.t.Fatalf("the browser brought no code but %v", values)
	}
	token, err := c.config.Exchange(c.t.Context(), code, oauth2.VerifierOption(c.verifier))
	if err != nil {
		c.t.Fatalf("exchange the code: %v", err)
	}
	return token
}
