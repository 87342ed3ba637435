package ledger

import "pochi/db"

// Command is one change: OpenAccount, CloseAccount, SetLimit, Transfer,
// OpenHold, Draw or CloseHold.
type Command interface {
	// apply checks and changes state in memory; on error it may have changed
	// some: the chain's undo restores it.
	apply(l *Ledger, tx db.Tx) error
}

// Chain is a list of commands that succeed or fail together.
type Chain []Command

// OpenAccount makes an account with zero totals. Errors: ErrAccountExists,
// ErrLedgerUnknown, ErrAmount for a limit above 2^63-1.
type OpenAccount struct {
	ID     ID
	Ledger uint32
	Code   uint16 // what kind of account
	Limit  uint64 // how far debits may exceed posted credits
}

func (c OpenAccount) apply(l *Ledger, _ db.Tx) error {
	if _, taken := l.accounts[c.ID]; taken {
		return ErrAccountExists
	}
	if c.Limit > AmountMax {
		return ErrAmount
	}
	if !l.hasLedger(c.Ledger) {
		return ErrLedgerUnknown
	}
	account := &Account{ID: c.ID, Ledger: c.Ledger, Code: c.Code, Limit: c.Limit}
	l.accounts[c.ID] = account
	l.batch.opened(account)
	l.batch.log(accountOpened{c.ID, c.Ledger, c.Code, c.Limit})
	return nil
}

// CloseAccount ends an account that has neither balance nor holds; nothing
// moves through it again. Errors: ErrAccountUnknown, ErrAccountClosed,
// ErrNotEmpty.
type CloseAccount struct{ ID ID }

func (c CloseAccount) apply(l *Ledger, _ db.Tx) error {
	account, err := l.open(c.ID)
	if err != nil {
		return err
	}
	if !account.empty() {
		return ErrNotEmpty
	}
	l.batch.touch(account)
	account.Closed = true
	l.batch.log(accountClosed{c.ID})
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

func (c SetLimit) apply(l *Ledger, _ db.Tx) error {
	if c.Limit > AmountMax {
		return ErrAmount
	}
	account, err := l.open(c.ID)
	if err != nil || account.Limit == c.Limit {
		return err
	}
	l.batch.touch(account)
	account.Limit = c.Limit
	l.batch.log(limitSet{c.ID, c.Limit})
	return nil
}

// Transfer moves Amount from Debit to Credit at once. Errors: ErrAmount,
// ErrSameAccount, ErrAccountUnknown, ErrAccountClosed, ErrLedgerMismatch,
// ErrInsufficient, ErrOverflow, ErrExists, ErrExistsDifferent.
type Transfer struct {
	ID        ID // UUIDv7, the idempotency key
	Debit     ID
	Credit    ID
	Amount    uint64
	Code      uint16 // why
	Reference ID     // for what
}

func (c Transfer) apply(l *Ledger, _ db.Tx) error {
	debit, credit, err := l.pair(c.Debit, c.Credit, c.Amount)
	if err != nil {
		return err
	}
	if debit.Available() < c.Amount {
		return ErrInsufficient
	}
	return l.post(posting{Transfer: c}, debit, credit)
}

// OpenHold reserves Amount of Debit's balance for Reference, to be drawn to
// Credit. Errors: as Transfer's, and ErrHoldExists.
type OpenHold struct {
	Reference ID
	Debit     ID
	Credit    ID
	Amount    uint64
}

func (c OpenHold) apply(l *Ledger, tx db.Tx) error {
	debit, credit, err := l.pair(c.Debit, c.Credit, c.Amount)
	if err != nil {
		return err
	}
	key := holdKey{c.Reference, c.Debit, c.Credit}
	if err := l.holdUnseen(tx, key); err != nil {
		return err
	}
	if debit.Available() < c.Amount {
		return ErrInsufficient
	}
	if exceeds(debit.DebitsPending, c.Amount) || exceeds(credit.CreditsPending, c.Amount) {
		return ErrOverflow
	}
	l.batch.touch(debit)
	l.batch.touch(credit)
	debit.DebitsPending += c.Amount
	credit.CreditsPending += c.Amount
	h := &hold{key: key, reserved: c.Amount}
	l.holds[key] = h
	l.batch.openedHold(h)
	l.batch.log(holdOpened{key, c.Amount})
	return nil
}

// Draw posts Amount of what an open hold has reserved. The money goes to To,
// which need not be the hold's credit account: where a payment's packets lead
// is known only when they travel. Errors: as Transfer's but ErrInsufficient,
// and ErrHoldUnknown, ErrHoldExceeded.
type Draw struct {
	ID        ID // the transfer's id, UUIDv7
	Reference ID // with Debit and Credit, the hold
	Debit     ID
	Credit    ID
	To        ID
	Amount    uint64
	Code      uint16
}

func (c Draw) apply(l *Ledger, _ db.Tx) error {
	debit, to, err := l.pair(c.Debit, c.To, c.Amount)
	if err != nil {
		return err
	}
	h, err := l.openHold(holdKey{c.Reference, c.Debit, c.Credit})
	if err != nil {
		return err
	}
	if h.reserved < c.Amount {
		return ErrHoldExceeded
	}
	credit := l.accounts[c.Credit]
	l.batch.touchHold(h)
	l.batch.touch(debit)
	l.batch.touch(credit)
	h.reserved -= c.Amount
	h.drawn += c.Amount
	debit.DebitsPending -= c.Amount
	credit.CreditsPending -= c.Amount
	return l.post(c.posting(), debit, to)
}

func (c Draw) posting() posting {
	t := Transfer{ID: c.ID, Debit: c.Debit, Credit: c.To, Amount: c.Amount, Code: c.Code, Reference: c.Reference}
	return posting{Transfer: t, drawn: true, hold: c.Credit}
}

// CloseHold returns what is left of a hold and ends it. Errors:
// ErrHoldUnknown, also when it was closed before.
type CloseHold struct {
	Reference ID
	Debit     ID
	Credit    ID
}

func (c CloseHold) apply(l *Ledger, _ db.Tx) error {
	h, err := l.openHold(holdKey{c.Reference, c.Debit, c.Credit})
	if err != nil {
		return err
	}
	debit, credit := l.accounts[c.Debit], l.accounts[c.Credit]
	l.batch.touch(debit)
	l.batch.touch(credit)
	l.batch.touchHold(h)
	debit.DebitsPending -= h.reserved
	credit.CreditsPending -= h.reserved
	l.batch.log(holdClosed{h.key, h.reserved})
	h.returned += h.reserved
	h.reserved = 0
	h.closed = true
	return nil
}

// pair checks an amount and the two accounts that it moves between.
func (l *Ledger) pair(debitID, creditID ID, amount uint64) (debit, credit *Account, err error) {
	if amount == 0 || amount > AmountMax {
		return nil, nil, ErrAmount
	}
	if debitID == creditID {
		return nil, nil, ErrSameAccount
	}
	if debit, err = l.open(debitID); err != nil {
		return nil, nil, err
	}
	if credit, err = l.open(creditID); err != nil {
		return nil, nil, err
	}
	if debit.Ledger != credit.Ledger {
		return nil, nil, ErrLedgerMismatch
	}
	return debit, credit, nil
}

func (l *Ledger) open(id ID) (*Account, error) {
	account, known := l.accounts[id]
	switch {
	case !known:
		return nil, ErrAccountUnknown
	case account.Closed:
		return nil, ErrAccountClosed
	}
	return account, nil
}

func (l *Ledger) openHold(key holdKey) (*hold, error) {
	h, known := l.holds[key]
	if !known || h.closed {
		return nil, ErrHoldUnknown
	}
	return h, nil
}

// postingOf returns what a command posts, if it posts anything.
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

// post moves a checked transfer.
func (l *Ledger) post(t posting, debit, credit *Account) error {
	if _, twice := l.batch.ids[t.ID]; twice { // in this very chain: unseen knows all others
		return ErrExistsDifferent
	}
	if exceeds(debit.DebitsPosted, t.Amount) || exceeds(credit.CreditsPosted, t.Amount) {
		return ErrOverflow
	}
	l.batch.touch(debit)
	l.batch.touch(credit)
	debit.DebitsPosted += t.Amount
	credit.CreditsPosted += t.Amount
	l.batch.posted(t, debit.Ledger)
	return nil
}

func exceeds(total, amount uint64) bool { return total > AmountMax-amount }
