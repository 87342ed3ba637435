package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"pochi/db"
)

// Account is what the ledger knows of an account, in its asset's smallest
// unit. Debits, pending ones included, may exceed the posted credits by Limit:
// 0 for a person's account.
type Account struct {
	ID             ID
	Ledger         uint32
	Code           uint16
	UserData       ID // whatever the opener wants found again, zero for nothing
	Limit          uint64
	DebitsPending  uint64
	DebitsPosted   uint64
	CreditsPending uint64
	CreditsPosted  uint64
	Closed         bool
}

// Available returns what may still be debited: 0 too when the limit was lowered
// below what is used.
func (a Account) Available() uint64 {
	owed, allowed := a.DebitsPosted+a.DebitsPending, a.CreditsPosted+a.Limit
	if owed > allowed {
		return 0
	}
	return allowed - owed
}

// owed returns how far debits, pending ones included, exceed posted credits.
func (a Account) owed() uint64 {
	if debits := a.DebitsPosted + a.DebitsPending; debits > a.CreditsPosted {
		return debits - a.CreditsPosted
	}
	return 0
}

func (a Account) empty() bool {
	return a.DebitsPending == 0 && a.CreditsPending == 0 && a.DebitsPosted == a.CreditsPosted
}

// account is one that is in memory.
type account struct {
	Account
	n                             int64  // its number in the database
	written                       bool   // it is there
	writtenDebits, writtenCredits uint64 // its posted totals after the last transfer that was written
	pins                          int    // holds in memory that name it
	awaited                       uint64 // what holds have in flight toward it
	span                          int    // its place among the batch's spans, from 1; 0 outside of Flush
	chain                         int64  // the last chain that changed it
	used                          int64  // the last chain that looked at it
}

const accountColumns = `id, ledger, code, user_data, debit_limit, debits_pending, debits_posted, credits_pending, credits_posted, closed`

func scanAccount(row db.Row, more ...any) (Account, error) {
	var a Account
	err := row.Scan(append([]any{&a.ID, &a.Ledger, &a.Code, &a.UserData, &a.Limit, &a.DebitsPending, &a.DebitsPosted,
		&a.CreditsPending, &a.CreditsPosted, &a.Closed}, more...)...)
	return a, err
}

// Find reads one account as it is committed. It returns ErrAccountUnknown.
func Find(ctx context.Context, tx db.Tx, id ID) (Account, error) {
	a, err := scanAccount(tx.QueryRowContext(ctx, "SELECT "+accountColumns+" FROM accounts WHERE id = ?", id[:]))
	return a, noRows(err, ErrAccountUnknown)
}

// accounts is the part of the accounts that is in memory: those that are used.
// The rest is on disk and loaded by the first command that names it.
type accounts struct {
	byID map[ID]*account
	last int64 // the highest number
	most int   // more than this many are not kept when they are quiet
}

// open returns an account that commands may use.
func (l *Ledger) open(tx db.Tx, id ID) (*account, error) {
	a, err := l.known(tx, id)
	if err == nil && a.Closed {
		return nil, ErrAccountClosed
	}
	return a, err
}

// known returns an account, a closed one too.
func (l *Ledger) known(tx db.Tx, id ID) (*account, error) {
	a, here := l.accounts.byID[id]
	if !here {
		var err error
		if a, err = l.loadAccount(tx, "id = ?", id[:]); err != nil {
			return nil, err
		}
	}
	a.used = l.chains
	return a, nil
}

// numbered returns the account with a number that a row names.
func (l *Ledger) numbered(tx db.Tx, n int64) (*account, error) {
	var id ID
	if err := tx.QueryRowContext(context.Background(), "SELECT id FROM accounts WHERE n = ?", n).Scan(&id); err != nil {
		return nil, fmt.Errorf("account number %d: %w", n, err)
	}
	return l.known(tx, id)
}

// loadAccount reads an account that is not in memory. What the last batch wrote
// is on disk, so nothing newer is lost.
func (l *Ledger) loadAccount(tx db.Tx, where string, arg any) (*account, error) {
	a := &account{written: true}
	var err error
	a.Account, err = scanAccount(tx.QueryRowContext(context.Background(),
		"SELECT "+accountColumns+", n FROM accounts WHERE "+where, arg), &a.n)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, ErrAccountUnknown
	case err != nil:
		return nil, fmt.Errorf("load an account: %w", err)
	}
	a.writtenDebits, a.writtenCredits = a.DebitsPosted, a.CreditsPosted
	l.accounts.byID[a.ID] = a
	l.loaded++
	return a, nil
}

// sampled is how many accounts, and how many holds, are at least looked at after
// a batch when there are too many.
const sampled = 64

// evict lets some accounts leave memory that no command looked at since a chain:
// the map's order is random, so a few looks after each batch find them.
func (s *accounts) evict(since int64, looks int) {
	if len(s.byID) <= s.most {
		return
	}
	for id, a := range s.byID {
		if a.pins == 0 && a.used < since {
			delete(s.byID, id)
		}
		if looks--; looks == 0 {
			return
		}
	}
}
