package accounts

import (
	"context"
	"errors"
	"strings"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// ClosesOnce says all that must come true before the account can be closed, as
// the end of a sentence: "it is empty and no payment pointer pays it"; "" when
// it can be closed now. Whether a pointer pays it, and which apps have agreements
// on it, the caller knows.
func (a Account) ClosesOnce(paid bool, apps []string) string {
	var conditions []string
	switch {
	case a.Available.Value > 0:
		conditions = append(conditions, "it is empty")
	case a.Pending.Value > 0 || a.Checking:
		conditions = append(conditions, "its payments have ended")
	}
	if paid {
		conditions = append(conditions, "no payment pointer pays it")
	}
	if len(apps) > 0 {
		conditions = append(conditions, "you have revoked what "+listed(apps)+" may spend from it")
	}
	return strings.Join(conditions, " and ")
}

// listed names things in a sentence: "Shop", "Shop and Jar", "A, B and C".
func listed(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// Apps returns the names of the apps with live agreements on an account.
func (s *Service) Apps(ctx context.Context, id uuid.UUID) ([]string, error) {
	return s.appsOn(ctx, s.db.Read, id)
}

func (s *Service) appsOn(ctx context.Context, tx db.Tx, id uuid.UUID) ([]string, error) {
	if s.agreements == nil {
		return nil, nil
	}
	return s.agreements.AppsOn(ctx, tx, id)
}

// errPaid refuses to close an account that a pointer pays, errSpent one that apps
// may spend from.
var (
	errPaid  = errors.New("a payment pointer pays the account")
	errSpent = errors.New("apps have agreements on the account")
)

// Close ends an account that is empty, that no pointer pays and on which no app has
// a live agreement. Errors: problem.NotFound; problem.Conflict with all that keeps
// it open.
func (s *Service) Close(ctx context.Context, userID, id uuid.UUID) error {
	if _, err := s.Find(ctx, userID, id); err != nil {
		return err
	}
	err := s.ledger.Submit(ctx, ledger.Chain{ledger.CloseAccount{ID: id}}, func(tx db.Tx) error {
		paid, err := isPaid(ctx, tx, id)
		if err != nil {
			return err
		}
		if paid {
			return errPaid
		}
		apps, err := s.appsOn(ctx, tx, id)
		if err != nil {
			return err
		}
		if len(apps) > 0 {
			return errSpent
		}
		return changeOne(tx.ExecContext(ctx, "UPDATE wallet_accounts SET closed = 1 WHERE id = ? AND user_id = ? AND closed = 0", id[:], userID[:]))
	})
	switch {
	case errors.Is(err, ledger.ErrAccountClosed): // the same click, twice
		return nil
	case errors.Is(err, ledger.ErrNotEmpty), errors.Is(err, errPaid), errors.Is(err, errSpent):
		return s.keptOpen(ctx, id, err)
	}
	return err
}

// keptOpen says all that keeps an account open, as it is by now.
func (s *Service) keptOpen(ctx context.Context, id uuid.UUID, cause error) error {
	a, err := FindByID(ctx, s.db.Read, id)
	if err != nil {
		return err
	}
	paid, err := isPaid(ctx, s.db.Read, id)
	if err != nil {
		return err
	}
	apps, err := s.Apps(ctx, id)
	if err != nil {
		return err
	}
	once := a.ClosesOnce(paid, apps)
	if once == "" {
		return problem.New(problem.Conflict, "The account was in use until just now. Please try again.").Because(cause)
	}
	return problem.New(problem.Conflict, "The account can be closed once %s.", once).Because(cause)
}

func isPaid(ctx context.Context, tx db.Tx, id uuid.UUID) (paid bool, err error) {
	err = tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pointers WHERE account_id = ?)", id[:]).Scan(&paid)
	return paid, err
}
