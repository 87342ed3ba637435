package agreements

import (
	"context"
	"errors"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// Lower takes some of an agreement's amount away, in the interval that is now too:
// also below what is used, then nothing more can be. It never gives more. Errors:
// problem.NotFound; problem.Conflict when it has ended; problem.Invalid with the
// field amount.
func (s *Service) Lower(ctx context.Context, userID, id uuid.UUID, amount uint64) error {
	return s.change(ctx, ofUser(userID), id, func(tx db.Tx, a *Agreement) (*Event, ledger.Chain, error) {
		switch {
		case amount == 0:
			return nil, nil, problem.Field("amount", "The amount must be more than 0. To end the agreement, revoke it.")
		case amount > a.Amount.Value:
			return nil, nil, problem.Field("amount", "You can lower the amount, not raise it: it is %s. For more, the app has to ask you.", a.Amount.Whole())
		case amount == a.Amount.Value:
			return nil, nil, errDone
		}
		a.Amount.Value, a.PaymentMax = amount, min(a.PaymentMax, amount)
		chain, err := s.lowering(tx, *a)
		return &Event{Kind: EventLowered, Amount: amount}, chain, err
	})
}

// lowering sets the limit of the interval that is now, whose account may not be
// there yet. Any other is opened before it is used, with the limit that the agreement
// then has: one that is there, because the clock was set back since, is lowered by that.
func (s *Service) lowering(tx db.Tx, a Agreement) (ledger.Chain, error) {
	span, ok := a.Span(s.now())
	if !ok {
		return nil, nil
	}
	number, err := ledger.LedgerOf(context.Background(), tx, a.Amount.Asset.Authority())
	if err != nil {
		return nil, err
	}
	return ledger.Chain{ledger.OpenAllowance(AuthorityAccount(a.ID, span.N), number, a.ID, a.Amount.Value)}, nil
}

// Pause lets an agreement not be used until its owner resumes it. Errors:
// problem.NotFound; problem.Conflict when it has ended.
func (s *Service) Pause(ctx context.Context, userID, id uuid.UUID) error {
	return s.turn(ctx, userID, id, Paused, EventPaused)
}

// Resume lets an agreement be used again. Errors: as Pause's.
func (s *Service) Resume(ctx context.Context, userID, id uuid.UUID) error {
	return s.turn(ctx, userID, id, Active, EventResumed)
}

func (s *Service) turn(ctx context.Context, userID, id uuid.UUID, state State, kind EventKind) error {
	return s.change(ctx, ofUser(userID), id, func(_ db.Tx, a *Agreement) (*Event, ledger.Chain, error) {
		if a.State == state {
			return nil, nil, errDone
		}
		a.State = state
		return &Event{Kind: kind, Amount: a.Amount.Value}, nil, nil
	})
}

// Revoke ends an agreement for good: nothing more is spent under it once this
// returns. One that has ended stays as it is. Error: problem.NotFound.
func (s *Service) Revoke(ctx context.Context, userID, id uuid.UUID) error {
	return s.end(ctx, ofUser(userID), id, EventRevoked, "")
}

// GiveUp is an app's way to end an agreement. Error: problem.NotFound.
func (s *Service) GiveUp(ctx context.Context, clientID string, id uuid.UUID) error {
	return s.end(ctx, ofClient(clientID), id, EventGivenUp, "")
}

// EndApp ends all agreements of an app, and what it has asked for. why is a sentence
// for their owners. After an error some are left: it is to be called again.
func (s *Service) EndApp(ctx context.Context, clientID, why string) error {
	err := s.write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM agreements WHERE client_id = ? AND state = 'pending'", clientID)
		return err
	})
	if err != nil {
		return err
	}
	for {
		ids, err := s.liveOf(ctx, clientID)
		if err != nil || len(ids) == 0 {
			return err
		}
		var all errgroup.Group // they come into the same batches
		all.SetLimit(endingsMost)
		for _, id := range ids {
			all.Go(func() error { return s.end(ctx, ofClient(clientID), id, EventGivenUp, why) })
		}
		if err := all.Wait(); err != nil {
			return err
		}
	}
}

// endingsMost is how many agreements of an app are ended at once.
const endingsMost = 64

// liveOf returns some of an app's live agreements.
func (s *Service) liveOf(ctx context.Context, clientID string) ([]uuid.UUID, error) {
	rows, err := s.DB.Read.QueryContext(ctx, "SELECT id FROM agreements WHERE client_id = ? AND "+liveNow+" LIMIT 500",
		clientID, s.now().UnixMicro())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// end ends an agreement, if it hasn't ended, and tells so.
func (s *Service) end(ctx context.Context, whose func(Agreement) bool, id uuid.UUID, kind EventKind, why string) error {
	err := s.change(ctx, whose, id, func(_ db.Tx, a *Agreement) (*Event, ledger.Chain, error) {
		a.State, a.EndedAt = Revoked, s.now()
		return &Event{Kind: kind, Amount: a.Amount.Value, Note: why}, nil, nil
	})
	if err != nil && !errors.Is(err, errEnded) {
		return err
	}
	s.ended(id)
	return nil
}

func ofUser(id uuid.UUID) func(Agreement) bool {
	return func(a Agreement) bool { return a.UserID == id }
}

func ofClient(id string) func(Agreement) bool {
	return func(a Agreement) bool { return a.ClientID == id }
}

// edit changes an agreement that hasn't ended, and says what to tell of it and what
// to change in the ledger; errDone if there is nothing to change.
type edit func(tx db.Tx, a *Agreement) (*Event, ledger.Chain, error)

// change changes an agreement in memory, in the ledger and in its row, in one unit:
// whatever the books do in a later one sees it.
func (s *Service) change(ctx context.Context, whose func(Agreement) bool, id uuid.UUID, do edit) error {
	var now Agreement
	var event *Event
	err := s.Writer.Submit(ctx, db.Unit{
		Apply: func(tx db.Tx) (undo func(), err error) {
			p, err := s.load(tx, id)
			if err != nil {
				return nil, err
			}
			was := p.Load()
			if !whose(was.Agreement) {
				return nil, errNotFound()
			}
			now = was.Agreement
			if now.State == Revoked || was.over(s.now()) {
				return nil, errEnded
			}
			var chain ledger.Chain
			if event, chain, err = do(tx, &now); err != nil {
				return nil, err
			}
			event.At = s.now()
			undoChain, err := s.Ledger.Apply(tx, chain)
			if err != nil {
				return nil, err
			}
			p.Store(s.stand(p, now, was.asset))
			return func() { p.Store(was); undoChain() }, nil
		},
		Rows: func(tx db.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE agreements SET state = ?, amount = ?, payment_max = ?, ended_at = ? WHERE id = ?",
				now.State, now.Amount.Value, now.PaymentMax, micros(now.EndedAt), id[:])
			if err != nil {
				return err
			}
			return record(ctx, tx, id, *event)
		},
	})
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}
