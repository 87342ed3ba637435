// Package accounts keeps people's accounts and the payment pointers that pay
// them. An account's money is in the ledger, under the same id; here is whose
// it is and what they call it.
package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pochi/app/memory"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// What one person may have: open accounts, accounts in all their life, and
// pointers.
const (
	AccountsMax    = 50
	AccountsMaxAll = 500
	PointersMax    = 50
)

// FirstAccountName is what a new person's account is called until they rename it.
const FirstAccountName = "Everyday"

// Ledger is what this package needs of the ledger.
type Ledger interface {
	Submit(ctx context.Context, chain ledger.Chain, rows func(db.Tx) error) error
	Find(ctx context.Context, id ledger.ID) (ledger.Account, error)
}

// Agreements knows which apps may still spend an account's money.
type Agreements interface {
	// AppsOn returns the names of the apps with live agreements on an account.
	AppsOn(ctx context.Context, tx db.Tx, accountID uuid.UUID) ([]string, error)
}

// Account is a person's account with its balance as it is committed.
type Account struct {
	ID        uuid.UUID
	UserID    uuid.UUID
	Name      string
	Available ledger.Amount // may be spent now
	Pending   ledger.Amount // reserved by payments on their way
	Checking  bool          // it isn't known of a payment yet whether its money comes back
	Closed    bool
}

// Asset returns the account's asset.
func (a Account) Asset() ledger.Asset { return a.Available.Asset }

// Service opens, names and closes accounts and pointers.
type Service struct {
	db         *db.DB
	ledger     Ledger
	currencies []ledger.Asset
	agreements Agreements // nil: nobody has any
	now        func() time.Time
	payees     *memory.Rows[string, Payee] // by their pointer's name
	owned      *memory.Rows[ownership, owned]
}

// ownership is a person's of an account.
type ownership struct{ user, account uuid.UUID }

// owned is what an account is besides its money.
type owned struct {
	name  string
	asset ledger.Asset
}

// Bounds of what is remembered, up to a few hundred bytes each.
const (
	payeesMax = 1 << 16
	ownedMax  = 1 << 15
)

// New returns the service. The currencies' ledgers must have been opened.
func New(d *db.DB, l Ledger, currencies []ledger.Asset, now func() time.Time) *Service {
	return &Service{
		db: d, ledger: l, currencies: currencies, now: now,
		payees: memory.New[string, Payee](payeesMax), owned: memory.New[ownership, owned](ownedMax),
	}
}

// KeepOpen has accounts stay open that apps have live agreements on. It is to be
// called before the service is used.
func (s *Service) KeepOpen(a Agreements) { s.agreements = a }

// Opening prepares a new person's first account and payment pointer, to be
// committed with the person's row. Its errors are problem.Errors with the
// fields currency and pointer; the returned rows fail with one for a pointer
// that is taken.
func (s *Service) Opening(ctx context.Context, userID uuid.UUID, currency, pointer string) (ledger.Chain, func(db.Tx) error, error) {
	var errs problem.Errors
	asset, err := s.currency(currency)
	if err != nil {
		errs = append(errs, err)
	}
	name, err := ParseName("pointer", pointer)
	if err == nil {
		err = nameFree(ctx, s.db.Read, "pointer", name, userID)
	}
	if err != nil {
		errs = append(errs, err)
	}
	if errs != nil {
		return nil, nil, errs
	}
	id := uuid.Must(uuid.NewV7())
	chain, rows, openErr := s.opening(ctx, Account{ID: id, UserID: userID, Name: FirstAccountName}, asset)
	if openErr != nil {
		return nil, nil, openErr
	}
	return chain, func(tx db.Tx) error {
		if err := rows(tx); err != nil {
			return err
		}
		return s.insertPointer(ctx, tx, "pointer", Pointer{ID: uuid.Must(uuid.NewV7()), Name: name, UserID: userID, AccountID: id})
	}, nil
}

// Open opens a further account and returns its id. Without a name it is called
// after its currency, with a number from the second on: "USD", "USD 2". Errors:
// problem.Errors with the fields currency and name; problem.Conflict when the
// person has too many.
func (s *Service) Open(ctx context.Context, userID uuid.UUID, currency, name string) (uuid.UUID, error) {
	var errs problem.Errors
	asset, err := s.currency(currency)
	if err != nil {
		errs = append(errs, err)
	}
	name = trimmed(name)
	if name != "" {
		err = validName(name)
		if err != nil {
			errs = append(errs, err)
		}
	}
	if errs != nil {
		return uuid.Nil, errs
	}
	id := uuid.Must(uuid.NewV7())
	chain, rows, openErr := s.opening(ctx, Account{ID: id, UserID: userID, Name: name}, asset)
	if openErr != nil {
		return uuid.Nil, openErr
	}
	return id, s.ledger.Submit(ctx, chain, rows)
}

// opening prepares an account; one without a name gets its own from the rows.
func (s *Service) opening(ctx context.Context, a Account, asset ledger.Asset) (ledger.Chain, func(db.Tx) error, error) {
	number, err := ledger.LedgerOf(ctx, s.db.Read, asset)
	if err != nil {
		return nil, nil, fmt.Errorf("open an account in %s: %w", asset, err)
	}
	chain := ledger.Chain{ledger.OpenAccount{ID: a.ID, Ledger: number, Code: ledger.CodePerson}}
	return chain, func(tx db.Tx) error {
		var open, all int
		err := tx.QueryRowContext(ctx, "SELECT coalesce(sum(closed = 0), 0), count(*) FROM wallet_accounts WHERE user_id = ?", a.UserID[:]).Scan(&open, &all)
		if err != nil {
			return err
		}
		if open >= AccountsMax {
			return problem.New(problem.Conflict, "You have %d accounts, which is the most a person can have. Close one first.", AccountsMax)
		}
		if all >= AccountsMaxAll {
			return problem.New(problem.Conflict, "You have opened %d accounts, which is the most a person can open.", AccountsMaxAll)
		}
		name := a.Name
		if name == "" {
			name, err = freeName(ctx, tx, a.UserID, asset.Code)
			if err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO wallet_accounts (id, user_id, name, closed, created_at) VALUES (?, ?, ?, 0, ?)",
			a.ID[:], a.UserID[:], name, s.now().UnixMicro())
		return err
	}, nil
}

// Rename gives an open account of the person another name. Errors:
// problem.Errors with the field name; problem.NotFound.
func (s *Service) Rename(ctx context.Context, userID, id uuid.UUID, name string) error {
	if err := validName(name); err != nil {
		return problem.Errors{err}
	}
	defer s.owned.Changed(ownership{userID, id})
	return s.db.Write(ctx, func(tx db.Tx) error {
		return changeOne(tx.ExecContext(ctx, "UPDATE wallet_accounts SET name = ? WHERE id = ? AND user_id = ? AND closed = 0",
			trimmed(name), id[:], userID[:]))
	})
}

const accountQuery = `SELECT w.id, w.user_id, w.name, w.closed, s.code, s.scale,
	a.credits_posted - a.debits_posted - a.debits_pending, a.debits_pending,
	EXISTS (SELECT 1 FROM suspense x WHERE x.bearer = a.n AND x.state = 0)
	FROM wallet_accounts w JOIN accounts a ON a.id = w.id JOIN assets s ON s.ledger = a.ledger `

// List returns the person's open accounts, oldest first.
func (s *Service) List(ctx context.Context, userID uuid.UUID) ([]Account, error) {
	return s.list(ctx, userID, false)
}

// ListClosed returns the person's closed accounts, oldest first.
func (s *Service) ListClosed(ctx context.Context, userID uuid.UUID) ([]Account, error) {
	return s.list(ctx, userID, true)
}

func (s *Service) list(ctx context.Context, userID uuid.UUID, closed bool) ([]Account, error) {
	rows, err := s.db.Read.QueryContext(ctx, accountQuery+"WHERE w.user_id = ? AND w.closed = ? ORDER BY w.id", userID[:], closed)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	defer rows.Close()
	var out []Account
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, fmt.Errorf("list accounts: %w", err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// Find returns an open account of the person, or problem.NotFound.
func (s *Service) Find(ctx context.Context, userID, id uuid.UUID) (Account, error) {
	a, err := s.FindAny(ctx, userID, id)
	if err == nil && a.Closed {
		return Account{}, errNotFound()
	}
	return a, err
}

// FindAny returns an account of the person, closed ones too, or
// problem.NotFound.
func (s *Service) FindAny(ctx context.Context, userID, id uuid.UUID) (Account, error) {
	a, err := FindByID(ctx, s.db.Read, id)
	if err == nil && a.UserID != userID {
		return Account{}, errNotFound()
	}
	return a, err
}

// Payer returns an open account of the person as Find does, but from memory, and
// without whether something is checked. It returns problem.NotFound.
func (s *Service) Payer(ctx context.Context, userID, id uuid.UUID) (Account, error) {
	o, err := s.find(ctx, ownership{userID, id})
	if err != nil {
		return Account{}, err
	}
	a, err := s.ledger.Find(ctx, id)
	switch {
	case err != nil:
		return Account{}, fmt.Errorf("find an account: %w", err)
	case a.Closed:
		return Account{}, errNotFound()
	}
	return Account{
		ID: id, UserID: userID, Name: o.name,
		Available: ledger.Amount{Value: a.Available(), Asset: o.asset}, Pending: ledger.Amount{Value: a.DebitsPending, Asset: o.asset},
	}, nil
}

// Name returns what the person calls an account, also a closed one, or
// problem.NotFound.
func (s *Service) Name(ctx context.Context, userID, id uuid.UUID) (string, error) {
	o, err := s.find(ctx, ownership{userID, id})
	return o.name, err
}

// find returns what an account of the person is, from memory if it is there.
func (s *Service) find(ctx context.Context, key ownership) (owned, error) {
	o, here, changes := s.owned.Get(key)
	if here {
		return o, nil
	}
	err := s.db.Read.QueryRowContext(ctx, `SELECT w.name, s.code, s.scale FROM wallet_accounts w JOIN accounts a ON a.id = w.id
		JOIN assets s ON s.ledger = a.ledger WHERE w.id = ? AND w.user_id = ?`, key.account[:], key.user[:]).Scan(&o.name, &o.asset.Code, &o.asset.Scale)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return owned{}, errNotFound()
	case err == nil:
		s.owned.Put(key, o, changes)
	}
	return o, err
}

// FindByID returns an account whoever it belongs to, or problem.NotFound.
func FindByID(ctx context.Context, tx db.Tx, id uuid.UUID) (Account, error) {
	a, err := scanAccount(tx.QueryRowContext(ctx, accountQuery+"WHERE w.id = ?", id[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, errNotFound()
	}
	return a, err
}

func scanAccount(row interface{ Scan(...any) error }) (Account, error) {
	var a Account
	err := row.Scan(&a.ID, &a.UserID, &a.Name, &a.Closed, &a.Available.Asset.Code, &a.Available.Asset.Scale,
		&a.Available.Value, &a.Pending.Value, &a.Checking)
	a.Pending.Asset = a.Available.Asset
	return a, err
}

// currency finds a currency by its code, which may have its decimals: "USD/2".
func (s *Service) currency(code string) (ledger.Asset, *problem.Error) {
	for _, asset := range s.currencies {
		if asset.Code == code || asset.String() == code {
			return asset, nil
		}
	}
	return ledger.Asset{}, problem.Field("currency", "Choose one of the currencies.")
}

// changeOne turns an UPDATE that met no row into problem.NotFound.
func changeOne(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return errNotFound()
	}
	return err
}

func errNotFound() error {
	return problem.New(problem.NotFound, "There is no such account or pointer.")
}
