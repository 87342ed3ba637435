package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"pochi/app/accounts"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// RequestState is where a payment request stands.
type RequestState string

// The states. Only what is open can begin to be paid. What is completed has got what
// was asked; one without an amount never is.
const (
	RequestOpen      RequestState = "open"
	RequestCompleted RequestState = "completed"
	RequestExpired   RequestState = "expired"
	RequestCancelled RequestState = "cancelled" // by its owner, or since its account was closed
)

// Request is a payment request: Open Payments' incoming payment. Anybody who knows
// its id can see it, so nothing in what payers are shown is private but what is
// marked so.
type Request struct {
	ID          uuid.UUID
	UserID      uuid.UUID // private
	AccountID   uuid.UUID // private: the account that is paid
	ClientID    string    // private: the app that asked for it, "" for the person
	PointerID   uuid.UUID
	Pointer     string // its name: "ann"
	PersonName  string // the owner's public name
	Description string
	Amount      ledger.Amount // asked; 0 for whatever is paid
	Most        ledger.Amount // the most that is taken: a little more than asked, for what rounding across currencies adds
	Received    ledger.Amount
	State       RequestState
	CreatedAt   time.Time
	ExpiresAt   time.Time // zero: never
	CancelledAt time.Time // zero: it wasn't
}

// Asset is what it is paid in.
func (r Request) Asset() ledger.Asset { return r.Amount.Asset }

// Left returns what is still asked; 0 when no amount was.
func (r Request) Left() ledger.Amount {
	return ledger.Amount{Value: r.Amount.Value - min(r.Amount.Value, r.Received.Value), Asset: r.Amount.Asset}
}

// payee is who gets what the request is paid.
func (r Request) payee() payee {
	return payee{pointer: r.PointerID, account: r.AccountID, request: r.ID}
}

// local is whom the request's payers pay.
func (r Request) local() *accounts.Payee {
	return &accounts.Payee{
		Pointer:    accounts.Pointer{ID: r.PointerID, Name: r.Pointer, UserID: r.UserID, AccountID: r.AccountID},
		PersonName: r.PersonName, Asset: r.Amount.Asset,
	}
}

// payable says why a request can't begin to be paid, as a problem of the code.
func (r Request) payable(code problem.Code) error {
	var why string
	switch r.State {
	case RequestOpen:
		return nil
	case RequestCompleted:
		why = "This request has been paid."
	case RequestExpired:
		why = "This request has expired."
	default:
		why = "This request was cancelled."
	}
	return problem.New(code, "%s", why)
}

// requestPath is where requests are, below the wallet's address.
const requestPath = "/requests/"

// requestID reads a request's id from the path of its address. What is written in any
// other way than ours is no address of a request.
func requestID(path string) (id uuid.UUID, ok bool) {
	text, ok := strings.CutPrefix(path, requestPath)
	if !ok {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(text)
	return id, err == nil && id.String() == text
}

const requestQuery = `SELECT r.id, r.user_id, r.account_id, r.client_id, r.pointer_id, p.name, u.name, r.description,
	coalesce(r.amount, 0), s.code, s.scale, k.debits_posted, r.created_at, r.expires_at, r.cancelled_at, w.closed
	FROM payment_requests r JOIN pointers p ON p.id = r.pointer_id JOIN users u ON u.id = r.user_id
	JOIN wallet_accounts w ON w.id = r.account_id JOIN accounts a ON a.id = r.account_id JOIN assets s ON s.ledger = a.ledger
	JOIN accounts k ON k.id = r.id `

func (s *Service) scanRequest(row interface{ Scan(...any) error }) (Request, error) {
	var r Request
	var created int64
	var expires, cancelled sql.NullInt64
	var closed bool
	err := row.Scan(&r.ID, &r.UserID, &r.AccountID, &r.ClientID, &r.PointerID, &r.Pointer, &r.PersonName, &r.Description,
		&r.Amount.Value, &r.Amount.Asset.Code, &r.Amount.Asset.Scale, &r.Received.Value, &created, &expires, &cancelled, &closed)
	r.Received.Asset = r.Amount.Asset
	r.Most = ledger.Amount{Value: capOf(r.Amount.Value), Asset: r.Amount.Asset}
	r.CreatedAt, r.ExpiresAt, r.CancelledAt = time.UnixMicro(created).UTC(), momentOf(expires), momentOf(cancelled)
	switch {
	case r.Amount.Value > 0 && r.Received.Value >= r.Amount.Value:
		r.State = RequestCompleted
	case cancelled.Valid || closed:
		r.State = RequestCancelled
	case over(r.ExpiresAt, s.Clock.Now()):
		r.State = RequestExpired
	default:
		r.State = RequestOpen
	}
	return r, err
}

// over reports whether a time has come; the zero time never does.
func over(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// momentOf is a time of the database, zero for NULL.
func momentOf(micros sql.NullInt64) time.Time {
	if !micros.Valid {
		return time.Time{}
	}
	return time.UnixMicro(micros.Int64).UTC()
}

// FindRequest returns a request, whoever's it is, or problem.NotFound.
func (s *Service) FindRequest(ctx context.Context, id uuid.UUID) (Request, error) {
	r, err := s.scanRequest(s.DB.Read.QueryRowContext(ctx, requestQuery+"WHERE r.id = ?", id[:]))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Request{}, errNoRequest()
	case err != nil:
		return Request{}, fmt.Errorf("find request %s: %w", id, err)
	}
	return r, nil
}

// FindRequestOf returns a request of the person, or problem.NotFound.
func (s *Service) FindRequestOf(ctx context.Context, userID, id uuid.UUID) (Request, error) {
	r, err := s.FindRequest(ctx, id)
	if err == nil && r.UserID != userID {
		return Request{}, errNoRequest()
	}
	return r, err
}

func errNoRequest() error { return problem.New(problem.NotFound, "There is no such payment request.") }

// RequestFilter says which requests: all of a person's, or those that an app asked
// for.
type RequestFilter struct {
	UserID   uuid.UUID
	ClientID string // "" for all
	Before   string // cursor of an earlier page, "" for the newest
	Limit    int
}

// Requests returns a page of requests, newest first, and the cursor of the next older
// page, "" at the end.
func (s *Service) Requests(ctx context.Context, f RequestFilter) ([]Request, string, error) {
	at, id := parseCursor(f.Before)
	rows, err := s.DB.Read.QueryContext(ctx, requestQuery+`WHERE r.user_id = ?1 AND (?2 = '' OR r.client_id = ?2)
		AND (r.created_at, r.id) < (?3, ?4) ORDER BY r.created_at DESC, r.id DESC LIMIT ?5`, f.UserID[:], f.ClientID, at, id[:], f.Limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list requests: %w", err)
	}
	defer rows.Close()
	var out []Request
	for rows.Next() {
		r, err := s.scanRequest(rows)
		if err != nil {
			return nil, "", fmt.Errorf("list requests: %w", err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("list requests: %w", err)
	}
	if len(out) <= f.Limit {
		return out, "", nil
	}
	out = out[:f.Limit]
	last := out[len(out)-1]
	return out, cursor(last.CreatedAt, last.ID), nil
}

// RequestPayments returns a page of what a request of the person was paid, as History
// does; nothing for one that isn't theirs.
func (s *Service) RequestPayments(ctx context.Context, userID, id uuid.UUID, before string, limit int) ([]Movement, string, error) {
	if _, err := s.FindRequestOf(ctx, userID, id); problem.CodeOf(err) == problem.NotFound {
		return nil, "", nil
	} else if err != nil {
		return nil, "", err
	}
	return s.movements(ctx, historyOf(requestLines), id, before, limit)
}

// CancelRequest ends an open request of the person: from its commit on nothing more
// is taken. What was received stays. Cancelling again is fine. Errors:
// problem.NotFound; problem.Conflict when it has been paid.
func (s *Service) CancelRequest(ctx context.Context, userID, id uuid.UUID) error {
	r, err := s.FindRequestOf(ctx, userID, id)
	switch {
	case err != nil:
		return err
	case !r.CancelledAt.IsZero():
		return nil
	case r.State == RequestCompleted:
		return problem.New(problem.Conflict, "This request has been paid already.")
	}
	now := s.Clock.Now().UnixMicro()
	return s.Ledger.Submit(ctx, ledger.Chain{ledger.SetLimit{ID: id}}, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE payment_requests SET cancelled_at = ? WHERE id = ? AND cancelled_at IS NULL", now, id[:])
		return err
	})
}
