package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"

	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// authorities opens the accounts on which allowances are counted.
type authorities struct {
	db      *db.DB
	ledgers *recent[ilp.Asset, uint32]
}

// authoritiesKept is how many ledgers of authority are remembered at least.
const authoritiesKept = 1 << 8

func newAuthorities(d *db.DB) authorities {
	return authorities{d, newRecent[ilp.Asset, uint32](authoritiesKept)}
}

// opening is the command that opens an agreement's allowance: the first chain that
// uses it does. One that is there is never raised: its limit may have been lowered
// since it was looked at.
func (a authorities) opening(ctx context.Context, agreement uuid.UUID, of connector.Authority) (ledger.OpenAccount, error) {
	asset := ledger.Asset(of.Asset).Authority()
	number, known := a.ledgers.get(ilp.Asset(asset))
	if !known {
		var err error
		if number, err = ledger.LedgerOf(ctx, a.db.Read, asset); err != nil {
			return ledger.OpenAccount{}, fmt.Errorf("find the ledger of %s: %w", asset, err)
		}
		a.ledgers.put(ilp.Asset(asset), number)
	}
	return ledger.OpenAllowance(of.Account, number, agreement, of.Limit), nil
}

// usedAccount is the other side of all allowances of an asset.
func usedAccount(a ledger.Asset) uuid.UUID {
	return ledger.HouseAccount(a.Authority(), ledger.CodeUsed)
}

// reserve is what a charge has reserved of its agreement, and what became of its
// payment.
type reserve struct {
	charge    uuid.UUID
	authority uuid.UUID     // the interval's account
	amount    ledger.Amount // reserved, in the agreement's asset
	spent     sql.NullInt64

	// In the account's asset:
	debit, sent uint64
	suspended   uint64 // was ever in suspense
	settled     uint64 // and isn't any more
}

// reserveOf returns a payment's reserve; found is false if it is no charge.
func reserveOf(ctx context.Context, tx db.Tx, payment uuid.UUID) (r reserve, found bool, err error) {
	r.charge = payment
	err = tx.QueryRowContext(ctx, `SELECT c.authority, c.reserved_amount, c.asset_code, c.asset_scale, c.spent_amount, c.settled_amount,
		o.debit_amount, o.sent_amount,
		(SELECT coalesce(sum(x.amount), 0) FROM suspense x JOIN accounts b ON b.n = x.bearer WHERE x.reference = o.id AND b.id = o.account_id)
		FROM charges c JOIN outgoing_payments o ON o.id = c.id WHERE c.id = ?`, payment[:]).Scan(
		&r.authority, &r.amount.Value, &r.amount.Asset.Code, &r.amount.Asset.Scale, &r.spent, &r.settled,
		&r.debit, &r.sent, &r.suspended)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, false, nil
	case err != nil:
		return r, false, fmt.Errorf("look up the charge: %w", err)
	}
	return r, true, nil
}

// used returns what the payment uses of the reserve: in proportion to what was sent,
// rounded up, so that it is never worth less than the money that moved. What is in
// suspense may have arrived, and counts as sent.
func (r reserve) used() uint64 { return r.usedFor(r.sent + r.suspended - r.settled) }

func (r reserve) usedFor(sent uint64) uint64 {
	high, low := bits.Mul64(r.amount.Value, min(sent, r.debit))
	used, rest := bits.Div64(high, low, r.debit)
	if rest > 0 {
		used++
	}
	return used
}

// hold reserves it.
func (r reserve) hold() ledger.OpenHold {
	return ledger.OpenHold{Reference: r.charge, Debit: r.authority, Credit: usedAccount(r.amount.Asset), Amount: r.amount.Value}
}

// end uses a part of the reserve for good, and gives the rest back to the interval
// that it came from.
func (r reserve) end(used uint64) (ledger.Chain, error) {
	counted := usedAccount(r.amount.Asset)
	end := ledger.CloseHold{Reference: r.charge, Debit: r.authority, Credit: counted}
	if used == 0 {
		return ledger.Chain{end}, nil
	}
	id, err := uuid.NewV7()
	draw := ledger.Draw{ID: id, Reference: r.charge, Debit: r.authority, Credit: counted, To: counted, Amount: used, Code: CodeUsed}
	return ledger.Chain{draw, end}, err
}

// errMoved: a payment isn't what it was when its end was prepared. Nothing was done.
var errMoved = errors.New("the payment has moved meanwhile")

// write notes that used of the reserve is spent, and that more of what was in suspense
// isn't any more. It returns errMoved if any of what that was found from has changed.
func (r reserve) write(ctx context.Context, tx db.Tx, used sql.NullInt64, settled uint64) error {
	res, err := tx.ExecContext(ctx, `UPDATE charges SET spent_amount = ?1, settled_amount = settled_amount + ?2
		WHERE id = ?3 AND spent_amount IS ?4 AND settled_amount = ?5 AND (SELECT sent_amount FROM outgoing_payments WHERE id = ?3) = ?6`,
		used, settled, r.charge[:], r.spent, r.settled, r.sent)
	if err != nil {
		return fmt.Errorf("write the charge: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errMoved, err)
	}
	return nil
}

func spent(amount uint64) sql.NullInt64 { return sql.NullInt64{Int64: int64(amount), Valid: true} }

// endsOf returns how a payment ends: what is left of its hold goes back to its
// account and, if it is a charge, what is left of that to its agreement. rows are the
// payment's own.
func endsOf(ctx context.Context, tx db.Tx, p Outgoing, rows func(db.Tx) error) (ledger.Chain, func(db.Tx) error, error) {
	chain, err := closingsOf(ctx, tx, p)
	if err != nil {
		return nil, nil, err
	}
	r, found, err := reserveOf(ctx, tx, p.ID)
	if err != nil || !found {
		return chain, rows, err
	}
	used := r.used()
	end, err := r.end(used)
	return append(chain, end...), func(tx db.Tx) error {
		if err := r.write(ctx, tx, spent(used), 0); err != nil {
			return err
		}
		return rows(tx)
	}, err
}

// lastOf returns how the packet that brings the rest of a payment ends it: nothing is
// left of its hold, and all that a charge has reserved is used.
func lastOf(ctx context.Context, tx db.Tx, d connector.Delivery) (ledger.Chain, *reserve, error) {
	chain := ledger.Chain{closingOf(d.From.Reference, d.From.Account, d.From.Asset)}
	r, found, err := reserveOf(ctx, tx, d.From.Reference)
	if err != nil || !found {
		return chain, nil, err
	}
	end, err := r.end(r.amount.Value)
	return append(chain, end...), &r, err
}

// writeAll notes that all of the reserve is spent.
func (r reserve) writeAll(ctx context.Context, tx db.Tx) error {
	return r.write(ctx, tx, spent(r.amount.Value), 0)
}

// settlementOf returns what the end of an item in suspense means for the charge that
// it is about, if it is: amount of the charge's money is not in suspense any more.
// What didn't arrive isn't used either, and goes back to the interval that it came
// from, however long ago that was.
func settlementOf(ctx context.Context, tx db.Tx, item ledger.SuspenseItem, pay bool) (ledger.Chain, func(db.Tx) error, error) {
	r, found, err := reserveOf(ctx, tx, item.Reference)
	if err != nil || !found {
		return nil, func(db.Tx) error { return nil }, err
	}
	var amount uint64
	err = tx.QueryRowContext(ctx, `SELECT coalesce(sum(x.amount), 0) FROM suspense x JOIN accounts b ON b.n = x.bearer
		JOIN outgoing_payments o ON o.id = x.reference AND o.account_id = b.id
		WHERE x.reference = ? AND x.together = ?`, item.Reference[:], item.Group).Scan(&amount)
	if err != nil {
		return nil, nil, fmt.Errorf("look up what is resolved together: %w", err)
	}
	if !r.spent.Valid { // its end counts it
		return nil, func(tx db.Tx) error { return r.write(ctx, tx, r.spent, amount) }, nil
	}
	after := r
	if after.settled += amount; pay {
		after.sent += amount
	}
	used := after.used()
	write := func(tx db.Tx) error { return r.write(ctx, tx, spent(used), amount) }
	back := uint64(r.spent.Int64) - used
	if back == 0 {
		return nil, write, nil
	}
	id, err := uuid.NewV7()
	return ledger.Chain{ledger.Transfer{
		ID: id, Debit: usedAccount(r.amount.Asset), Credit: r.authority, Amount: back, Code: CodeUnused, Reference: r.charge,
	}}, write, err
}
