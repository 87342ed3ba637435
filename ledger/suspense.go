package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pochi/db"
)

// Suspense holds what was in flight to another node when the wallet crashed:
// whether it arrived, only that node knows. The money waits on the asset's
// suspense account until an admin has asked: then it is released, back to whom
// it was taken from (the bearer), or paid to the counterparty.

type suspenseState uint8

const (
	suspenseOpen suspenseState = iota
	suspenseReleased
	suspensePaid
)

// String returns "open", "released" or "paid".
func (s suspenseState) String() string {
	switch s {
	case suspenseOpen:
		return "open"
	case suspenseReleased:
		return "released"
	case suspensePaid:
		return "paid"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// SuspenseItem is a sum in suspense.
type SuspenseItem struct {
	Item         int64 // its number
	Reference    ID    // for what it was sent
	Bearer       ID    // gets it back when it is released
	Counterparty ID    // gets it when it is paid
	Asset        Asset
	Amount       uint64
	At           time.Time // of the recovery
	Group        int64     // number of the first of those that are resolved together
	State        string    // "open", "released" or "paid"
}

const itemQuery = `SELECT s.n, s.reference, b.id, c.id, a.code, a.scale, s.amount, t.at, s.together, s.state
	FROM suspense s JOIN accounts b ON b.n = s.bearer JOIN accounts c ON c.n = s.counterparty
	JOIN assets a ON a.ledger = b.ledger JOIN batches t ON t.seq = s.batch `

func scanItem(row db.Row) (SuspenseItem, error) {
	var i SuspenseItem
	var at int64
	var state suspenseState
	err := row.Scan(&i.Item, &i.Reference, &i.Bearer, &i.Counterparty, &i.Asset.Code, &i.Asset.Scale, &i.Amount, &at, &i.Group, &state)
	i.At, i.State = time.UnixMicro(at).UTC(), state.String()
	return i, err
}

// Suspense returns the items in suspense as they are committed, oldest first.
func Suspense(ctx context.Context, tx db.Tx, onlyOpen bool) (items []SuspenseItem, err error) {
	where := ""
	if onlyOpen {
		where = "WHERE s.state = 0 "
	}
	err = db.EachRow(ctx, tx, itemQuery+where+"ORDER BY s.n", func(row db.Row) error {
		item, err := scanItem(row)
		items = append(items, item)
		return err
	})
	return items, err
}

// FindSuspense returns one item as it is committed, or ErrSuspenseUnknown.
func FindSuspense(ctx context.Context, tx db.Tx, item int64) (SuspenseItem, error) {
	found, err := scanItem(tx.QueryRowContext(ctx, itemQuery+"WHERE s.n = ?", item))
	return found, noRows(err, ErrSuspenseUnknown)
}

// ResolveSuspense ends an item, and with it those of its group: the legs of a
// payment across currencies. With Pay the counterparties get the money, otherwise
// the bearers get it back. Errors: ErrSuspenseUnknown, ErrSuspenseResolved,
// ErrOverflow.
type ResolveSuspense struct {
	Item int64
	Pay  bool
}

// item is a sum in suspense as the writer knows it.
type item struct {
	n                    int64
	reference            ID
	bearer, counterparty *account
	amount               uint64
	together             int64 // the number of the first of its group
	state                suspenseState
}

func (c ResolveSuspense) apply(l *Ledger, tx db.Tx) error {
	items, err := l.itemsWith(tx, c.Item)
	if err != nil {
		return err
	}
	state := suspenseReleased
	if c.Pay {
		state = suspensePaid
	}
	for _, i := range items {
		resolvedNow := func(other item) bool { return other.n == i.n }
		if i.state != suspenseOpen || slices.ContainsFunc(l.batch.items, resolvedNow) {
			return ErrSuspenseResolved
		}
		i.state = state
		if err := l.resolve(tx, i); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) resolve(tx db.Tx, i item) error {
	from, err := l.suspenseAccount(tx, i.bearer.Ledger)
	if err != nil {
		return err
	}
	to := i.bearer
	if i.state == suspensePaid {
		to = i.counterparty
	}
	if err := l.move(from, to, i.amount); err != nil {
		return err
	}
	l.batch.log(resolved{i.n, i.state})
	l.batch.packet(packetKey{from, to, nil, CodeSuspended, i.reference}, i.amount)
	l.batch.items = append(l.batch.items, i)
	return nil
}

// suspend puts an item into suspense, from what is in flight of a hold or, with
// none, from the bearer's balance.
func (l *Ledger) suspend(tx db.Tx, i item, h *hold, groups groups) error {
	account, err := l.suspenseAccount(tx, i.bearer.Ledger)
	if err != nil {
		return err
	}
	l.suspense++
	groups.number(&i, l.suspense)
	l.batch.log(suspended{i.reference, i.bearer.ID, i.counterparty.ID, i.amount, i.together})
	l.batch.items = append(l.batch.items, i)
	if h != nil {
		return l.land(h, account, i.amount)
	}
	if i.bearer.Available() < i.amount { // it is lost, whatever the limit says
		if err := (SetLimit{i.bearer.ID, i.bearer.owed() + i.amount}).apply(l, tx); err != nil {
			return err
		}
	}
	if err := l.move(i.bearer, account, i.amount); err != nil {
		return err
	}
	l.batch.packet(packetKey{i.bearer, account, nil, CodeSuspended, i.reference}, i.amount)
	return nil
}

// itemsWith returns an item and those that are resolved with it.
func (l *Ledger) itemsWith(tx db.Tx, n int64) (items []item, err error) {
	type row struct {
		item
		bearer, counterparty int64
	}
	var found []row
	err = db.EachRow(context.Background(), tx, `SELECT n, reference, bearer, counterparty, amount, together, state FROM suspense
		WHERE together = (SELECT together FROM suspense WHERE n = ?) ORDER BY n`, func(s db.Row) error {
		var r row
		err := s.Scan(&r.n, &r.reference, &r.bearer, &r.counterparty, &r.amount, &r.together, &r.state)
		found = append(found, r)
		return err
	}, n)
	if err != nil {
		return nil, fmt.Errorf("look up suspense: %w", err)
	}
	if len(found) == 0 {
		return nil, ErrSuspenseUnknown
	}
	for _, r := range found {
		if r.item.bearer, err = l.numbered(tx, r.bearer); err != nil {
			return nil, err
		}
		if r.item.counterparty, err = l.numbered(tx, r.counterparty); err != nil {
			return nil, err
		}
		items = append(items, r.item)
	}
	return items, nil
}

// isAwaited tells whether something in flight or in suspense may still have to
// be posted to the account, or come back to it. What the running batch resolves
// counts until it is committed.
func (l *Ledger) isAwaited(tx db.Tx, a *account) (bool, error) {
	if a.awaited > 0 {
		return true, nil
	}
	var open bool
	err := tx.QueryRowContext(context.Background(),
		"SELECT EXISTS (SELECT 1 FROM suspense WHERE state = 0 AND (bearer = ? OR counterparty = ?))", a.n, a.n).Scan(&open)
	if err != nil {
		return false, fmt.Errorf("look into suspense: %w", err)
	}
	return open, nil
}

// suspenseAccount returns an asset's suspense account. The first recovery opens
// it.
func (l *Ledger) suspenseAccount(tx db.Tx, ledger uint32) (*account, error) {
	asset, err := l.assetOf(ledger)
	if err != nil {
		return nil, err
	}
	open := OpenAccount{ID: HouseAccount(asset, CodeSuspense), Ledger: ledger, Code: CodeSuspense, IfAbsent: true}
	if err := open.apply(l, tx); err != nil {
		return nil, err
	}
	return l.open(tx, open.ID)
}

func (l *Ledger) assetOf(ledger uint32) (Asset, error) {
	for asset, known := range l.assets {
		if known == ledger {
			return asset, nil
		}
	}
	return Asset{}, ErrLedgerUnknown
}

func (l *Ledger) writeItems(_ context.Context, tx db.BatchTx, b db.Batch) error {
	f := &l.flusher
	f.values = f.values[:0]
	for _, i := range l.batch.items {
		f.values = append(f.values, i.n, i.reference[:], i.bearer.n, i.counterparty.n, int64(i.amount), b.Seq, i.together, int64(i.state))
	}
	err := tx.Insert("INSERT INTO suspense (n, reference, bearer, counterparty, amount, batch, together, state)",
		"ON CONFLICT (n) DO UPDATE SET state = excluded.state", 8, f.values)
	if err != nil {
		return fmt.Errorf("write suspense: %w", err)
	}
	return nil
}
