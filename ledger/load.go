package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"pochi/db"
)

const accountColumns = "id, ledger, code, debit_limit, debits_pending, debits_posted, credits_pending, credits_posted, closed"

type scanner interface{ Scan(dest ...any) error }

func scanAccount(row scanner) (Account, error) {
	var a Account
	err := row.Scan(&a.ID, &a.Ledger, &a.Code, &a.Limit, &a.DebitsPending, &a.DebitsPosted,
		&a.CreditsPending, &a.CreditsPosted, &a.Closed)
	return a, err
}

// load reads the assets, all accounts, the open holds and the end of the chain.
func (l *Ledger) load(tx db.Tx) error {
	ctx := context.Background()
	err := eachRow(ctx, tx, "SELECT ledger, code, scale FROM assets", func(row scanner) error {
		var ledger uint32
		var asset Asset
		err := row.Scan(&ledger, &asset.Code, &asset.Scale)
		l.assets[asset] = ledger
		return err
	})
	if err != nil {
		return fmt.Errorf("assets: %w", err)
	}
	err = eachRow(ctx, tx, "SELECT "+accountColumns+" FROM accounts", func(row scanner) error {
		a, err := scanAccount(row)
		l.accounts[a.ID] = &a
		return err
	})
	if err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	err = eachRow(ctx, tx, "SELECT reference, debit, credit, reserved, drawn, returned FROM holds WHERE closed = 0",
		func(row scanner) error {
			var h hold
			err := row.Scan(&h.key.reference, &h.key.debit, &h.key.credit, &h.reserved, &h.drawn, &h.returned)
			l.holds[h.key] = &h
			return err
		})
	if err != nil {
		return fmt.Errorf("holds: %w", err)
	}
	return l.loadEnd(ctx, tx)
}

// loadEnd reads where transfers and batches end. It returns ErrDamaged when the
// batches don't end where the last one said.
func (l *Ledger) loadEnd(ctx context.Context, tx db.Tx) error {
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM transfers").Scan(&l.seq); err != nil {
		return fmt.Errorf("transfers: %w", err)
	}
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

// Find reads one account as it is committed. It returns ErrAccountUnknown.
func Find(ctx context.Context, tx db.Tx, id ID) (Account, error) {
	a, err := scanAccount(tx.QueryRowContext(ctx, "SELECT "+accountColumns+" FROM accounts WHERE id = ?", id[:]))
	return a, noRows(err, ErrAccountUnknown)
}

// noRows replaces the database's word for "nothing found".
func noRows(err, replacement error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return replacement
	}
	return err
}

// eachRow calls visit for each row of a query.
func eachRow(ctx context.Context, tx db.Tx, query string, visit func(scanner) error, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
