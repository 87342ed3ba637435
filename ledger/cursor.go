package ledger

import (
	"context"
	"database/sql/driver"

	"github.com/mattn/go-sqlite3"
)

// reader reads past database/sql, which costs more for a row than SQLite does.
type reader struct{ conn *sqlite3.SQLiteConn }

func (r reader) query(query string, args ...any) (driver.Rows, error) {
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return r.conn.QueryContext(context.Background(), query, named)
}

// transferRow is a transfer as it is stored; unreadable says which of its values
// can't be.
type transferRow struct {
	seq, batch    int64
	id            ID
	named         bool // it has an id
	debit, credit int64
	amount        uint64
	code          uint16
	reference     ID
	hold          int64 // 0 for none
	packets       int64
	unreadable    string
}

// name is the id that the transfer is shown with.
func (t *transferRow) name() ID {
	if t.named {
		return t.id
	}
	return PacketsID(t.batch, t.seq)
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
	rows    driver.Rows
	columns columns
	row     T
	finish  func(row *T, unreadable string)
	more    bool
}

func (c *cursor[T]) open(r reader, query string, args ...any) (err error) {
	if c.rows, err = r.query(query, args...); err != nil {
		return err
	}
	return c.next()
}

func (c *cursor[T]) next() error {
	unreadable, more, err := c.columns.next(c.rows)
	if c.more = more; more {
		c.finish(&c.row, unreadable)
	}
	return err
}

// close ends the query; the current row stays.
func (c *cursor[T]) close() {
	if c.rows != nil {
		c.rows.Close() // whatever it says was said before
	}
	c.rows, c.more = nil, false
}

const (
	batchesAfter   = "SELECT seq, at, transfers, entries, hash FROM batches WHERE seq > ? ORDER BY seq"
	transfersAfter = `SELECT seq, batch, id, debit, credit, amount, code, reference, hold, packets FROM transfers
		WHERE seq > ? ORDER BY seq`
	entriesAfter = "SELECT batch, n, kind, body FROM ledger_log WHERE (batch, n) > (?, ?) ORDER BY batch, n"
)

func batchCursor() *cursor[batchRow] {
	c := &cursor[batchRow]{finish: func(b *batchRow, unreadable string) { b.unreadable = unreadable }}
	b, columns := &c.row, &c.columns
	columns.int("seq", &b.seq)
	columns.int("at", &b.at)
	columns.int("transfers", &b.transfers)
	columns.int("entries", &b.entries)
	columns.hash("hash", &b.hash)
	return c
}

func transferCursor() *cursor[transferRow] {
	c := &cursor[transferRow]{finish: func(t *transferRow, unreadable string) {
		if t.unreadable = unreadable; unreadable == "" && t.named != (t.packets == 0) {
			t.unreadable = "it has both packets and an id, or neither"
		}
	}}
	t, columns := &c.row, &c.columns
	columns.int("seq", &t.seq)
	columns.int("batch", &t.batch)
	columns.optionalID("id", &t.id, &t.named)
	columns.atLeast(1, "debit", &t.debit)
	columns.atLeast(1, "credit", &t.credit)
	whole(columns, "amount", &t.amount)
	whole(columns, "code", &t.code)
	columns.id("reference", &t.reference)
	columns.number("hold", &t.hold)
	columns.atLeast(0, "packets", &t.packets)
	return c
}

func entryCursor() *cursor[entryRow] {
	c := &cursor[entryRow]{finish: func(e *entryRow, unreadable string) {
		e.unreadable = unreadable
		var err error
		if e.entry, err = decodeEntry(e.kind, e.body); err != nil && unreadable == "" {
			e.unreadable = err.Error()
		}
	}}
	e, columns := &c.row, &c.columns
	columns.int("batch", &e.batch)
	columns.int("n", &e.n)
	columns.int("kind", &e.kind)
	columns.bytes("body", &e.body)
	return c
}
