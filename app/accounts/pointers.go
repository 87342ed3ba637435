package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Pointer is a payment pointer's name on this wallet's host and the account
// that it pays.
type Pointer struct {
	ID        uuid.UUID
	Name      string // after the host: "ann"
	UserID    uuid.UUID
	AccountID uuid.UUID
}

// Payee is who is behind a pointer, as the public may know them.
type Payee struct {
	Pointer
	PersonName string
	Asset      ledger.Asset
}

// AddPointer gives the person a further pointer that pays one of their
// accounts. Errors: problem.Errors with the fields name and account;
// problem.Conflict when they have too many.
func (s *Service) AddPointer(ctx context.Context, userID uuid.UUID, name string, accountID uuid.UUID) error {
	var errs problem.Errors
	parsed, err := ParseName("name", name)
	if err == nil {
		err = nameFree(ctx, s.db.Read, "name", parsed, userID)
	}
	if err != nil {
		errs = append(errs, err)
	}
	if err := s.payable(ctx, userID, accountID); err != nil {
		errs = append(errs, err)
	}
	if errs != nil {
		return errs
	}
	return s.db.Write(ctx, func(tx db.Tx) error {
		var count int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM pointers WHERE user_id = ?", userID[:]).Scan(&count); err != nil {
			return err
		}
		if count >= PointersMax {
			return problem.New(problem.Conflict, "You have %d payment pointers, which is the most a person can have.", PointersMax)
		}
		var open int
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM wallet_accounts WHERE id = ? AND closed = 0", accountID[:]).Scan(&open)
		if err != nil {
			return err
		}
		if open == 0 { // closed since it was checked
			return errNotFound()
		}
		return s.insertPointer(ctx, tx, "name", Pointer{ID: uuid.Must(uuid.NewV7()), Name: parsed, UserID: userID, AccountID: accountID})
	})
}

// Repoint lets a pointer of the person pay another of their accounts. Errors:
// problem.Errors with the field account; problem.NotFound.
func (s *Service) Repoint(ctx context.Context, userID, pointerID, accountID uuid.UUID) error {
	if err := s.payable(ctx, userID, accountID); err != nil {
		return problem.Errors{err}
	}
	defer s.payees.AllChanged()
	return s.db.Write(ctx, func(tx db.Tx) error {
		return changeOne(tx.ExecContext(ctx, `UPDATE pointers SET account_id = ? WHERE id = ? AND user_id = ?
			AND EXISTS (SELECT 1 FROM wallet_accounts WHERE id = ? AND closed = 0)`,
			accountID[:], pointerID[:], userID[:], accountID[:]))
	})
}

// Pointers returns the person's pointers, oldest first.
func (s *Service) Pointers(ctx context.Context, userID uuid.UUID) ([]Pointer, error) {
	rows, err := s.db.Read.QueryContext(ctx, "SELECT id, name, user_id, account_id FROM pointers WHERE user_id = ? ORDER BY id", userID[:])
	if err != nil {
		return nil, fmt.Errorf("list pointers: %w", err)
	}
	defer rows.Close()
	var out []Pointer
	for rows.Next() {
		var p Pointer
		if err := rows.Scan(&p.ID, &p.Name, &p.UserID, &p.AccountID); err != nil {
			return nil, fmt.Errorf("list pointers: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

const payeeQuery = `SELECT p.id, p.name, p.user_id, p.account_id, u.name, s.code, s.scale
	FROM pointers p JOIN users u ON u.id = p.user_id JOIN accounts a ON a.id = p.account_id JOIN assets s ON s.ledger = a.ledger `

// PayeeByName returns who is behind a pointer's name, or problem.NotFound.
func (s *Service) PayeeByName(ctx context.Context, name string) (Payee, error) {
	name = foldName(name)
	p, here, changes := s.payees.Get(name)
	if here {
		return p, nil
	}
	p, err := findPayee(s.db.Read.QueryRowContext(ctx, payeeQuery+"WHERE p.name = ?", name))
	if err == nil {
		s.payees.Put(name, p, changes)
	}
	return p, err
}

// PayeeByID returns who is behind a pointer, or problem.NotFound.
func (s *Service) PayeeByID(ctx context.Context, id uuid.UUID) (Payee, error) {
	return findPayee(s.db.Read.QueryRowContext(ctx, payeeQuery+"WHERE p.id = ?", id[:]))
}

func findPayee(row *sql.Row) (Payee, error) {
	var p Payee
	err := row.Scan(&p.ID, &p.Name, &p.UserID, &p.AccountID, &p.PersonName, &p.Asset.Code, &p.Asset.Scale)
	if errors.Is(err, sql.ErrNoRows) {
		return Payee{}, problem.New(problem.NotFound, "Nobody can be paid at this pointer. Check how it is written.")
	}
	return p, err
}

// payable checks that a pointer may name the account.
func (s *Service) payable(ctx context.Context, userID, accountID uuid.UUID) *problem.Error {
	_, err := s.Find(ctx, userID, accountID)
	switch {
	case err == nil:
		return nil
	case problem.CodeOf(err) == problem.NotFound:
		return problem.Field("account", "Choose one of your accounts.").Because(err)
	}
	return problem.New(problem.Unavailable, "The account could not be checked. Please try again.").Because(err)
}

// nameFree checks that a person can have a pointer of that name.
func nameFree(ctx context.Context, tx db.Tx, field, name string, userID uuid.UUID) *problem.Error {
	var owner uuid.UUID
	err := tx.QueryRowContext(ctx, "SELECT user_id FROM pointers WHERE name = ?", name).Scan(&owner)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return problem.New(problem.Unavailable, "The name could not be checked. Please try again.").Because(err)
	case owner == userID:
		return problem.Field(field, "You have this pointer already.")
	}
	return problem.Field(field, "Somebody has this name already. Try another.")
}

func (s *Service) insertPointer(ctx context.Context, tx db.Tx, field string, p Pointer) error {
	if err := nameFree(ctx, tx, field, p.Name, p.UserID); err != nil { // taken since it was checked
		return problem.Errors{err}
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO pointers (id, name, user_id, account_id, created_at) VALUES (?, ?, ?, ?, ?)",
		p.ID[:], p.Name, p.UserID[:], p.AccountID[:], s.now().UnixMicro())
	return err
}
