package payments

import (
	"context"
	"fmt"
	"sync/atomic"
)

// tally counts payments as they end.
type tally struct{ completed, failed atomic.Uint64 }

func (t *tally) count(ended State) {
	switch ended {
	case Completed:
		t.completed.Add(1)
	case Failed:
		t.failed.Add(1)
	}
}

// Tally is how many payments and charges there are, for whoever watches the wallet.
type Tally struct {
	Completed, Failed uint64 // have ended, since this wallet started
	Sending           uint64 // now
	NeedReview        uint64 // now
}

// Tally returns it. Nothing that it reads grows with what has ended.
func (s *Service) Tally(ctx context.Context) (Tally, error) {
	t := Tally{Completed: s.tally.completed.Load(), Failed: s.tally.failed.Load()}
	err := s.DB.Read.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM outgoing_payments WHERE state = 'sending'),
		(SELECT count(*) FROM outgoing_payments WHERE state = 'needs_review')`).Scan(&t.Sending, &t.NeedReview)
	if err != nil {
		return t, fmt.Errorf("count the payments that haven't ended: %w", err)
	}
	return t, nil
}
