package rates

import (
	"context"
	"database/sql"
	"fmt"
	"math/big"
	"time"

	"pochi/db"
)

// newest returns the last rate that was set for each two currencies, in either
// direction, oldest first, but for those that were removed since; and when the
// last change was made.
func newest(ctx context.Context, tx db.Tx) (set []Rate, changed time.Time, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT from_code, to_code, numerator, denominator, spread_bps, source, set_at, good_until, removed_at
		FROM rates LEFT JOIN removed_rates ON rate = id
		WHERE id IN (SELECT max(id) FROM rates GROUP BY min(from_code, to_code), max(from_code, to_code)) ORDER BY id`)
	if err != nil {
		return nil, changed, fmt.Errorf("read rates: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r Rate
		var num, den, at, until int64
		var removed sql.NullInt64
		if err := rows.Scan(&r.From, &r.To, &num, &den, &r.SpreadBps, &r.Source, &at, &until, &removed); err != nil {
			return nil, changed, fmt.Errorf("read rates: %w", err)
		}
		r.Value, r.Renew = big.NewRat(num, den), r.From+" "+r.To
		r.SetAt, r.GoodUntil = time.UnixMicro(at).UTC(), time.UnixMicro(until).UTC()
		if last := time.UnixMicro(max(at, removed.Int64)).UTC(); last.After(changed) {
			changed = last
		}
		if !removed.Valid {
			set = append(set, r)
		}
	}
	return set, changed, rows.Err()
}

func insert(ctx context.Context, tx db.Tx, r Rate) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO rates (from_code, to_code, numerator, denominator, spread_bps, source, set_at, good_until)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, r.From, r.To, r.Value.Num().Int64(), r.Value.Denom().Int64(), r.SpreadBps, r.Source,
		r.SetAt.UnixMicro(), r.GoodUntil.UnixMicro())
	return err
}

// everSet reports whether a rate of two currencies was ever set, in either
// direction.
func everSet(ctx context.Context, tx db.Tx, p pair) (ever bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM rates
		WHERE min(from_code, to_code) = min(?1, ?2) AND max(from_code, to_code) = max(?1, ?2))`, p.from, p.to).Scan(&ever)
	return ever, err
}

// remove writes down that the newest rate of two currencies doesn't count any more.
func remove(ctx context.Context, tx db.Tx, p pair, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO removed_rates (rate, removed_at) SELECT max(id), ?3 FROM rates
		WHERE min(from_code, to_code) = min(?1, ?2) AND max(from_code, to_code) = max(?1, ?2)`, p.from, p.to, at.UnixMicro())
	return err
}

// ledgerCodes returns the currencies of the ledger's assets.
func ledgerCodes(ctx context.Context, tx db.Tx) ([]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT DISTINCT code FROM assets ORDER BY code")
	if err != nil {
		return nil, fmt.Errorf("read the ledger's currencies: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var code string
		if err := rows.Scan(&code); err != nil {
			return nil, fmt.Errorf("read the ledger's currencies: %w", err)
		}
		out = append(out, code)
	}
	return out, rows.Err()
}
