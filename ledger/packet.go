package ledger

import (
	"encoding/binary"

	"pochi/db"
)

// Packets are not rows: what Post and Packet move in one batch between the same
// two accounts, with the same code, for the same reference and from the same
// hold, is written as one transfer with a count. They have no ids of their own
// and are not idempotent: whoever sends a packet twice moves money twice.

// Take moves Amount of what a hold has reserved into flight: it is about to
// leave this node. Toward is the account of whoever will owe it if the answer
// is lost in a crash. Submit it before the value leaves: only when it returned
// is the hold on disk. A Post to Toward finds room in the totals of both accounts,
// whatever happens meanwhile.
//
// The ledger knows the sum of what is in flight, not the packets: whoever takes
// sees to it that each is posted or released once.
//
// With Unreserved no payment of ours stands behind the packet: Amount comes
// from Debit's free balance, and the hold is opened if it isn't there.
//
// Errors: as Transfer's, ErrHoldUnknown, ErrHoldExpired, ErrHoldExceeded;
// ErrHoldToward while value is in flight toward another account; ErrHoldExists
// when a hold with this key is of the other sort.
type Take struct {
	Reference  ID
	Debit      ID
	Credit     ID
	Toward     ID
	Amount     uint64
	Unreserved bool
}

func (c Take) apply(l *Ledger, tx db.Tx) error {
	debit, credit, err := l.pair(tx, c.Debit, c.Credit, c.Amount)
	if err != nil {
		return err
	}
	toward, err := l.open(tx, c.Toward)
	if err != nil {
		return err
	}
	if toward.Ledger != debit.Ledger {
		return ErrLedgerMismatch
	}
	if toward.Code == CodeSuspense {
		return ErrSuspenseAccount
	}
	h, err := l.holdToTake(tx, c, debit, credit)
	if err != nil {
		return err
	}
	if h.inFlight > 0 && h.toward != toward {
		return ErrHoldToward
	}
	if !fits(toward.CreditsPosted, toward.awaited, c.Amount) {
		return ErrOverflow
	}
	l.batch.touchHold(l, h)
	if c.Unreserved {
		if err := l.pend(debit, credit, c.Amount); err != nil {
			return err
		}
	} else {
		h.reserved -= c.Amount
	}
	h.fly(toward, h.inFlight+c.Amount)
	h.net += int64(c.Amount)
	return nil
}

// fly sets what is in flight, and where it goes: nil for nothing in flight. The
// account stays in memory for the hold's sake, and keeps room for it.
func (h *hold) fly(toward *account, amount uint64) {
	if h.toward != nil {
		h.toward.pins--
		h.toward.awaited -= h.inFlight
	}
	if toward != nil {
		toward.pins++
		toward.awaited += amount
	}
	h.toward, h.inFlight = toward, amount
}

// landed takes an amount that came to its end out of flight.
func (h *hold) landed(amount uint64) {
	if amount == h.inFlight {
		h.fly(nil, 0)
	} else {
		h.fly(h.toward, h.inFlight-amount)
	}
}

// holdToTake returns the hold that a packet is taken from, with enough in it.
func (l *Ledger) holdToTake(tx db.Tx, c Take, debit, credit *account) (*hold, error) {
	key := holdKey{c.Reference, c.Debit, c.Credit}
	h, err := l.usableHold(tx, key)
	if err == ErrHoldUnknown && c.Unreserved {
		h, err = l.openUnreserved(tx, key, debit, credit)
	}
	switch {
	case err != nil:
		return nil, err
	case h.unreserved != c.Unreserved:
		return nil, ErrHoldExists
	case !c.Unreserved && h.reserved < c.Amount:
		return nil, ErrHoldExceeded
	case c.Unreserved && debit.Available() < c.Amount:
		return nil, ErrInsufficient
	case !fits(h.drawn, h.inFlight, c.Amount):
		return nil, ErrOverflow
	}
	return h, nil
}

func (l *Ledger) openUnreserved(tx db.Tx, key holdKey, debit, credit *account) (*hold, error) {
	if _, err := l.findHold(tx, key, debit, credit); err != ErrHoldUnknown { // closed before
		return nil, either(err, ErrHoldUnknown)
	}
	h := &hold{key: key, debit: debit, credit: credit, unreserved: true}
	l.batch.openedHold(l, h)
	l.batch.log(unreservedOpened{key})
	return h, nil
}

// Post posts Amount of what is in flight, to To: its fulfillment arrived.
// Submit it before the fulfillment is passed back. The account that Take named
// can't be closed or filled up meanwhile, another one can. Errors: as Transfer's
// but ErrInsufficient, and ErrHoldUnknown, ErrHoldExceeded for more than is in
// flight.
type Post struct {
	Reference ID
	Debit     ID
	Credit    ID
	To        ID
	Amount    uint64
	Code      uint16
}

func (c Post) apply(l *Ledger, tx db.Tx) error {
	debit, to, err := l.pair(tx, c.Debit, c.To, c.Amount)
	if err != nil {
		return err
	}
	h, err := l.openHold(tx, holdKey{c.Reference, c.Debit, c.Credit})
	if err != nil {
		return err
	}
	if h.inFlight < c.Amount {
		return ErrHoldExceeded
	}
	l.batch.touchHold(l, h)
	h.landed(c.Amount)
	h.drawn += c.Amount
	l.unpend(h, c.Amount)
	if err := l.move(debit, to, c.Amount); err != nil {
		return err
	}
	l.batch.packet(packetKey{debit, to, h, c.Code, c.Reference}, c.Amount)
	return nil
}

// Release gives Amount of what is in flight back to where Take found it: it was
// refused, or its answer is lost. Errors: ErrAmount, ErrHoldUnknown,
// ErrHoldExceeded for more than is in flight.
type Release struct {
	Reference ID
	Debit     ID
	Credit    ID
	Amount    uint64
}

func (c Release) apply(l *Ledger, tx db.Tx) error {
	if c.Amount == 0 || c.Amount > AmountMax {
		return ErrAmount
	}
	h, err := l.openHold(tx, holdKey{c.Reference, c.Debit, c.Credit})
	if err != nil {
		return err
	}
	if h.inFlight < c.Amount {
		return ErrHoldExceeded
	}
	l.release(h, c.Amount)
	return nil
}

func (l *Ledger) release(h *hold, amount uint64) {
	l.batch.touchHold(l, h)
	h.landed(amount)
	h.net -= int64(amount)
	if h.unreserved {
		l.unpend(h, amount)
	} else {
		h.reserved += amount
	}
}

// Packet moves Amount at once, in a single phase: for a receiver on this node,
// who has said yes already. Errors: as Transfer's, but for the ids'.
type Packet struct {
	Debit     ID
	Credit    ID
	Amount    uint64
	Code      uint16
	Reference ID
}

func (c Packet) apply(l *Ledger, tx db.Tx) error {
	debit, credit, err := l.pair(tx, c.Debit, c.Credit, c.Amount)
	if err != nil {
		return err
	}
	if debit.Available() < c.Amount {
		return ErrInsufficient
	}
	if err := l.move(debit, credit, c.Amount); err != nil {
		return err
	}
	l.batch.packet(packetKey{debit, credit, nil, c.Code, c.Reference}, c.Amount)
	return nil
}

// packetKey is what packets of a batch must share to be one transfer.
type packetKey struct {
	debit, credit *account
	hold          *hold // nil for single-phase ones
	code          uint16
	reference     ID
}

// packets is a batch's transfer of packets.
type packets struct {
	packetKey
	amount uint64
	count  int64
}

// PacketsID makes the id of a transfer of packets from its batch and its number
// (seq): a UUIDv8, which no client's UUIDv7 equals.
func PacketsID(batch, seq int64) (id ID) {
	binary.BigEndian.PutUint64(id[0:], uint64(batch)<<16)
	binary.BigEndian.PutUint64(id[8:], uint64(seq))
	id[6] = 0x80 // version 8; the batch has 48 bits
	id[8] = 0x80 | id[8]&0x3f
	return id
}
