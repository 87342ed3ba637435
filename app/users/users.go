// Package users keeps the people of the wallet: who they are and how they
// prove it with a password. Signing up makes a person with a first account and
// payment pointer in one commit. Logging in tells nobody whether an e-mail is
// known: the answer, its cost and its limits are the same.
package users

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"pochi/app/limit"
	"pochi/app/memory"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// knownMax bounds the people who are remembered, a few hundred bytes each.
const knownMax = 1 << 16

// User is a person of this wallet.
type User struct {
	ID        uuid.UUID
	Email     string // lower case, in Unicode's compatible form (NFKC)
	Name      string // what other people see
	CreatedAt time.Time
}

// Opener prepares a new person's first account and payment pointer.
type Opener interface {
	// Opening returns what is to be committed after the person's row. Its
	// errors are problem.Errors with the fields pointer and currency; rows may
	// fail with such a one too.
	Opening(ctx context.Context, userID uuid.UUID, currency, pointer string) (chain ledger.Chain, rows func(db.Tx) error, err error)
}

// Ledger commits a chain together with rows.
type Ledger interface {
	Submit(ctx context.Context, chain ledger.Chain, rows func(db.Tx) error) error
}

// Options of a Service. The zero value is for production.
type Options struct {
	Now      func() time.Time // time.Now when nil
	Rand     io.Reader        // crypto/rand when nil
	Password PasswordOptions
	Limits   Limits
}

// Service signs people up and logs them in. It is safe for concurrent use.
type Service struct {
	db        *db.DB
	ledger    Ledger
	opener    Opener
	now       func() time.Time
	rand      io.Reader
	passwords *passwords
	known     *memory.Rows[uuid.UUID, User] // nothing of a User changes, and nobody is removed

	perAddress, perEmailAndAddress, perEmail, signUps *limit.Limiter
}

// New returns the service.
func New(d *db.DB, l Ledger, opener Opener, opts Options) *Service {
	limits := opts.Limits.withDefaults()
	s := &Service{
		db: d, ledger: l, opener: opener, known: memory.New[uuid.UUID, User](knownMax), now: opts.Now, rand: opts.Rand,
		perAddress:         limit.New(limits.PerAddress, limits.KeysMax),
		perEmailAndAddress: limit.New(limits.PerEmailAndAddress, limits.KeysMax),
		perEmail:           limit.New(limits.PerEmail, limits.KeysMax),
		signUps:            limit.New(limits.SignUps, limits.KeysMax),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	s.passwords = newPasswords(opts.Password, s.rand)
	return s
}

// Find returns a person, or problem.NotFound.
func (s *Service) Find(ctx context.Context, id uuid.UUID) (User, error) {
	u, here, changes := s.known.Get(id)
	if here {
		return u, nil
	}
	u, err := s.find(ctx, id)
	if err == nil {
		s.known.Put(id, u, changes)
	}
	return u, err
}

// FindByEmail returns the person with this e-mail, or problem.NotFound.
func (s *Service) FindByEmail(ctx context.Context, email string) (User, error) {
	u, _, err := s.byEmail(ctx, foldEmail(email))
	if err == nil && u.ID == uuid.Nil {
		return User{}, problem.New(problem.NotFound, "Nobody has the e-mail %s.", email)
	}
	return u, err
}

func (s *Service) find(ctx context.Context, id uuid.UUID) (User, error) {
	u := User{ID: id}
	var created int64
	err := s.db.Read.QueryRowContext(ctx, "SELECT email, name, created_at FROM users WHERE id = ?", id[:]).
		Scan(&u.Email, &u.Name, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, problem.New(problem.NotFound, "There is no such person.")
	}
	if err != nil {
		return User{}, fmt.Errorf("find a person: %w", err)
	}
	u.CreatedAt = time.UnixMicro(created).UTC()
	return u, nil
}
