// Package notices keeps which notices people have closed. What a notice tells of
// stays where it happened.
package notices

import (
	"context"
	"fmt"
	"time"

	"pochi/db"

	"github.com/google/uuid"
)

// Notice tells that in an interval of an agreement its limit is near or reached.
type Notice struct {
	Agreement uuid.UUID
	Kind      string // "near" or "reached"
	Interval  int64  // its number
}

// Service keeps what is closed.
type Service struct {
	db  *db.DB
	now func() time.Time
}

// New returns the service.
func New(d *db.DB, now func() time.Time) *Service { return &Service{db: d, now: now} }

// Close closes a notice for a person, and forgets those of the intervals before.
func (s *Service) Close(ctx context.Context, userID uuid.UUID, n Notice) error {
	return s.db.Write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM closed_notices WHERE user_id = ? AND agreement = ? AND repetition < ?",
			userID[:], n.Agreement[:], n.Interval)
		if err != nil {
			return fmt.Errorf("forget notices: %w", err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO closed_notices (user_id, agreement, kind, repetition, closed_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, userID[:], n.Agreement[:], n.Kind, n.Interval, s.now().UnixMicro())
		if err != nil {
			return fmt.Errorf("close a notice: %w", err)
		}
		return nil
	})
}

// Closed returns what a person has closed.
func (s *Service) Closed(ctx context.Context, userID uuid.UUID) (map[Notice]bool, error) {
	rows, err := s.db.Read.QueryContext(ctx, "SELECT agreement, kind, repetition FROM closed_notices WHERE user_id = ?", userID[:])
	if err != nil {
		return nil, fmt.Errorf("list closed notices: %w", err)
	}
	defer rows.Close()
	closed := map[Notice]bool{}
	for rows.Next() {
		var n Notice
		if err := rows.Scan(&n.Agreement, &n.Kind, &n.Interval); err != nil {
			return nil, fmt.Errorf("list closed notices: %w", err)
		}
		closed[n] = true
	}
	return closed, rows.Err()
}
