package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/mattn/go-sqlite3"
)

// errGone: there is no transaction any more.
var errGone = errors.New("SQLite rolled the whole batch back")

// writerTx is the writer's connection without its callers' contexts: a caller
// that goes away must not interrupt a statement, because SQLite then rolls back
// the neighbours too. Outside of a transaction it refuses every statement.
type writerTx struct {
	conn *sql.Conn
	own  *statements
}

// alive returns errGone when a failed statement took the whole transaction with
// it, as a full disk does: a later statement would then commit alone, and a
// later savepoint its unit.
func (t writerTx) alive() error { return t.own.raw(alive) }

func alive(c *sqlite3.SQLiteConn) error {
	if c.AutoCommit() {
		return errGone
	}
	return nil
}

// Insert implements BatchTx.
func (t writerTx) Insert(into, after string, columns int, values []driver.Value) error {
	return t.own.insert(into, after, columns, values)
}

func (t writerTx) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	if err := t.alive(); err != nil {
		return nil, err
	}
	return t.conn.ExecContext(context.Background(), query, args...)
}

func (t writerTx) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := t.alive(); err != nil {
		return nil, err
	}
	return t.conn.QueryContext(context.Background(), query, args...)
}

func (t writerTx) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	ctx := context.Background()
	if t.alive() != nil {
		ended, end := context.WithCancel(ctx)
		end()
		ctx = goneContext{ended}
	}
	return t.conn.QueryRowContext(ctx, query, args...)
}

// goneContext has ended because of errGone. It refuses a query whose error only
// the row can tell: SQLite takes no step with it.
type goneContext struct{ context.Context }

func (goneContext) Err() error { return errGone }
