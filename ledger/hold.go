package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pochi/db"
)

// holdKey names a hold.
type holdKey struct{ reference, debit, credit ID }

// amounts is what became of a hold's money.
type amounts struct {
	reserved, inFlight, drawn, returned uint64
	toward                              *account // where what is in flight goes; nil when nothing is
	closed                              bool
	net                                 int64 // what this batch took into flight, less what it released
}

// hold is one durable row per (reference, debit, credit): what is reserved,
// what is in flight, what was drawn and what came back.
type hold struct {
	key           holdKey
	n             int64 // its number in the database
	debit, credit *account
	expires       int64 // unix microseconds, 0 for never
	unreserved    bool
	amounts
	chain int64 // the last chain that changed it
	used  int64 // the last chain that looked at it
	seen  bool  // by the current Flush
}

// Hold is what the ledger knows of a hold, in its asset's smallest unit.
type Hold struct {
	Reference, Debit, Credit            ID
	Reserved, InFlight, Drawn, Returned uint64
	Toward                              ID        // where what is in flight goes; zero when nothing is
	Expires                             time.Time // zero for never
	Unreserved                          bool      // nothing is reserved in it, all that is taken is in flight
	Closed                              bool
}

// FindHold reads one hold as it is committed, a closed one too. It returns
// ErrHoldUnknown.
func FindHold(ctx context.Context, tx db.Tx, reference, debit, credit ID) (Hold, error) {
	h := Hold{Reference: reference, Debit: debit, Credit: credit}
	var toward []byte
	var expires int64
	err := tx.QueryRowContext(ctx, `SELECT h.reserved, h.in_flight, h.drawn, h.returned, t.id, h.expires, h.unreserved, h.closed
		FROM holds h JOIN accounts d ON d.n = h.debit JOIN accounts c ON c.n = h.credit LEFT JOIN accounts t ON t.n = h.toward
		WHERE h.reference = ? AND d.id = ? AND c.id = ?`, reference[:], debit[:], credit[:]).
		Scan(&h.Reserved, &h.InFlight, &h.Drawn, &h.Returned, &toward, &expires, &h.Unreserved, &h.Closed)
	copy(h.Toward[:], toward)
	if expires > 0 {
		h.Expires = time.UnixMicro(expires).UTC()
	}
	return h, noRows(err, ErrHoldUnknown)
}

// holds is the part of the holds that is in memory.
type holds struct {
	byKey map[holdKey]*hold
	last  int64 // the highest number
	most  int
}

func (s *holds) add(h *hold) {
	s.byKey[h.key] = h
	h.debit.pins++
	h.credit.pins++
}

func (s *holds) drop(h *hold) {
	delete(s.byKey, h.key)
	h.debit.pins--
	h.credit.pins--
	h.fly(nil, 0)
}

// evict lets some quiet holds leave memory, as accounts do. What has something in
// flight stays: the account that it goes to counts it.
func (s *holds) evict(since int64, looks int) {
	if len(s.byKey) <= s.most {
		return
	}
	for _, h := range s.byKey {
		if h.inFlight == 0 && h.used < since {
			s.drop(h)
		}
		if looks--; looks == 0 {
			return
		}
	}
}

// OpenHold reserves Amount of Debit's balance for Reference, to be drawn to
// Credit or taken into flight. From Expires on nothing more can be, and what is
// left goes back as soon as nothing is in flight; zero is never. Errors: as
// Transfer's, ErrHoldExists, and ErrHoldExpired for a time that has passed.
type OpenHold struct {
	Reference ID
	Debit     ID
	Credit    ID
	Amount    uint64
	Expires   time.Time // to the microsecond
}

func (c OpenHold) apply(l *Ledger, tx db.Tx) error {
	debit, credit, err := l.pair(tx, c.Debit, c.Credit, c.Amount)
	if err != nil {
		return err
	}
	key := holdKey{c.Reference, c.Debit, c.Credit}
	if _, err := l.findHold(tx, key, debit, credit); err != ErrHoldUnknown {
		return either(err, ErrHoldExists)
	}
	if debit.Available() < c.Amount {
		return ErrInsufficient
	}
	h := &hold{key: key, debit: debit, credit: credit, amounts: amounts{reserved: c.Amount}}
	if !c.Expires.IsZero() {
		h.expires = max(c.Expires.UnixMicro(), 1)
	}
	if l.expired(h) {
		return ErrHoldExpired
	}
	if err := l.pend(debit, credit, c.Amount); err != nil {
		return err
	}
	l.batch.openedHold(l, h)
	l.batch.log(holdOpened{key, c.Amount, h.expires})
	l.expiring(h.expires)
	return nil
}

// Draw posts Amount of what an open hold has reserved. The money goes to To,
// which need not be the hold's credit account: where a payment's packets lead
// is known only when they travel. Errors: as Transfer's but ErrInsufficient,
// and ErrHoldUnknown, ErrHoldExpired, ErrHoldExceeded.
type Draw struct {
	ID        ID // the transfer's id, UUIDv7
	Reference ID // with Debit and Credit, the hold
	Debit     ID
	Credit    ID
	To        ID
	Amount    uint64
	Code      uint16
}

func (c Draw) apply(l *Ledger, tx db.Tx) error {
	debit, to, err := l.pair(tx, c.Debit, c.To, c.Amount)
	if err != nil {
		return err
	}
	h, err := l.usableHold(tx, holdKey{c.Reference, c.Debit, c.Credit})
	if err != nil {
		return err
	}
	if h.reserved < c.Amount {
		return ErrHoldExceeded
	}
	l.batch.touchHold(l, h)
	h.reserved -= c.Amount
	h.drawn += c.Amount
	l.unpend(h, c.Amount)
	return l.post(c.posting(), h, debit, to)
}

func (c Draw) posting() posting {
	t := Transfer{ID: c.ID, Debit: c.Debit, Credit: c.To, Amount: c.Amount, Code: c.Code, Reference: c.Reference}
	return posting{Transfer: t, drawn: true, hold: c.Credit}
}

// CloseHold returns what is left of a reservation and ends it; a hold without
// one only ends. No other can be opened for the same reference between the same
// accounts. One that has expired may have been closed by the engine: then there
// is nothing to do. Errors: ErrHoldUnknown, also when it was closed before, and
// ErrHoldInFlight while some of it is in flight.
type CloseHold struct {
	Reference ID
	Debit     ID
	Credit    ID
}

func (c CloseHold) apply(l *Ledger, tx db.Tx) error {
	h, err := l.keyedHold(tx, holdKey{c.Reference, c.Debit, c.Credit})
	switch {
	case err != nil:
		return err
	case h.closed && l.expired(h): // it may have been the engine
		return nil
	case h.closed:
		return ErrHoldUnknown
	case h.inFlight > 0:
		return ErrHoldInFlight
	}
	l.closeHold(h)
	return nil
}

func (l *Ledger) closeHold(h *hold) {
	l.batch.touchHold(l, h)
	l.unpend(h, h.reserved)
	l.batch.closed(holdClosed{h.key, h.reserved})
	h.returned += h.reserved
	h.reserved = 0
	h.closed = true
}

// pend adds to what is pending between two accounts, or returns ErrOverflow.
func (l *Ledger) pend(debit, credit *account, amount uint64) error {
	if !fits(debit.DebitsPosted, debit.DebitsPending, amount) || !fits(credit.CreditsPending, 0, amount) {
		return ErrOverflow
	}
	l.batch.touch(l, debit)
	l.batch.touch(l, credit)
	debit.DebitsPending += amount
	credit.CreditsPending += amount
	return nil
}

// unpend takes what a hold held off its accounts.
func (l *Ledger) unpend(h *hold, amount uint64) {
	l.batch.touch(l, h.debit)
	l.batch.touch(l, h.credit)
	h.debit.DebitsPending -= amount
	h.credit.CreditsPending -= amount
}

// usableHold returns an open hold that has not expired.
func (l *Ledger) usableHold(tx db.Tx, key holdKey) (*hold, error) {
	h, err := l.openHold(tx, key)
	if err == nil && l.expired(h) {
		return nil, ErrHoldExpired
	}
	return h, err
}

func (l *Ledger) openHold(tx db.Tx, key holdKey) (*hold, error) {
	h, err := l.keyedHold(tx, key)
	if err == nil && h.closed {
		return nil, ErrHoldUnknown
	}
	return h, err
}

// keyedHold returns a hold, a closed one too.
func (l *Ledger) keyedHold(tx db.Tx, key holdKey) (*hold, error) {
	debit, err := l.known(tx, key.debit)
	if err != nil {
		return nil, holdOf(err)
	}
	credit, err := l.known(tx, key.credit)
	if err != nil {
		return nil, holdOf(err)
	}
	return l.findHold(tx, key, debit, credit)
}

// holdOf says that a hold between accounts that don't exist doesn't either.
func holdOf(err error) error {
	if errors.Is(err, ErrAccountUnknown) {
		return ErrHoldUnknown
	}
	return err
}

// findHold returns a hold from memory or disk, a closed one too, or
// ErrHoldUnknown.
func (l *Ledger) findHold(tx db.Tx, key holdKey, debit, credit *account) (*hold, error) {
	h, here := l.holds.byKey[key]
	if !here {
		var err error
		if h, err = l.loadHold(tx, key, debit, credit); err != nil {
			return nil, err
		}
	}
	h.used = l.chains
	return h, nil
}

const holdColumns = "n, reserved, in_flight, drawn, returned, toward, expires, unreserved, closed"

func (l *Ledger) loadHold(tx db.Tx, key holdKey, debit, credit *account) (*hold, error) {
	h := &hold{key: key, debit: debit, credit: credit}
	var toward sql.NullInt64
	var inFlight uint64
	err := tx.QueryRowContext(context.Background(),
		"SELECT "+holdColumns+" FROM holds WHERE reference = ? AND debit = ? AND credit = ?",
		key.reference[:], debit.n, credit.n).
		Scan(&h.n, &h.reserved, &inFlight, &h.drawn, &h.returned, &toward, &h.expires, &h.unreserved, &h.closed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, ErrHoldUnknown
	case err != nil:
		return nil, fmt.Errorf("look up hold %s: %w", key.reference, err)
	}
	if h.closed { // asked for once, if at all
		return h, nil
	}
	if toward.Valid {
		account, err := l.numbered(tx, toward.Int64)
		if err != nil {
			return nil, err
		}
		h.fly(account, inFlight)
	}
	l.holds.add(h)
	l.loaded++
	return h, nil
}

// either returns err, or the other when it is nil.
func either(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
