package apps_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pochi/app/apps"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/db"

	"github.com/google/uuid"
)

// hydra has clients, and can be asked not to answer, or to do what it is asked
// and lose the answer.
type hydra struct {
	mu      sync.Mutex
	clients map[string]oauth.Client
	secrets int
	down    bool // nothing is done
	mute    bool // it is done, and not said
	refuses bool // it understands, and doesn't want to
}

var (
	errDown   = problem.New(problem.Unavailable, "The part of the wallet that connects apps doesn't answer.")
	errRefuse = errors.New("400 Bad Request")
	errNone   = problem.New(problem.NotFound, "There is no such app.")
)

// do runs what is asked, as the hydra is.
func (h *hydra) do(f func() error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.down:
		return errDown
	case h.refuses:
		return errRefuse
	}
	err := f()
	if h.mute {
		return errDown
	}
	return err
}

func (h *hydra) CreateClient(_ context.Context, c oauth.Client) (made oauth.Client, err error) {
	err = h.do(func() error {
		if _, there := h.clients[c.ID]; there || c.ID == "" {
			return fmt.Errorf("there is a client %q", c.ID)
		}
		if c.Confidential {
			c.Secret = h.secret()
		}
		h.clients[c.ID] = c
		return nil
	})
	if err != nil {
		return oauth.Client{}, err
	}
	return c, nil
}

func (h *hydra) UpdateClient(_ context.Context, c oauth.Client) (oauth.Client, error) {
	return c, h.do(func() error {
		before, there := h.clients[c.ID]
		if !there {
			return errNone
		}
		c.Secret = before.Secret
		h.clients[c.ID] = c
		return nil
	})
}

func (h *hydra) RotateSecret(_ context.Context, id string) (secret string, err error) {
	err = h.do(func() error {
		c, there := h.clients[id]
		if !there {
			return errNone
		}
		secret = h.secret()
		c.Secret = secret
		h.clients[id] = c
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

func (h *hydra) DeleteClient(_ context.Context, id string) error {
	return h.do(func() error {
		if _, there := h.clients[id]; !there {
			return errNone
		}
		delete(h.clients, id)
		return nil
	})
}

func (h *hydra) secret() string {
	h.secrets++
	return fmt.Sprintf("secret-%d", h.secrets)
}

// ended keeps which apps' agreements were ended.
type ended struct {
	apps []string
	err  error
}

func (e *ended) EndApp(_ context.Context, clientID, _ string) error {
	if e.err != nil {
		return e.err
	}
	e.apps = append(e.apps, clientID)
	return nil
}

// desk is the service with all that it stands on.
type desk struct {
	*apps.Service
	t     *testing.T
	hydra *hydra
	ended *ended
	db    *db.DB
	now   time.Time
	ann   uuid.UUID
	ben   uuid.UUID
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{
		URL: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	k := &desk{
		t: t, hydra: &hydra{clients: map[string]oauth.Client{}}, ended: &ended{}, db: d,
		now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), ann: uuid.New(), ben: uuid.New(),
	}
	for name, id := range map[string]uuid.UUID{"ann": k.ann, "ben": k.ben} {
		err := d.Write(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, '', 0)", id[:], name, name)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	k.Service = apps.New(d, k.hydra, k.ended, func() time.Time { return k.now })
	return k
}

func form() apps.Form {
	return apps.Form{
		Name: "Flower Shop", Confidential: true, RedirectURIs: []string{"https://shop.example/back"},
		PolicyURL: "https://shop.example/policy", TermsURL: "https://shop.example/terms",
	}
}

// register registers an app of Ann's.
func (k *desk) register(form apps.Form) (apps.App, string) {
	k.t.Helper()
	a, secret, err := k.Register(k.t.Context(), k.ann, form)
	if err != nil {
		k.t.Fatal(err)
	}
	return a, secret
}

// only returns the one app that Ann sees.
func (k *desk) only() apps.App {
	k.t.Helper()
	all, err := k.List(k.t.Context(), k.ann)
	if err != nil || len(all) != 1 {
		k.t.Fatalf("Ann sees %+v, %v", all, err)
	}
	return all[0]
}

// seen fails unless the owner of each client that lives at Hydra sees it.
func (k *desk) seen() {
	k.t.Helper()
	all, err := k.List(k.t.Context(), k.ann)
	if err != nil {
		k.t.Fatal(err)
	}
	for id := range k.hydra.clients {
		found := false
		for _, a := range all {
			found = found || a.ID == id
		}
		if !found {
			k.t.Errorf("client %s lives, and nobody sees it", id)
		}
	}
}
