package db

import "context"

// Row is a row of a query's answer that can be read.
type Row interface{ Scan(dest ...any) error }

// EachRow calls visit for each row of a query's answer, in its order, until that or the
// database fails.
func EachRow(ctx context.Context, tx Tx, query string, visit func(Row) error, args ...any) error {
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
