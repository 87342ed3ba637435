package users

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"pochi/app/limit"
	"pochi/app/problem"

	"github.com/google/uuid"
)

// LogIn is what somebody types to be recognised.
type LogIn struct {
	Email    string
	Password string
	Address  string // IP address they come from, for the limit
}

// Authenticate returns who the e-mail and the password belong to. Errors:
// problem.Unauthenticated, the same whether the e-mail is known or not;
// problem.TooMany; problem.Unavailable when too many people log in at once.
//
// Every call that the limits let through computes one password hash.
func (s *Service) Authenticate(ctx context.Context, in LogIn) (User, error) {
	email := foldEmail(in.Email)
	giveBack, err := s.admit(in.Address, email)
	if err != nil {
		return User{}, err
	}
	user, stored, err := s.byEmail(ctx, email)
	if err != nil {
		return User{}, err
	}
	password := in.Password
	if utf8.RuneCountInString(password) > PasswordMax {
		user, stored, password = User{}, s.passwords.dummy, "" // nobody's, at the usual price
	}
	same, err := s.passwords.matches(ctx, stored, password)
	if err != nil {
		return User{}, err
	}
	if !same || user.ID == uuid.Nil {
		return User{}, problem.New(problem.Unauthenticated, "The e-mail or the password is wrong.")
	}
	giveBack()
	return user, nil
}

// admit counts an attempt before its outcome is known, so that parallel ones
// count too. The narrow limits come first: who is stopped there can't use up
// the attempts that others have. A success gives its own attempt back.
func (s *Service) admit(address, email string) (giveBack func(), err error) {
	now := s.now()
	address = limit.Network(address)
	counts := []struct {
		limiter *limit.Limiter
		key     string
	}{
		{s.perAddress, address},
		{s.perEmailAndAddress, address + " " + email},
		{s.perEmail, email},
	}
	for _, count := range counts {
		if wait := count.limiter.Take(count.key, now); wait > 0 {
			return nil, limit.TooMany(wait)
		}
	}
	return func() {
		for _, count := range counts {
			count.limiter.GiveBack(count.key)
		}
	}, nil
}

// byEmail returns a person with their password's hash; for an unknown e-mail
// the zero User, with a hash that no password has.
func (s *Service) byEmail(ctx context.Context, email string) (User, string, error) {
	u := User{Email: email}
	var stored string
	var created int64
	err := s.db.Read.QueryRowContext(ctx, "SELECT id, name, password_hash, created_at FROM users WHERE email = ?", email).
		Scan(&u.ID, &u.Name, &stored, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, s.passwords.dummy, nil
	}
	if err != nil {
		return User{}, "", fmt.Errorf("find a person by e-mail: %w", err)
	}
	u.CreatedAt = time.UnixMicro(created).UTC()
	return u, stored, nil
}
