package users

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pochi/app/limit"
	"pochi/app/problem"
	"pochi/db"

	"github.com/google/uuid"
	"github.com/mattn/go-sqlite3"
)

// SignUp is what somebody types to become a person of this wallet.
type SignUp struct {
	Name     string
	Email    string
	Password string
	Pointer  string // name of the payment pointer
	Currency string // code of the first account's currency
	Address  string // IP address they come from, for the limit
}

// SignUp makes a person with their first account and payment pointer, all or
// nothing. Errors: problem.Errors with all that is wrong at once, fields name,
// email, password, pointer, currency; problem.TooMany; problem.Unavailable
// when too many people sign up at once.
func (s *Service) SignUp(ctx context.Context, in SignUp) (User, error) {
	if wait := s.signUps.Take(limit.Network(in.Address), s.now()); wait > 0 {
		return User{}, limit.TooMany(wait)
	}
	return s.Add(ctx, in, s.opener)
}

// Add is SignUp for those who run the wallet: nothing limits how often, and
// opener prepares what the person begins with.
func (s *Service) Add(ctx context.Context, in SignUp, opener Opener) (User, error) {
	id, err := uuid.NewV7FromReader(s.rand)
	if err != nil {
		return User{}, fmt.Errorf("sign up: %w", err)
	}
	in, errs := in.validate()
	if err := s.emailFree(ctx, in.Email); err != nil {
		if errs, err = merge(errs, err); err != nil {
			return User{}, err
		}
	}
	chain, openingRows, err := opener.Opening(ctx, id, in.Currency, in.Pointer)
	if err != nil {
		if errs, err = merge(errs, err); err != nil {
			return User{}, fmt.Errorf("sign up: prepare the first account: %w", err)
		}
	}
	if errs != nil {
		return User{}, errs
	}
	hash, err := s.passwords.hash(ctx, in.Password)
	if err != nil {
		return User{}, err
	}
	user := User{ID: id, Email: in.Email, Name: in.Name, CreatedAt: s.now().UTC().Truncate(time.Microsecond)}
	err = s.ledger.Submit(ctx, chain, func(tx db.Tx) error {
		if err := insert(ctx, tx, user, hash); err != nil {
			return err
		}
		return openingRows(tx)
	})
	if err != nil {
		return User{}, fmt.Errorf("sign up: %w", err)
	}
	return user, nil
}

// merge adds the problems in err to errs; any other error is returned.
func merge(errs problem.Errors, err error) (problem.Errors, error) {
	var many problem.Errors
	if errors.As(err, &many) {
		return append(errs, many...), nil
	}
	return nil, err
}

func (s *Service) emailFree(ctx context.Context, email string) error {
	var one int
	err := s.db.Read.QueryRowContext(ctx, "SELECT 1 FROM users WHERE email = ?", email).Scan(&one)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("sign up: look for the e-mail: %w", err)
	}
	return emailTaken()
}

func insert(ctx context.Context, tx db.Tx, u User, hash string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, ?, ?)",
		u.ID[:], u.Email, u.Name, hash, u.CreatedAt.UnixMicro())
	var sqlErr sqlite3.Error
	if errors.As(err, &sqlErr) && sqlErr.ExtendedCode == sqlite3.ErrConstraintUnique { // users.email: the id is the primary key
		return emailTaken()
	}
	return err
}

// ErrEmailTaken is the cause of the problem with the field email when somebody
// has it already.
var ErrEmailTaken = errors.New("the e-mail is taken")

func emailTaken() error {
	return problem.Errors{problem.Field("email", "Somebody has signed up with this e-mail already. Log in instead.").Because(ErrEmailTaken)}
}
