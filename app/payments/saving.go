package payments

import (
	"context"
	"fmt"
	"sync"
	"time"

	"pochi/db"

	"github.com/google/uuid"
)

const (
	savePause  = 250 * time.Millisecond // before quotes are written down, with those that come meanwhile
	unsavedMax = 4096                   // quotes that wait for that; whoever asks for a further one waits until it is written
)

// unsaved are the quotes that aren't written down yet. One that is confirmed by then
// needn't be: its payment is.
type unsaved struct {
	mu     sync.Mutex
	byID   map[uuid.UUID]Quote
	saving bool // somebody comes for them
}

func newUnsaved() *unsaved { return &unsaved{byID: map[uuid.UUID]Quote{}} }

// add returns false when there are too many, and that somebody has to come for them.
func (u *unsaved) add(q Quote) (added, first bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.byID) >= unsavedMax {
		return false, false
	}
	u.byID[q.ID] = q
	first, u.saving = !u.saving, true
	return true, first
}

func (u *unsaved) drop(quote uuid.UUID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.byID, quote)
}

// take returns all. The next that is added needs somebody to come.
func (u *unsaved) take() map[uuid.UUID]Quote {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := u.byID
	u.byID, u.saving = map[uuid.UUID]Quote{}, false
	return all
}

// saveQuote has a quote written down: for when it is no longer kept in memory, which is
// after a restart at the latest. A person doesn't wait for that: a quote that a
// crash loses moved no money, and they are told to begin again.
func (s *Service) saveQuote(ctx context.Context, q Quote) error {
	added, first := s.unsaved.add(q)
	if !added {
		return s.insertQuotes(ctx, map[uuid.UUID]Quote{q.ID: q})
	}
	if first && !s.inBackground(s.saveQuotes) {
		return s.insertQuotes(ctx, s.unsaved.take())
	}
	return nil
}

// saveQuotes writes down what is unsaved after a pause, at once when the wallet stops.
func (s *Service) saveQuotes(ctx context.Context) {
	_ = s.Clock.Sleep(ctx, savePause) // its only error is ctx's
	all := s.unsaved.take()
	if err := s.insertQuotes(context.WithoutCancel(ctx), all); err != nil {
		s.Log.Error("quotes could not be written down", "quotes", len(all), "error", err)
	}
}

// inBackground does what Drain waits for. It returns false, and does nothing,
// before Start and after Drain.
func (s *Service) inBackground(do func(context.Context)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		return false
	}
	ctx := s.ctx
	s.workers.Go(func() { do(ctx) })
	return true
}

func (s *Service) insertQuotes(ctx context.Context, all map[uuid.UUID]Quote) error {
	if len(all) == 0 {
		return nil
	}
	now := s.Clock.Now()
	return s.DB.Write(ctx, func(tx db.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM quotes WHERE expires_at < ?", now.Add(-quoteKept).UnixMicro()); err != nil {
			return fmt.Errorf("forget old quotes: %w", err)
		}
		for _, q := range all {
			if err := insertQuote(ctx, tx, q); err != nil {
				return err
			}
		}
		return nil
	})
}

func insertQuote(ctx context.Context, tx db.Tx, q Quote) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO quotes (id, user_id, account_id, receiver, receiver_name, fixed, asked_amount, rate,
		debit_amount, receive_amount, receive_code, receive_scale, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		q.ID[:], q.UserID[:], q.AccountID[:], q.Receiver, q.ReceiverName, string(q.Fixed), q.AskedAmount.Value, q.Rate, q.DebitAmount.Value,
		q.ReceiveAmount.Value, q.ReceiveAmount.Asset.Code, q.ReceiveAmount.Asset.Scale, q.CreatedAt.UnixMicro(), q.ExpiresAt.UnixMicro())
	return err
}
