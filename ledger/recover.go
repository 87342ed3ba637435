package ledger

import (
	"context"
	"errors"
	"fmt"

	"pochi/db"
)

// recover makes good what a crash left in flight: only that; reservations stay,
// to be drawn or closed. It runs once, before anything else is applied.
//
//	debit is             what was in flight
//	an authority, a cap  is posted: it counts as used
//	a peer's             is released: without a fulfillment the peer owes nothing. Where it
//	                     was in flight toward a peer, the house's equity bears it: suspense
//	anybody else's       goes to suspense, borne by the debit account
//
// Nothing is ever sent again.
func (l *Ledger) recover(tx db.Tx) (func(), error) {
	var numbers []int64
	err := eachRow(context.Background(), tx, "SELECT n FROM holds WHERE closed = 0 AND in_flight > 0 ORDER BY n", func(row scanner) error {
		var n int64
		err := row.Scan(&n)
		numbers = append(numbers, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(numbers) == 0 {
		return nil, errNothingInFlight
	}
	l.chains++
	start := l.batch.mark()
	undo := func() { l.batch.rollBack(l, start) }
	for _, n := range numbers {
		h, err := l.numberedHold(tx, n)
		if err == nil {
			err = l.recoverHold(tx, h)
		}
		if err != nil {
			undo()
			return nil, fmt.Errorf("hold %d: %w", n, err)
		}
	}
	return undo, nil
}

// errNothingInFlight: there is nothing to recover, and nothing to write.
var errNothingInFlight = errors.New("nothing was in flight")

func (l *Ledger) numberedHold(tx db.Tx, n int64) (*hold, error) {
	var reference ID
	var debit, credit int64
	err := tx.QueryRowContext(context.Background(), "SELECT reference, debit, credit FROM holds WHERE n = ?", n).
		Scan(&reference, &debit, &credit)
	if err != nil {
		return nil, err
	}
	d, err := l.numbered(tx, debit)
	if err != nil {
		return nil, err
	}
	c, err := l.numbered(tx, credit)
	if err != nil {
		return nil, err
	}
	return l.findHold(tx, holdKey{reference, d.ID, c.ID}, d, c)
}

func (l *Ledger) recoverHold(tx db.Tx, h *hold) error {
	amount, toward := h.inFlight, h.toward
	switch h.debit.Code {
	case CodeAuthority, CodeCap:
		return l.land(h, h.credit, amount)
	case CodePeer:
		l.release(h, amount)
		if toward.Code != CodePeer {
			return nil // the leg that left this node is another hold's
		}
		asset, err := l.assetOf(h.debit.Ledger)
		if err != nil {
			return err
		}
		equity, err := l.open(tx, HouseAccount(asset, CodeEquity))
		if err != nil {
			return err
		}
		return l.suspend(tx, item{reference: h.key.reference, bearer: equity, counterparty: toward, amount: amount}, nil)
	}
	return l.suspend(tx, item{reference: h.key.reference, bearer: h.debit, counterparty: toward, amount: amount}, h)
}

// land posts what is in flight.
func (l *Ledger) land(h *hold, to *account, amount uint64) error {
	l.batch.touchHold(l, h)
	h.landed(amount)
	h.drawn += amount
	l.unpend(h, amount)
	if err := l.move(h.debit, to, amount); err != nil {
		return err
	}
	l.batch.packet(packetKey{h.debit, to, h, CodeSuspended, h.key.reference}, amount)
	return nil
}
