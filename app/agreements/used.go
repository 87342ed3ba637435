package agreements

import (
	"context"
	"fmt"
	"sync"
	"time"

	"pochi/db"

	"github.com/google/uuid"
)

// lookEvery is how often at most the service looks at what was used.
const lookEvery = time.Second

// used are the agreements that were used since the last look.
type used struct {
	mu   sync.Mutex
	at   map[uuid.UUID]time.Time
	wake chan struct{}
}

func newUsed() *used { return &used{at: map[uuid.UUID]time.Time{}, wake: make(chan struct{}, 1)} }

// Spent notes that an agreement was used, after the commit that used it. Soon
// somebody looks how much is left, and the person is told when it is little. It is
// quick.
func (s *Service) Spent(id uuid.UUID) {
	s.used.mu.Lock()
	s.used.at[id] = s.now()
	s.used.mu.Unlock()
	select {
	case s.used.wake <- struct{}{}:
	default:
	}
}

func (u *used) take() map[uuid.UUID]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.at
	u.at = map[uuid.UUID]time.Time{}
	return taken
}

// Run looks at what is used until ctx ends: first at all agreements, since the last
// run may have been cut off. Now and then it ends what nobody has collected.
func (s *Service) Run(ctx context.Context) {
	s.lookAtAll(ctx)
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-s.used.wake:
		case <-sweep.C:
			if err := s.EndUncollected(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "agreements that nobody has collected can't be ended; it is tried again", "error", err)
			}
		}
		s.look(context.WithoutCancel(ctx), s.used.take())
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

// pageSize is how many agreements are looked at in one read.
const pageSize = 500

// lookAtAll looks at the agreements that are live, page by page.
func (s *Service) lookAtAll(ctx context.Context) {
	after := uuid.Nil
	for ctx.Err() == nil {
		page, err := s.list(ctx, "id > ? AND "+liveNow+" ORDER BY id LIMIT ?", after[:], s.now().UnixMicro(), pageSize)
		if err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "agreements can't be looked at", "error", err)
		}
		if len(page) == 0 {
			return
		}
		ids := map[uuid.UUID]time.Time{}
		for _, a := range page {
			ids[a.ID] = time.Time{}
		}
		s.look(context.WithoutCancel(ctx), ids)
		after = page[len(page)-1].ID
	}
}

// look writes when agreements were used last, and what is to be told.
func (s *Service) look(ctx context.Context, ids map[uuid.UUID]time.Time) {
	var events []Event
	times := map[uuid.UUID]time.Time{}
	for id, at := range ids {
		e, err := s.little(ctx, id)
		if err != nil {
			s.Log.ErrorContext(ctx, "it can't be seen how much of an agreement is used", "agreement", id, "error", err)
			continue
		}
		events = append(events, e...)
		if !at.IsZero() {
			times[id] = at
		}
	}
	if len(events)+len(times) == 0 {
		return
	}
	err := s.write(ctx, func(tx db.Tx) error {
		for id, at := range times {
			_, err := tx.ExecContext(ctx, "UPDATE agreements SET last_used_at = ?1 WHERE id = ?2 AND coalesce(last_used_at, 0) < ?1", at.UnixMicro(), id[:])
			if err != nil {
				return err
			}
		}
		for _, e := range events {
			if err := record(ctx, tx, e.Agreement, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "the use of agreements can't be written", "error", err)
	}
}

// little returns what there is to tell of the interval of a live agreement: that
// little is left, or nothing.
func (s *Service) little(ctx context.Context, id uuid.UUID) ([]Event, error) {
	a, err := s.Find(ctx, id)
	if err != nil || !a.Live() {
		return nil, err
	}
	now := s.now()
	u, err := s.usage(ctx, a, now)
	if err != nil {
		return nil, fmt.Errorf("its usage: %w", err)
	}
	e := Event{Agreement: id, At: now, Amount: u.Used, Interval: u.Span.N}
	switch {
	case u.Used >= u.Limit:
		e.Kind = EventReached
	case u.Used >= u.Limit-u.Limit/5:
		e.Kind = EventNear
	default:
		return nil, nil
	}
	return []Event{e}, nil
}
