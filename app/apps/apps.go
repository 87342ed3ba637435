// Package apps keeps the apps that people register: programs that ask others to
// log in with this wallet, and for agreements. Hydra knows each as an OAuth
// client.
//
// A row here says what a client should be, and is written before Hydra is asked
// to make it so: nothing lives at Hydra that its owner doesn't see. What Hydra
// doesn't do at once stays unsettled, says so, and is tried again until it is
// done.
package apps

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"pochi/app/memory"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/db"

	"github.com/google/uuid"
)

// What one person may have: apps, and apps in all their life.
const (
	AppsMax    = 20
	AppsMaxAll = 200
)

// App is a program that somebody has registered.
type App struct {
	ID           string // of the OAuth client
	Owner        uuid.UUID
	Name         string
	Confidential bool // it can keep a secret
	RedirectURIs []string
	PolicyURL    string // "" for none
	TermsURL     string // "" for none
	Logo         string // version of its logo, "" for none
	Settled      bool   // Hydra has it as it is here
	CreatedAt    time.Time
	SecretAt     time.Time // its secret was last asked for; zero for never
	LastUsedAt   time.Time // to the minute; zero for never
	DeletedAt    time.Time // zero while it is there; unless Settled, Hydra still has it
}

// Deleted tells whether its owner has deleted it.
func (a App) Deleted() bool { return !a.DeletedAt.IsZero() }

// Clients are the OAuth clients at Hydra. Errors are those of oauth.Provider.
type Clients interface {
	CreateClient(ctx context.Context, c oauth.Client) (oauth.Client, error)
	UpdateClient(ctx context.Context, c oauth.Client) (oauth.Client, error)
	RotateSecret(ctx context.Context, id string) (string, error)
	DeleteClient(ctx context.Context, id string) error
}

// Agreements are what people have allowed apps.
type Agreements interface {
	// EndApp ends all agreements of an app; those that have ended stay as they are.
	EndApp(ctx context.Context, clientID, why string) error
}

// Service registers, changes and deletes apps. It is safe for concurrent use.
type Service struct {
	db         *db.DB
	clients    Clients
	agreements Agreements
	now        func() time.Time
	settling   [64]sync.Mutex // an app is changed at Hydra by one at a time
	decoding   chan struct{}  // pictures take memory: one at a time
	uses       uses
	here       *memory.Rows[string, bool] // ids of apps that were looked for, and whether they are deleted
}

// hereMost is how many apps are remembered, about 100 bytes each.
const hereMost = 1 << 14

// New returns the service.
func New(d *db.DB, clients Clients, agreements Agreements, now func() time.Time) *Service {
	return &Service{db: d, clients: clients, agreements: agreements, now: now, decoding: make(chan struct{}, 1), here: memory.New[string, bool](hereMost)}
}

const appQuery = `SELECT a.client_id, a.owner, a.name, a.confidential, a.redirect_uris, a.policy_url, a.terms_url, coalesce(l.version, ''),
	a.settled = a.revision, a.created_at, a.secret_at, a.last_used_at, a.deleted_at
	FROM apps a LEFT JOIN app_logos l ON l.client_id = a.client_id `

// List returns the person's apps, oldest first, with those that are deleted here
// and not yet at Hydra.
func (s *Service) List(ctx context.Context, owner uuid.UUID) ([]App, error) {
	rows, err := s.db.Read.QueryContext(ctx, appQuery+"WHERE a.owner = ? AND (a.deleted_at IS NULL OR a.settled < a.revision) ORDER BY a.created_at, a.client_id", owner[:])
	if err != nil {
		return nil, fmt.Errorf("list apps: %w", err)
	}
	defer rows.Close()
	var out []App
	for rows.Next() {
		a, err := scanApp(rows)
		if err != nil {
			return nil, fmt.Errorf("list apps: %w", err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// Find returns an app of the person, or problem.NotFound when there is none or
// it is deleted, at Hydra too.
func (s *Service) Find(ctx context.Context, owner uuid.UUID, id string) (App, error) {
	a, err := s.FindAny(ctx, id)
	if err == nil && (a.Owner != owner || a.Deleted() && a.Settled) {
		return App{}, errNotFound()
	}
	return a, err
}

// FindAny returns an app whoever it belongs to, a deleted one too, or
// problem.NotFound: clients that admins have made are none of these apps.
func (s *Service) FindAny(ctx context.Context, id string) (App, error) {
	return findApp(ctx, s.db.Read, id)
}

// Registered returns nil for a client that is an app of this wallet's. It is
// problem.Gone when the app was deleted, which Hydra may not know yet, and
// problem.NotFound for any other client: one of the wallet's own, one that somebody
// has made at Hydra by hand, and one that was registered after the backup that this
// wallet was restored from.
func (s *Service) Registered(ctx context.Context, id string) error {
	deleted, here, changes := s.here.Get(id)
	if !here {
		a, err := s.FindAny(ctx, id)
		switch {
		case problem.CodeOf(err) == problem.NotFound:
			return problem.New(problem.NotFound, "This wallet doesn't know the app. Register it under For developers.").Because(err)
		case err != nil:
			return err
		}
		deleted = a.Deleted()
		s.here.Put(id, deleted, changes)
	}
	if deleted {
		return problem.New(problem.Gone, "The app was deleted.")
	}
	return nil
}

func findApp(ctx context.Context, tx db.Tx, id string) (App, error) {
	a, err := scanApp(tx.QueryRowContext(ctx, appQuery+"WHERE a.client_id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return App{}, errNotFound()
	}
	return a, err
}

func scanApp(row interface{ Scan(...any) error }) (App, error) {
	var a App
	var uris string
	var created int64
	var secret, used, deleted sql.NullInt64
	err := row.Scan(&a.ID, &a.Owner, &a.Name, &a.Confidential, &uris, &a.PolicyURL, &a.TermsURL, &a.Logo,
		&a.Settled, &created, &secret, &used, &deleted)
	a.RedirectURIs = strings.Split(uris, "\n")
	a.CreatedAt, a.SecretAt, a.LastUsedAt, a.DeletedAt = time.UnixMicro(created).UTC(), timeOf(secret), timeOf(used), timeOf(deleted)
	return a, err
}

func timeOf(micros sql.NullInt64) time.Time {
	if !micros.Valid {
		return time.Time{}
	}
	return time.UnixMicro(micros.Int64).UTC()
}

func errNotFound() *problem.Error { return problem.New(problem.NotFound, "There is no such app.") }
