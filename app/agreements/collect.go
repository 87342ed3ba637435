package agreements

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pochi/db"

	"github.com/google/uuid"
)

const (
	// collectWithin is how long an app has to collect what was approved. Whoever
	// keeps consent requests and codes forgets them sooner: later nobody can.
	collectWithin = time.Hour
	// sweepEvery is how often the service looks for what nobody has collected.
	sweepEvery = 10 * time.Minute
)

// uncollectedWhy is why what nobody has collected ends, for its owner.
const uncollectedWhy = "The app never picked up your answer: it could not have used this."

// Collected notes that an agreement's app asks for a token for it. It is to be
// called before it is given.
func (s *Service) Collected(ctx context.Context, id uuid.UUID) error {
	var waits bool
	err := s.DB.Read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM agreements WHERE id = ? AND collected_at IS NULL)", id[:]).Scan(&waits)
	if err == nil && waits {
		err = s.write(ctx, func(tx db.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE agreements SET collected_at = ? WHERE id = ? AND collected_at IS NULL", s.now().UnixMicro(), id[:])
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("note that an agreement is collected: %w", err)
	}
	return nil
}

// EndUncollected ends the agreements that were approved an hour ago or more and
// whose app has no token: the answer got lost on its way.
func (s *Service) EndUncollected(ctx context.Context) error {
	now := s.now()
	lost, err := s.list(ctx, "collected_at IS NULL AND approved_at <= ? AND "+liveNow+" ORDER BY id LIMIT ?",
		now.Add(-collectWithin).UnixMicro(), now.UnixMicro(), pageSize)
	if err != nil {
		return fmt.Errorf("list agreements that nobody has collected: %w", err)
	}
	var failed []error
	for _, a := range lost {
		if err := s.end(ctx, ofClient(a.ClientID), a.ID, EventGivenUp, uncollectedWhy); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
