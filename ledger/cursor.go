package ledger

import (
	"context"
	"database/sql"

	"pochi/db"
)

// transferRow is a transfer as it is stored; unreadable says which of its values
// can't be.
type transferRow struct {
	postedTransfer
	seq, batch, at int64
	unreadable     string
}

// entryRow is a log entry as it is stored. Without an entry unreadable says why.
type entryRow struct {
	batch, n, kind int64
	body           []byte
	entry          entry
	unreadable     string
}

// cursor walks a query's rows in their order. While more is true, row is the
// current one.
type cursor[T any] struct {
	rows    *sql.Rows
	columns *columns
	row     *T
	finish  func(row *T, unreadable string)
	more    bool
}

func (c *cursor[T]) open(ctx context.Context, tx db.Tx, query string) (err error) {
	if c.rows, err = tx.QueryContext(ctx, query); err != nil {
		return err
	}
	return c.next()
}

func (c *cursor[T]) next() error {
	if c.more = c.rows.Next(); !c.more {
		return c.rows.Err()
	}
	unreadable, err := c.columns.scan(c.rows)
	c.finish(c.row, unreadable)
	return err
}

func (c *cursor[T]) close() {
	if c.rows != nil {
		c.rows.Close()
	}
}

func transferCursor() *cursor[transferRow] {
	t, c := &transferRow{}, &columns{}
	c.int("seq", &t.seq)
	c.int("batch", &t.batch)
	c.int("at", &t.at)
	c.id("id", &t.ID)
	c.id("debit", &t.Debit)
	c.id("credit", &t.Credit)
	whole(c, "amount", &t.Amount)
	whole(c, "ledger", &t.ledger)
	whole(c, "code", &t.Code)
	c.id("reference", &t.Reference)
	c.value("hold", func(src any) bool {
		b, ok := src.([]byte)
		t.drawn, t.hold = src != nil, ID{}
		copy(t.hold[:], b)
		return src == nil || ok && len(b) == len(ID{})
	})
	return &cursor[transferRow]{columns: c, row: t, finish: func(t *transferRow, unreadable string) {
		t.unreadable = unreadable
	}}
}

const transfersInOrder = `SELECT seq, batch, at, id, debit, credit, amount, ledger, code, reference, hold
	FROM transfers ORDER BY seq`

func entryCursor() *cursor[entryRow] {
	e, c := &entryRow{}, &columns{}
	c.int("batch", &e.batch)
	c.int("n", &e.n)
	c.int("kind", &e.kind)
	c.bytes("body", &e.body)
	return &cursor[entryRow]{columns: c, row: e, finish: func(e *entryRow, unreadable string) {
		e.unreadable = unreadable
		var err error
		if e.entry, err = decodeEntry(e.kind, e.body); err != nil && unreadable == "" {
			e.unreadable = err.Error()
		}
	}}
}

const entriesInOrder = "SELECT batch, n, kind, body FROM ledger_log ORDER BY batch, n"
