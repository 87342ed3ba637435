package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"pochi/db"
)

// load reads the assets, the numbers that were given last, the tail that isn't
// indexed and the end of the chain. Accounts and holds are loaded when they are
// used.
func (l *Ledger) load(tx db.Tx) error {
	ctx := context.Background()
	err := db.EachRow(ctx, tx, "SELECT ledger, code, scale FROM assets", func(row db.Row) error {
		var ledger uint32
		var asset Asset
		err := row.Scan(&ledger, &asset.Code, &asset.Scale)
		l.assets[asset] = ledger
		return err
	})
	if err != nil {
		return fmt.Errorf("assets: %w", err)
	}
	for what, into := range map[string]*int64{
		"max(n) FROM accounts": &l.accounts.last, "max(n) FROM holds": &l.holds.last, "max(n) FROM suspense": &l.suspense,
		"max(seq) FROM transfers": &l.seq,
	} {
		var last sql.NullInt64
		if err := tx.QueryRowContext(ctx, "SELECT "+what).Scan(&last); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		*into = last.Int64
	}
	if err := l.loadTail(ctx, tx); err != nil {
		return fmt.Errorf("tail: %w", err)
	}
	return l.loadEnd(ctx, tx)
}

// loadTail reads the transfers that aren't indexed, and adds up the totals of
// their accounts from where the history ends.
func (l *Ledger) loadTail(ctx context.Context, tx db.Tx) error {
	var watermark int64
	var highest []byte
	err := tx.QueryRowContext(ctx, "SELECT seq FROM indexed").Scan(&watermark)
	if err := noRows(err, ErrDamaged); err != nil {
		return err
	}
	if watermark > l.seq {
		return ErrDamaged
	}
	if err := tx.QueryRowContext(ctx, "SELECT max(id) FROM transfer_ids").Scan(&highest); err != nil {
		return err
	}
	var id ID
	copy(id[:], highest)
	totals := map[int64]*endpoint{}
	var entries []tailEntry
	err = db.EachRow(ctx, tx, "SELECT seq, id, debit, credit, amount FROM transfers WHERE seq > ? ORDER BY seq", func(row db.Row) error {
		var e tailEntry
		var id []byte
		var debit, credit int64
		var amount uint64
		if err := row.Scan(&e.seq, &id, &debit, &credit, &amount); err != nil {
			return err
		}
		d, err := totalsAt(ctx, tx, totals, debit, watermark)
		if err != nil {
			return err
		}
		c, err := totalsAt(ctx, tx, totals, credit, watermark)
		if err != nil {
			return err
		}
		d.debits += amount
		c.credits += amount
		e.named = id != nil
		copy(e.id[:], id)
		e.debit, e.credit = *d, *c
		entries = append(entries, e)
		return nil
	}, watermark)
	l.index.init(id, watermark, entries)
	return err
}

// totalsAt returns an account's totals in the history up to the watermark.
func totalsAt(ctx context.Context, tx db.Tx, known map[int64]*endpoint, account, watermark int64) (*endpoint, error) {
	if e, seen := known[account]; seen {
		return e, nil
	}
	e := &endpoint{account: account}
	err := tx.QueryRowContext(ctx, "SELECT debits, credits FROM history WHERE account = ? AND seq <= ? ORDER BY seq DESC LIMIT 1",
		account, watermark).Scan(&e.debits, &e.credits)
	known[account] = e
	return e, noRows(err, nil)
}

// loadEnd reads where the batches end. It returns ErrDamaged when they don't
// end where the last one said.
func (l *Ledger) loadEnd(ctx context.Context, tx db.Tx) error {
	var last, end int64
	var hash, seal []byte
	err := tx.QueryRowContext(ctx, "SELECT seq, hash FROM batches ORDER BY seq DESC LIMIT 1").Scan(&last, &hash)
	if err := noRows(err, nil); err != nil {
		return fmt.Errorf("batches: %w", err)
	}
	err = tx.QueryRowContext(ctx, "SELECT batch, seal FROM ledger_end").Scan(&end, &seal)
	if err := noRows(err, nil); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	copy(l.hash[:], hash)
	if want := sealOf(l.hash); last != end || end > 0 && string(seal) != string(want[:]) {
		return ErrDamaged
	}
	return nil
}

// noRows replaces the database's word for "nothing found".
func noRows(err, replacement error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return replacement
	}
	return err
}
