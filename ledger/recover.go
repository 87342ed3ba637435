package ledger

import (
	"context"
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
func (l *Ledger) recover(tx db.Tx) error {
	var numbers []int64
	err := db.EachRow(context.Background(), tx, "SELECT n FROM holds WHERE in_flight > 0 ORDER BY n", func(row db.Row) error {
		var n int64
		err := row.Scan(&n)
		numbers = append(numbers, n)
		return err
	})
	if err != nil {
		return err
	}
	l.chains++
	holds := make([]*hold, len(numbers))
	for i, n := range numbers {
		if holds[i], err = l.numberedHold(tx, n); err != nil {
			return fmt.Errorf("hold %d: %w", n, err)
		}
	}
	groups := groupsOf(holds)
	for _, h := range holds {
		if err := l.recoverHold(tx, h, groups); err != nil {
			return fmt.Errorf("hold %d: %w", h.n, err)
		}
	}
	return nil
}

// groups says which items are resolved together: those of one reference, if one
// peer only is to tell what became of them. For each such reference it holds the
// number of the first item, 0 while there is none.
type groups map[ID]int64

func groupsOf(holds []*hold) groups {
	peers := map[ID]map[*account]bool{}
	for _, h := range holds {
		if h.toward.Code == CodePeer {
			if peers[h.key.reference] == nil {
				peers[h.key.reference] = map[*account]bool{}
			}
			peers[h.key.reference][h.toward] = true
		}
	}
	g := groups{}
	for reference, of := range peers {
		if len(of) == 1 && reference != (ID{}) {
			g[reference] = 0
		}
	}
	return g
}

// number gives an item its number, and its group's.
func (g groups) number(i *item, n int64) {
	i.n, i.together = n, n
	switch first, shared := g[i.reference]; {
	case shared && first == 0:
		g[i.reference] = n
	case shared:
		i.together = first
	}
}

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

func (l *Ledger) recoverHold(tx db.Tx, h *hold, groups groups) error {
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
		return l.suspend(tx, item{reference: h.key.reference, bearer: equity, counterparty: toward, amount: amount}, nil, groups)
	}
	return l.suspend(tx, item{reference: h.key.reference, bearer: h.debit, counterparty: toward, amount: amount}, h, groups)
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
