package agreements

import (
	"context"
	"time"
	"unicode/utf8"

	"pochi/app/names"
	"pochi/app/problem"
	"pochi/db"

	"github.com/google/uuid"
)

const (
	// ProposalTTL is how long a proposal can be approved.
	ProposalTTL = 24 * time.Hour
	// ProposalsMax is how many proposals of an app may wait for an answer.
	ProposalsMax = 1000
	// proposalsKept is how long a proposal that nobody approved is still known.
	proposalsKept = 7 * 24 * time.Hour
)

// Propose keeps what an app asks for, to be approved by whoever the app sends here
// with its id. Errors: those of Check; problem.TooMany when too many wait.
func (s *Service) Propose(ctx context.Context, clientID, app string, t Terms) (Agreement, error) {
	t, err := s.check(t, true)
	if err != nil {
		return Agreement{}, err
	}
	if err := checkApp(app); err != nil {
		return Agreement{}, err
	}
	now := s.now()
	a := Agreement{
		ID: uuid.Must(uuid.NewV7()), ClientID: clientID, App: app, Terms: t, Asked: t.Amount.Value, State: Pending, CreatedAt: now,
	}
	err = s.write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM agreements WHERE client_id = ? AND state = 'pending' AND created_at < ?",
			clientID, now.Add(-proposalsKept).UnixMicro())
		if err != nil {
			return err
		}
		var waiting int
		err = tx.QueryRowContext(ctx, "SELECT count(*) FROM agreements WHERE client_id = ? AND state = 'pending' AND created_at > ?",
			clientID, now.Add(-ProposalTTL).UnixMicro()).Scan(&waiting)
		if err != nil {
			return err
		}
		if waiting >= ProposalsMax {
			tooMany := problem.New(problem.TooMany, "%d requests of this app wait for an answer, which is the most there can be.", ProposalsMax)
			tooMany.RetryAfter = time.Hour
			return tooMany
		}
		return insert(ctx, tx, a, nil)
	})
	if err != nil {
		return Agreement{}, err
	}
	return a, nil
}

func checkApp(app string) error {
	if !names.Legible(app) || utf8.RuneCountInString(app) > AppMax {
		return problem.Field("app", "An app's name has 1 to %d characters that can be seen.", AppMax)
	}
	return nil
}

// Proposal returns what an app has asked for. Errors: problem.NotFound, also for
// another app's; problem.Gone when it is too old or was decided.
func (s *Service) Proposal(ctx context.Context, clientID string, id uuid.UUID) (Agreement, error) {
	return s.proposal(ctx, s.DB.Read, clientID, id)
}

func (s *Service) proposal(ctx context.Context, tx db.Tx, clientID string, id uuid.UUID) (Agreement, error) {
	a, err := find(ctx, tx, "id = ? AND client_id = ?", id[:], clientID)
	if err != nil {
		return Agreement{}, err
	}
	now := s.now()
	switch {
	case a.State != Pending:
		return Agreement{}, problem.New(problem.Gone, "This request was answered already.")
	case now.Sub(a.CreatedAt) >= ProposalTTL, a.Terms.over(now):
		return Agreement{}, errTooLate()
	}
	return a, nil
}
