package agreements

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pochi/db"

	"github.com/google/uuid"
)

// EventKind is what happened.
type EventKind string

// What can happen to an agreement.
const (
	EventAsked    EventKind = "asked"
	EventApproved EventKind = "approved"
	EventLowered  EventKind = "lowered"
	EventPaused   EventKind = "paused"
	EventResumed  EventKind = "resumed"
	EventRevoked  EventKind = "revoked"  // by its owner
	EventGivenUp  EventKind = "given_up" // by the app
	EventExpired  EventKind = "expired"
	EventNear     EventKind = "near"    // 80 % of an interval's amount are used
	EventReached  EventKind = "reached" // all of it
)

// Event is something that happened to an agreement.
type Event struct {
	Agreement uuid.UUID
	Kind      EventKind
	At        time.Time
	Amount    uint64 // units of its asset: what was asked for, or may be used from then on; near and reached: what was used
	Interval  int64  // near and reached: the interval's number
	Note      string // why, in a sentence, or empty
}

// record writes an event. What is near or reached in an interval is so once.
func record(ctx context.Context, tx db.Tx, id uuid.UUID, e Event) error {
	var repetition any
	if e.Kind == EventNear || e.Kind == EventReached {
		repetition = e.Interval
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO agreement_events (agreement, kind, at, amount, repetition, note) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (agreement, kind, repetition) WHERE repetition IS NOT NULL DO NOTHING`,
		id[:], e.Kind, e.At.UnixMicro(), e.Amount, repetition, e.Note)
	if err != nil {
		return fmt.Errorf("write what happened to an agreement: %w", err)
	}
	return nil
}

// Timeline returns what happened to an agreement, oldest first. Error:
// problem.NotFound.
func (s *Service) Timeline(ctx context.Context, id uuid.UUID) ([]Event, error) {
	a, err := s.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	events, err := s.events(ctx, "agreement = ? ORDER BY n", id[:])
	if err != nil {
		return nil, err
	}
	out := append([]Event{{Agreement: id, Kind: EventAsked, At: a.CreatedAt, Amount: a.Asked}}, events...)
	if a.State == Expired {
		out = append(out, Event{Agreement: id, Kind: EventExpired, At: a.EndedAt, Amount: a.Amount.Value})
	}
	return out, nil
}

// Notices returns what a person is to be told of their agreements: when a limit was
// near or reached, and what neither they nor the app did. Newest first, at most so
// many.
func (s *Service) Notices(ctx context.Context, userID uuid.UUID, most int) ([]Event, error) {
	return s.events(ctx, `(repetition IS NOT NULL OR note <> '') AND agreement IN (SELECT id FROM agreements WHERE user_id = ?) ORDER BY n DESC LIMIT ?`, userID[:], most)
}

func (s *Service) events(ctx context.Context, where string, args ...any) ([]Event, error) {
	rows, err := s.DB.Read.QueryContext(ctx, "SELECT agreement, kind, at, amount, coalesce(repetition, 0), note FROM agreement_events WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read what happened to agreements: %w", err)
	}
	defer rows.Close()
	var out []Event
	for rows.Next() {
		var e Event
		var at int64
		if err := rows.Scan(&e.Agreement, &e.Kind, &at, &e.Amount, &e.Interval, &e.Note); err != nil {
			return nil, fmt.Errorf("read what happened to agreements: %w", err)
		}
		e.At = time.UnixMicro(at).UTC()
		out = append(out, e)
	}
	return slices.Clip(out), rows.Err()
}
