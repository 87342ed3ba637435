package agreements

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// ListMax is how many agreements a list has at most: the newest.
const ListMax = 1000

// Find returns an agreement whoever it belongs to, one that has ended too. Error:
// problem.NotFound, also for what is only asked for.
func (s *Service) Find(ctx context.Context, id uuid.UUID) (Agreement, error) {
	return s.find(ctx, "id = ? AND state <> 'pending'", id[:])
}

// FindOf returns an agreement of a person. Error: problem.NotFound.
func (s *Service) FindOf(ctx context.Context, userID, id uuid.UUID) (Agreement, error) {
	return s.find(ctx, "id = ? AND user_id = ?", id[:], userID[:])
}

// OfClient returns an agreement with an app, from memory if it is there: but for its
// LastUsedAt it is as it is now. Error: problem.NotFound, also for what is only asked
// for.
func (s *Service) OfClient(ctx context.Context, clientID string, id uuid.UUID) (Agreement, error) {
	if known := s.memory.get(id); known != nil {
		if known.ClientID != clientID {
			return Agreement{}, errNotFound()
		}
		return known.copy().asOf(s.now()), nil
	}
	return s.find(ctx, "id = ? AND client_id = ? AND state <> 'pending'", id[:], clientID)
}

func (s *Service) find(ctx context.Context, where string, args ...any) (Agreement, error) {
	a, err := find(ctx, s.DB.Read, where, args...)
	if err != nil {
		return Agreement{}, err
	}
	return a.asOf(s.now()), nil
}

// List returns a person's agreements, newest first, those that have ended too.
func (s *Service) List(ctx context.Context, userID uuid.UUID) ([]Agreement, error) {
	return s.list(ctx, "user_id = ? ORDER BY approved_at DESC, id LIMIT ?", userID[:], ListMax)
}

// ListOfClient returns the agreements with an app, newest first, those that have
// ended too.
func (s *Service) ListOfClient(ctx context.Context, clientID string) ([]Agreement, error) {
	return s.list(ctx, "client_id = ? AND state <> 'pending' ORDER BY approved_at DESC, id LIMIT ?", clientID, ListMax)
}

func (s *Service) list(ctx context.Context, where string, args ...any) ([]Agreement, error) {
	rows, err := s.DB.Read.QueryContext(ctx, "SELECT "+columns+" FROM agreements WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list agreements: %w", err)
	}
	defer rows.Close()
	now := s.now()
	var out []Agreement
	for rows.Next() {
		a, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, a.asOf(now))
	}
	return out, rows.Err()
}
