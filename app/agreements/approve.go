package agreements

import (
	"context"
	"fmt"
	"slices"

	"pochi/app/accounts"
	"pochi/app/problem"
	"pochi/db"

	"github.com/google/uuid"
)

// LiveMax is how many agreements a person may have that haven't ended.
const LiveMax = 1000

// Approval is a person's yes.
type Approval struct {
	Proposal  uuid.UUID // zero: the app asked for Terms with its request
	UserID    uuid.UUID
	AccountID uuid.UUID // one of theirs
	ClientID  string
	App       string   // what it is called now; a proposal has its own
	Terms     Terms    // not read for a proposal
	Amount    uint64   // what they grant, at most what was asked for
	Consent   [32]byte // SHA-256 of what they answered: the same question, asked again, has the same
}

// Approve makes an agreement of what was asked for. Approving the same again, with
// the same consent, returns the agreement that it made the first time. Errors:
// those of Check; problem.Errors with the fields account and amount;
// problem.NotFound as Proposal's; problem.Gone as Proposal's, for terms that are
// over by now, and when the agreement of this consent has ended since;
// problem.Conflict when this consent has approved something else, or the person has
// too many agreements.
func (s *Service) Approve(ctx context.Context, p Approval) (Agreement, error) {
	if p.Proposal == uuid.Nil {
		if p.Terms.over(s.now()) {
			return Agreement{}, errTooLate()
		}
		terms, err := s.check(p.Terms, false)
		if err == nil {
			err = checkApp(p.App)
		}
		if err != nil {
			return Agreement{}, err
		}
		p.Terms = terms
	}
	var granted Agreement
	err := s.write(ctx, func(tx db.Tx) (err error) {
		granted, err = s.approve(ctx, tx, p)
		return err
	})
	if err != nil {
		return Agreement{}, err
	}
	return granted.asOf(s.now()), nil
}

func (s *Service) approve(ctx context.Context, tx db.Tx, p Approval) (Agreement, error) {
	before, err := find(ctx, tx, "consent = ?", p.Consent[:])
	if err == nil {
		return before, s.repeats(ctx, tx, p, before.asOf(s.now()))
	}
	if problem.CodeOf(err) != problem.NotFound {
		return Agreement{}, err
	}
	now := s.now()
	a := Agreement{ID: uuid.Must(uuid.NewV7()), ClientID: p.ClientID, App: p.App, Terms: p.Terms, Asked: p.Terms.Amount.Value, CreatedAt: now}
	if p.Proposal != uuid.Nil {
		if a, err = s.proposal(ctx, tx, p.ClientID, p.Proposal); err != nil {
			return Agreement{}, err
		}
	}
	if err := p.fits(ctx, tx, a.Asked); err != nil {
		return Agreement{}, err
	}
	if err := s.room(ctx, tx, p.UserID); err != nil {
		return Agreement{}, err
	}
	a.UserID, a.AccountID, a.State, a.ApprovedAt = p.UserID, p.AccountID, Active, now
	a.Amount.Value, a.PaymentMax = p.Amount, min(a.PaymentMax, p.Amount)
	if p.Proposal != uuid.Nil {
		if _, err := tx.ExecContext(ctx, "DELETE FROM agreements WHERE id = ?", a.ID[:]); err != nil {
			return Agreement{}, err
		}
	}
	if err := insert(ctx, tx, a, p.Consent[:]); err != nil {
		return Agreement{}, err
	}
	return a, record(ctx, tx, a.ID, Event{Kind: EventApproved, At: now, Amount: p.Amount})
}

// repeats tells the same click, twice, from another answer to the same question.
func (s *Service) repeats(ctx context.Context, tx db.Tx, p Approval, before Agreement) error {
	var granted uint64
	err := tx.QueryRowContext(ctx, "SELECT amount FROM agreement_events WHERE agreement = ? AND kind = 'approved'", before.ID[:]).Scan(&granted)
	switch {
	case err != nil:
		return fmt.Errorf("look up what was approved: %w", err)
	case granted != p.Amount || before.UserID != p.UserID || before.AccountID != p.AccountID || before.ClientID != p.ClientID,
		p.Proposal != uuid.Nil && before.ID != p.Proposal, p.Proposal == uuid.Nil && !p.Terms.sameAs(before):
		return problem.New(problem.Conflict, "This request was answered already, in another way.")
	case !before.Live():
		return problem.New(problem.Gone, "You allowed this before, and it has ended since. Go back to the app and begin again.")
	}
	return nil
}

// sameAs reports whether an agreement was made of these terms. Its amount and its
// cap may have been lowered since.
func (t Terms) sameAs(a Agreement) bool {
	return t.Description == a.Description && t.Amount.Asset == a.Amount.Asset && t.Amount.Value == a.Asked && t.Interval == a.Interval &&
		slices.Equal(t.Receivers, a.Receivers) && t.StartsAt.Equal(a.StartsAt) && t.ExpiresAt.Equal(a.ExpiresAt) &&
		(t.PaymentMax > 0) == (a.PaymentMax > 0)
}

// fits checks what the person chose.
func (p Approval) fits(ctx context.Context, tx db.Tx, asked uint64) error {
	var errs problem.Errors
	account, err := accounts.FindByID(ctx, tx, p.AccountID)
	if err != nil && problem.CodeOf(err) != problem.NotFound {
		return err
	}
	if err != nil || account.UserID != p.UserID || account.Closed {
		errs = append(errs, problem.Field("account", "Choose one of your accounts."))
	}
	switch {
	case p.Amount == 0:
		errs = append(errs, problem.Field("amount", "The amount must be more than 0."))
	case p.Amount > asked:
		errs = append(errs, problem.Field("amount", "The app asks for less. You can allow that, or less."))
	}
	if errs != nil {
		return errs
	}
	return nil
}

// room checks that the person may have another agreement.
func (s *Service) room(ctx context.Context, tx db.Tx, userID uuid.UUID) error {
	var live int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM agreements WHERE user_id = ? AND "+liveNow, userID[:], s.now().UnixMicro()).Scan(&live)
	if err == nil && live >= LiveMax {
		return problem.New(problem.Conflict, "You have %d agreements with apps, which is the most a person can have. Revoke one first.", LiveMax)
	}
	return err
}

// liveNow is true of what can be used or resumed, at the time of its parameter.
const liveNow = "state IN ('active', 'paused') AND (ends_at IS NULL OR ends_at > ?)"
