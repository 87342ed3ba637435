package rates

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"pochi/db"
)

// newest returns the last rate that was set for each two currencies, in either
// direction, oldest first.
func newest(ctx context.Context, tx db.Tx) ([]Rate, error) {
	rows, err := tx.QueryContext(ctx, `SELECT from_code, to_code, numerator, denominator, spread_bps, source, set_at, good_until
		FROM rates WHERE id IN (SELECT max(id) FROM rates GROUP BY min(from_code, to_code), max(from_code, to_code)) ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read rates: %w", err)
	}
	defer rows.Close()
	var out []Rate
	for rows.Next() {
		var r Rate
		var num, den, set, until int64
		if err := rows.Scan(&r.From, &r.To, &num, &den, &r.SpreadBps, &r.Source, &set, &until); err != nil {
			return nil, fmt.Errorf("read rates: %w", err)
		}
		r.Value, r.Renew = big.NewRat(num, den), r.From+" "+r.To
		r.SetAt, r.GoodUntil = time.UnixMicro(set).UTC(), time.UnixMicro(until).UTC()
		out = append(out, r)
	}
	return out, rows.Err()
}

func insert(ctx context.Context, tx db.Tx, r Rate) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO rates (from_code, to_code, numerator, denominator, spread_bps, source, set_at, good_until)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, r.From, r.To, r.Value.Num().Int64(), r.Value.Denom().Int64(), r.SpreadBps, r.Source,
		r.SetAt.UnixMicro(), r.GoodUntil.UnixMicro())
	return err
}
