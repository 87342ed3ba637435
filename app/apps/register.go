package apps

import (
	"context"
	"errors"
	"strings"

	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/db"

	"github.com/google/uuid"
)

// Register registers an app. It returns its secret, which nobody can be told
// again: "" for an app that has none, and when Hydra doesn't answer, in which
// case the app isn't Settled and can be given a secret later. Errors:
// problem.Errors with the fields of the form; problem.Conflict when the person
// has too many.
func (s *Service) Register(ctx context.Context, owner uuid.UUID, form Form) (App, string, error) {
	form = form.trimmed()
	if err := form.validate(); err != nil {
		return App{}, "", err
	}
	id := uuid.NewString()
	defer s.lock(id)()
	if err := s.insert(ctx, owner, id, form); err != nil {
		return App{}, "", err
	}
	made, err := s.clients.CreateClient(ctx, form.client(id))
	switch {
	case err == nil:
		err = s.settled(ctx, id, 1)
	case problem.CodeOf(err) == problem.Unavailable:
		err = nil // it may be made, and it is tried again
	default:
		err = errors.Join(err, s.write(ctx, "DELETE FROM apps WHERE client_id = ?", id))
		s.here.Changed(id)
		return App{}, "", err
	}
	if err != nil {
		return App{}, "", err
	}
	a, err := s.FindAny(ctx, id)
	return a, made.Secret, err
}

func (s *Service) insert(ctx context.Context, owner uuid.UUID, id string, form Form) error {
	now := s.now().UnixMicro()
	return s.db.Write(ctx, func(tx db.Tx) error {
		var have, all int
		err := tx.QueryRowContext(ctx, "SELECT coalesce(sum(deleted_at IS NULL), 0), count(*) FROM apps WHERE owner = ?", owner[:]).Scan(&have, &all)
		if err != nil {
			return err
		}
		if have >= AppsMax {
			return problem.New(problem.Conflict, "You have %d apps, which is the most a person can have. Delete one first.", AppsMax)
		}
		if all >= AppsMaxAll {
			return problem.New(problem.Conflict, "You have registered %d apps, which is the most a person can register.", AppsMaxAll)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO apps (client_id, owner, name, confidential, redirect_uris, policy_url, terms_url,
			revision, settled, created_at, secret_at) VALUES (?, ?, ?, ?, ?, ?, ?, 1, 0, ?, CASE WHEN ?4 THEN ?8 END)`,
			id, owner[:], form.Name, form.Confidential, strings.Join(form.RedirectURIs, "\n"), form.PolicyURL, form.TermsURL, now)
		return err
	})
}

// Edit changes what is said about an app; that it is confidential stays. The app
// it returns isn't Settled when Hydra doesn't answer: until it does, the app works
// as before. Errors: those of Register, and NotFound.
func (s *Service) Edit(ctx context.Context, owner uuid.UUID, id string, form Form) (App, error) {
	before, err := s.findLive(ctx, owner, id)
	if err != nil {
		return App{}, err
	}
	form = form.trimmed()
	form.Confidential = before.Confidential
	if err := form.validate(); err != nil {
		return App{}, err
	}
	err = s.change(ctx, owner, id, "name = ?, redirect_uris = ?, policy_url = ?, terms_url = ?",
		form.Name, strings.Join(form.RedirectURIs, "\n"), form.PolicyURL, form.TermsURL)
	if err != nil {
		return App{}, err
	}
	if err := s.settle(ctx, id); err != nil && problem.CodeOf(err) != problem.Unavailable {
		return App{}, err
	}
	return s.FindAny(ctx, id)
}

// Rotate gives an app another secret and returns it. The one before is refused
// from then on; when Hydra doesn't answer, it may be. Errors: NotFound; Conflict
// for an app that has none; Unavailable.
func (s *Service) Rotate(ctx context.Context, owner uuid.UUID, id string) (string, error) {
	a, err := s.findLive(ctx, owner, id)
	if err != nil {
		return "", err
	}
	if !a.Confidential {
		return "", problem.New(problem.Conflict, "This app has no secret: it is a public one.")
	}
	if err := s.settle(ctx, id); err != nil {
		return "", err
	}
	defer s.lock(id)()
	// First: nothing may come between a secret and its owner.
	if err := s.write(ctx, "UPDATE apps SET secret_at = ? WHERE client_id = ?", s.now().UnixMicro(), id); err != nil {
		return "", err
	}
	secret, err := s.clients.RotateSecret(ctx, id)
	if problem.CodeOf(err) == problem.Unavailable {
		return "", problem.New(problem.Unavailable,
			"The part of the wallet that connects apps doesn't answer. The secret before may have stopped working: make another one in a minute.").Because(err)
	}
	return secret, err
}

// Delete deletes an app: its agreements end, and when Hydra answers, its tokens
// are worth nothing. When it doesn't, the app stays in its owner's list until it
// does. Errors: NotFound.
func (s *Service) Delete(ctx context.Context, owner uuid.UUID, id string) error {
	if _, err := s.Find(ctx, owner, id); err != nil {
		return err
	}
	err := s.change(ctx, owner, id, "deleted_at = ?", s.now().UnixMicro())
	if err != nil && problem.CodeOf(err) != problem.NotFound { // deleted before, and not at Hydra
		return err
	}
	if err := s.settle(ctx, id); err != nil && problem.CodeOf(err) != problem.Unavailable {
		return err
	}
	return nil
}

// findLive returns an app of the person that isn't deleted.
func (s *Service) findLive(ctx context.Context, owner uuid.UUID, id string) (App, error) {
	a, err := s.Find(ctx, owner, id)
	if err == nil && a.Deleted() {
		return App{}, errNotFound()
	}
	return a, err
}

// change sets columns of an app that isn't deleted, which Hydra then has to be
// told of.
func (s *Service) change(ctx context.Context, owner uuid.UUID, id, set string, values ...any) error {
	defer s.here.Changed(id)
	return s.write(ctx, "UPDATE apps SET revision = revision + 1, "+set+" WHERE client_id = ? AND owner = ? AND deleted_at IS NULL",
		append(values, id, owner[:])...)
}

// write changes one row, or returns problem.NotFound.
func (s *Service) write(ctx context.Context, statement string, values ...any) error {
	return s.db.Write(ctx, func(tx db.Tx) error {
		result, err := tx.ExecContext(ctx, statement, values...)
		if err != nil {
			return err
		}
		changed, err := result.RowsAffected()
		if err == nil && changed == 0 {
			return errNotFound()
		}
		return err
	})
}

var _ Clients = (*oauth.Provider)(nil)
