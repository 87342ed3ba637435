package ledger

import (
	"context"
	"database/sql"

	"pochi/db"
)

type transferRow struct {
	postedTransfer
	seq, batch, at int64
}

// transferCursor reads all transfers in the order they were posted. While more
// is true, row is the current one.
type transferCursor struct {
	rows *sql.Rows
	row  transferRow
	more bool
}

func newTransferCursor(ctx context.Context, tx db.Tx) (*transferCursor, error) {
	rows, err := tx.QueryContext(ctx, `SELECT seq, batch, at, id, debit, credit, amount, ledger, code, reference, drawn
		FROM transfers ORDER BY seq`)
	if err != nil {
		return nil, err
	}
	c := &transferCursor{rows: rows}
	return c, c.next()
}

func (c *transferCursor) next() error {
	c.more = c.rows.Next()
	if !c.more {
		return c.rows.Err()
	}
	t := &c.row
	return c.rows.Scan(&t.seq, &t.batch, &t.at, &t.ID, &t.Debit, &t.Credit, &t.Amount, &t.ledger, &t.Code, &t.Reference, &t.drawn)
}

func (c *transferCursor) close() { c.rows.Close() }
