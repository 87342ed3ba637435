package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"pochi/app/accounts"
	"pochi/app/names"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Bounds of requests.
const (
	RequestDescriptionMax = 200  // characters
	RequestsMaxDay        = 2000 // that a person, and all apps in their name, can make in 24 hours
)

// RequestTerms are what somebody asks to be paid.
type RequestTerms struct {
	UserID      uuid.UUID
	AccountID   uuid.UUID     // that is paid; zero for the one that the person's first pointer pays
	Amount      ledger.Amount // in the account's asset; 0, of any asset, for whatever is paid
	Description string        // for payers and owner; may be ""
	ExpiresAt   time.Time     // zero: never
	ClientID    string        // the app that asks for it, "" for the person
}

// CreateRequest makes a request, which is open. Errors: problem.Errors with the fields
// account, amount, description and expires; problem.Conflict when the person has no
// payment pointer; problem.TooMany.
func (s *Service) CreateRequest(ctx context.Context, t RequestTerms) (Request, error) {
	var errs problem.Errors
	account, pointer, err := s.requested(ctx, t)
	var wrong *problem.Error
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		errs = append(errs, wrong)
	case err != nil:
		return Request{}, err
	default:
		t.Amount, wrong = requestAmount(t.Amount, account.Asset())
		errs = appendProblem(errs, wrong)
	}
	t.Description = strings.Join(strings.Fields(t.Description), " ")
	errs = appendProblem(errs, describable(t.Description))
	now := s.Clock.Now().UTC().Truncate(time.Microsecond)
	if over(t.ExpiresAt, now) || t.ExpiresAt.Year() > requestYearMax {
		errs = append(errs, problem.Field("expires", "Choose a time to come."))
	}
	if errs != nil {
		return Request{}, errs
	}
	t.AccountID = account.ID
	return s.insertRequest(ctx, t, pointer, now)
}

// requestYearMax is the last year in which a request can expire.
const requestYearMax = 9999

func appendProblem(errs problem.Errors, err *problem.Error) problem.Errors {
	if err == nil {
		return errs
	}
	return append(errs, err)
}

// requested finds the account that a request pays, and the pointer under which payers
// know the person: one that pays this account, if there is one.
func (s *Service) requested(ctx context.Context, t RequestTerms) (account accounts.Account, pointer uuid.UUID, err error) {
	var paid uuid.UUID
	err = s.DB.Read.QueryRowContext(ctx, "SELECT id, account_id FROM pointers WHERE user_id = ? ORDER BY account_id <> ?, id LIMIT 1",
		t.UserID[:], t.AccountID[:]).Scan(&pointer, &paid)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return account, pointer, problem.New(problem.Conflict, "Add a payment pointer first: payers know you by it.")
	case err != nil:
		return account, pointer, fmt.Errorf("find a pointer: %w", err)
	case t.AccountID == uuid.Nil:
		t.AccountID = paid
	}
	account, err = s.ownAccount(ctx, t.UserID, t.AccountID)
	return account, pointer, err
}

func requestAmount(a ledger.Amount, asset ledger.Asset) (ledger.Amount, *problem.Error) {
	switch {
	case a.Value == 0:
		return ledger.Amount{Asset: asset}, nil
	case a.Asset != asset:
		return a, problem.Field("amount", "The account is paid in %s with %d decimals.", asset.Code, asset.Scale)
	case a.Value > ledger.AmountMax:
		return a, problem.Field("amount", "%s", ledger.ErrAmountTooLarge.Error())
	}
	return a, nil
}

// describable refuses what can't be shown as what a payment is for.
func describable(text string) *problem.Error {
	switch {
	case utf8.RuneCountInString(text) > RequestDescriptionMax:
		return problem.Field("description", "Use at most %d characters.", RequestDescriptionMax)
	case text != "" && !names.Legible(text):
		return problem.Field("description", "Use letters, digits and signs that can be seen.")
	}
	return nil
}

func (s *Service) insertRequest(ctx context.Context, t RequestTerms, pointer uuid.UUID, now time.Time) (Request, error) {
	number, err := ledger.LedgerOf(ctx, s.DB.Read, t.Amount.Asset.Authority())
	if err != nil {
		return Request{}, fmt.Errorf("find the ledger of %s: %w", t.Amount.Asset.Authority(), err)
	}
	id := uuid.Must(uuid.NewV7())
	err = s.Ledger.Submit(ctx, ledger.Chain{capAccount(id, number, t.Amount.Value)}, func(tx db.Tx) error {
		if err := fewRequests(ctx, tx, t.UserID, now); err != nil {
			return err
		}
		amount := sql.NullInt64{Int64: int64(t.Amount.Value), Valid: t.Amount.Value > 0}
		expires := sql.NullInt64{Int64: t.ExpiresAt.UnixMicro(), Valid: !t.ExpiresAt.IsZero()}
		_, err := tx.ExecContext(ctx, `INSERT INTO payment_requests
			(id, user_id, account_id, pointer_id, client_id, amount, description, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id[:], t.UserID[:], t.AccountID[:], pointer[:], t.ClientID, amount, t.Description, now.UnixMicro(), expires)
		return err
	})
	if err != nil {
		return Request{}, fmt.Errorf("create a request: %w", err)
	}
	return s.FindRequest(ctx, id)
}

// fewRequests refuses more than a person can make in a day: each is an account of the
// ledger for ever.
func fewRequests(ctx context.Context, tx db.Tx, userID uuid.UUID, now time.Time) error {
	var count int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM payment_requests WHERE user_id = ? AND created_at > ?",
		userID[:], now.Add(-24*time.Hour).UnixMicro()).Scan(&count)
	if err == nil && count >= RequestsMaxDay {
		return problem.New(problem.TooMany, "There have been %d payment requests today, which is the most a person can make. Try again tomorrow.", count)
	}
	return err
}
