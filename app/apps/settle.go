package apps

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"time"

	"pochi/app/problem"
	"pochi/db"
)

// settleEvery is how often Hydra is asked again for what it didn't do.
const settleEvery = 30 * time.Second

// deletedWhy is why the agreements of a deleted app end, for those who had
// allowed them.
const deletedWhy = "The app was deleted."

var seed = maphash.MakeSeed()

// lock waits until nobody else changes the app at Hydra, and returns what lets
// others.
func (s *Service) lock(id string) (unlock func()) {
	m := &s.settling[maphash.String(seed, id)%uint64(len(s.settling))]
	m.Lock()
	return m.Unlock
}

// settle makes Hydra have the app as it is here. Errors: Unavailable when Hydra
// doesn't answer.
func (s *Service) settle(ctx context.Context, id string) error {
	defer s.lock(id)()
	revision, done, err := s.revision(ctx, id)
	if err != nil || done {
		return err
	}
	a, err := s.FindAny(ctx, id) // not older than the revision
	if err != nil {
		return err
	}
	if a.Deleted() {
		err = s.end(ctx, id)
	} else {
		err = s.put(ctx, a)
	}
	if err != nil {
		return err
	}
	return s.settled(ctx, id, revision)
}

// end takes everything from a deleted app.
func (s *Service) end(ctx context.Context, id string) error {
	if err := s.agreements.EndApp(ctx, id, deletedWhy); err != nil {
		return err
	}
	err := s.clients.DeleteClient(ctx, id)
	if problem.CodeOf(err) == problem.NotFound {
		return nil
	}
	return err
}

// put makes or changes the client. One that is made here has a secret that
// nobody is told: its owner asks for another one.
func (s *Service) put(ctx context.Context, a App) error {
	client := a.form().client(a.ID)
	_, err := s.clients.UpdateClient(ctx, client)
	if problem.CodeOf(err) == problem.NotFound {
		_, err = s.clients.CreateClient(ctx, client)
	}
	return err
}

func (s *Service) revision(ctx context.Context, id string) (revision int64, settled bool, err error) {
	err = s.db.Read.QueryRowContext(ctx, "SELECT revision, revision = settled FROM apps WHERE client_id = ?", id).Scan(&revision, &settled)
	return revision, settled, err
}

// settled notes that Hydra has an app's revision.
func (s *Service) settled(ctx context.Context, id string, revision int64) error {
	return s.write(ctx, "UPDATE apps SET settled = ? WHERE client_id = ?", revision, id)
}

// Watch asks Hydra, until ctx ends, again and again for what it didn't do.
func (s *Service) Watch(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(settleEvery)
	defer ticker.Stop()
	for {
		if err := s.Settle(ctx); err != nil && ctx.Err() == nil {
			log.Warn("apps aren't at Hydra as their owners want them; it is tried again", "error", err, "after_s", settleEvery.Seconds())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Settle makes Hydra have every app as it is here. What Hydra refuses of one
// keeps none of the others waiting.
func (s *Service) Settle(ctx context.Context) error {
	ids, err := s.unsettled(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		err := s.settle(ctx, id)
		if problem.CodeOf(err) == problem.Unavailable {
			return err
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("app %s: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) unsettled(ctx context.Context) ([]string, error) {
	rows, err := s.db.Read.QueryContext(ctx, "SELECT client_id FROM apps WHERE settled < revision")
	if err != nil {
		return nil, fmt.Errorf("list apps to settle: %w", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// Unsettle notes that the database is an older copy, so that Hydra may have every
// app otherwise than it is here: it is told all of them again.
func Unsettle(ctx context.Context, tx db.Tx) error {
	_, err := tx.ExecContext(ctx, "UPDATE apps SET settled = 0")
	return err
}
