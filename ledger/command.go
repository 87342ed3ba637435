package ledger

import (
	"reflect"

	"pochi/db"
)

// Command is one change: OpenAccount, CloseAccount, SetLimit, Transfer,
// OpenHold, Draw, CloseHold, Take, Post, Release, Packet or ResolveSuspense.
type Command interface {
	// apply checks and changes state in memory; on error it may have changed
	// some: the chain's undo restores it.
	apply(l *Ledger, tx db.Tx) error
}

// Chain is a list of commands, by value, that succeed or fail together.
type Chain []Command

// isValue tells a command by value from a pointer to one, and from none.
func isValue(command Command) bool {
	return command != nil && reflect.TypeOf(command).Kind() == reflect.Struct
}

// OpenAccount makes an account with zero totals. With IfAbsent an account that
// is there already, with the same ledger, code and user data, is fine: it stays
// as it is, but for a limit that is higher than this one, which is lowered to it as
// SetLimit does. Errors: ErrAccountExists, ErrAccountClosed,
// ErrLedgerUnknown, ErrAmount for a limit above 2^63-1.
type OpenAccount struct {
	ID       ID
	Ledger   uint32
	Code     uint16 // what kind of account
	UserData ID     // whatever the opener wants found again
	Limit    uint64 // how far debits may exceed posted credits
	IfAbsent bool
}

func (c OpenAccount) apply(l *Ledger, tx db.Tx) error {
	a, err := l.known(tx, c.ID)
	switch {
	case err == nil && !(c.IfAbsent && a.Ledger == c.Ledger && a.Code == c.Code && a.UserData == c.UserData):
		return ErrAccountExists
	case err == nil && a.Closed:
		return ErrAccountClosed
	case err == nil && a.Limit > c.Limit:
		l.setLimit(a, c.Limit)
		return nil
	case err != ErrAccountUnknown:
		return err
	case c.Limit > AmountMax:
		return ErrAmount
	case !l.hasLedger(c.Ledger):
		return ErrLedgerUnknown
	}
	l.batch.opened(l, &account{Account: Account{
		ID: c.ID, Ledger: c.Ledger, Code: c.Code, UserData: c.UserData, Limit: c.Limit,
	}})
	l.batch.log(accountOpened{c.ID, c.Ledger, c.Code, c.Limit, c.UserData})
	return nil
}

// CloseAccount ends an account that has neither balance nor anything pending or
// in suspense; nothing moves through it again. Errors: ErrAccountUnknown,
// ErrAccountClosed, ErrNotEmpty, ErrHouseAccount.
type CloseAccount struct{ ID ID }

func (c CloseAccount) apply(l *Ledger, tx db.Tx) error {
	a, err := l.open(tx, c.ID)
	if err != nil {
		return err
	}
	if isHouse(a.Code) {
		return ErrHouseAccount
	}
	waiting, err := l.isAwaited(tx, a)
	switch {
	case err != nil:
		return err
	case waiting || !a.empty():
		return ErrNotEmpty
	}
	l.batch.touch(l, a)
	a.Closed = true
	l.batch.closed(accountClosed{c.ID})
	return nil
}

// SetLimit changes how far an account's debits may exceed its posted credits.
// It may be lowered below what is used: that takes nothing back, open holds can
// still be drawn, and nothing more can be debited until the account is within
// its limit again. Errors: ErrAmount for a limit above 2^63-1,
// ErrAccountUnknown, ErrAccountClosed.
type SetLimit struct {
	ID    ID
	Limit uint64
}

func (c SetLimit) apply(l *Ledger, tx db.Tx) error {
	if c.Limit > AmountMax {
		return ErrAmount
	}
	a, err := l.open(tx, c.ID)
	if err != nil || a.Limit == c.Limit {
		return err
	}
	l.setLimit(a, c.Limit)
	return nil
}

func (l *Ledger) setLimit(a *account, limit uint64) {
	l.batch.image(l, a) // each limit of a batch counts, even within a chain
	a.Limit = limit
	l.batch.log(limitSet{a.ID, limit})
}

// Transfer moves Amount from Debit to Credit at once. Errors: ErrAmount,
// ErrSameAccount, ErrAccountUnknown, ErrAccountClosed, ErrLedgerMismatch,
// ErrSuspenseAccount, ErrInsufficient, ErrOverflow, ErrExists,
// ErrExistsDifferent, and ErrID for an id that is no UUIDv7 or of a time to come.
type Transfer struct {
	ID        ID // UUIDv7, the idempotency key
	Debit     ID
	Credit    ID
	Amount    uint64
	Code      uint16 // why
	Reference ID     // for what
}

func (c Transfer) apply(l *Ledger, tx db.Tx) error {
	debit, credit, err := l.pair(tx, c.Debit, c.Credit, c.Amount)
	if err != nil {
		return err
	}
	if debit.Available() < c.Amount {
		return ErrInsufficient
	}
	return l.post(posting{Transfer: c}, nil, debit, credit)
}

// pair checks an amount and the two accounts that it moves between.
func (l *Ledger) pair(tx db.Tx, debitID, creditID ID, amount uint64) (debit, credit *account, err error) {
	if amount == 0 || amount > AmountMax {
		return nil, nil, ErrAmount
	}
	if debitID == creditID {
		return nil, nil, ErrSameAccount
	}
	if debit, err = l.open(tx, debitID); err != nil {
		return nil, nil, err
	}
	if credit, err = l.open(tx, creditID); err != nil {
		return nil, nil, err
	}
	switch {
	case debit.Ledger != credit.Ledger:
		return nil, nil, ErrLedgerMismatch
	case debit.Code == CodeSuspense || credit.Code == CodeSuspense:
		return nil, nil, ErrSuspenseAccount
	}
	return debit, credit, nil
}

// postingOf returns what a command posts under an id, if it does.
func postingOf(command Command) (posting, bool) {
	switch c := command.(type) {
	case Transfer:
		return posting{Transfer: c}, true
	case Draw:
		return c.posting(), true
	default:
		return posting{}, false
	}
}

// post moves a checked transfer, drawn from a hold or (nil) from none.
func (l *Ledger) post(p posting, from *hold, debit, credit *account) error {
	if _, twice := l.batch.ids[p.ID]; twice { // in this very chain: unseen knows all others
		return ErrExistsDifferent
	}
	if err := l.move(debit, credit, p.Amount); err != nil {
		return err
	}
	l.batch.posted(postedTransfer{posting: p, debit: debit, credit: credit, from: from})
	return nil
}

// move moves a checked amount. The room of what holds will draw, and of what is in
// flight, stays free.
func (l *Ledger) move(debit, credit *account, amount uint64) error {
	if !fits(debit.DebitsPosted, debit.DebitsPending, amount) || !fits(credit.CreditsPosted, credit.awaited, amount) {
		return ErrOverflow
	}
	l.batch.touch(l, debit)
	l.batch.touch(l, credit)
	debit.DebitsPosted += amount
	credit.CreditsPosted += amount
	return nil
}

// fits tells whether an amount can still be added to a total of which more is
// spoken for. None of the sums wraps: the amount is an amount, and the rest comes
// from the database.
func fits(total, spokenFor, amount uint64) bool {
	return total <= AmountMax && spokenFor <= AmountMax-total && amount <= AmountMax-total-spokenFor
}
