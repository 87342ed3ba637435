package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// BatchTx is the writer's transaction while a batch is flushed.
type BatchTx interface {
	Tx
	// Insert writes rows of columns values each, in their order: the SQL is
	// into, " VALUES ", the rows' placeholders and after ("ON CONFLICT …", or
	// nothing). Values are int64, float64, bool, []byte, string, time.Time or
	// nil, and are not kept. An error leaves a part of the rows written.
	Insert(into, after string, columns int, values []driver.Value) error
}

const (
	statementsMax = 256 // kept on the write connection, of either kind
	columnsMax    = 500 // 64 rows of them stay below SQLite's 32,766 placeholders
)

// rowsAtOnce are how many rows one statement of Insert writes: as many as are
// left, from the largest. Rows of ten columns cost 1.6 µs each with 64 or 8 in a
// statement and 1.8 µs one by one when their arguments are handed over in one
// call; with a call for each argument, as an Exec does, 2.3, 1.8 and 2.8 µs; and
// through database/sql, with kept statements, 4.3 µs.
var rowsAtOnce = []int{64, 8, 1}

// statement names one that is kept: SQL as it is, or an Insert of some rows.
type statement struct {
	into, after   string
	columns, rows int // 0 rows: into is all
}

func (s statement) sql() string {
	if s.rows == 0 {
		return s.into
	}
	row := "(?" + strings.Repeat(",?", s.columns-1) + ")"
	return s.into + " VALUES " + row + strings.Repeat(","+row, s.rows-1) + " " + s.after
}

// statements are those that the writer itself runs, prepared once on its
// connection and kept past database/sql, which costs as much for each as SQLite
// does. None is in use while another one runs. What units run is kept by the
// driver (_stmt_cache_size), which hands a statement that is still being read
// out only once.
type statements struct {
	conn *sql.Conn
	kept map[statement]*sqlite3.SQLiteStmt
	args []driver.NamedValue // of the statement that runs
}

func newStatements(conn *sql.Conn) *statements {
	return &statements{conn: conn, kept: map[statement]*sqlite3.SQLiteStmt{}}
}

// raw runs f on the driver's connection.
func (s *statements) raw(f func(*sqlite3.SQLiteConn) error) error {
	return s.conn.Raw(func(driver any) error {
		c, ok := driver.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("a connection of go-sqlite3 is needed, this is a %T", driver)
		}
		return f(c)
	})
}

// exec runs a statement without arguments, for the writer itself: it may end
// or begin the transaction.
func (s *statements) exec(query string) error {
	return s.raw(func(c *sqlite3.SQLiteConn) error { return s.run(c, statement{into: query}, nil) })
}

// insert implements BatchTx, inside of a transaction only.
func (s *statements) insert(into, after string, columns int, values []driver.Value) error {
	if columns < 1 || columns > columnsMax || len(values)%columns != 0 {
		return fmt.Errorf("insert: %d values are no rows of %d columns", len(values), columns)
	}
	return s.raw(func(c *sqlite3.SQLiteConn) error {
		if err := alive(c); err != nil {
			return err
		}
		for _, rows := range rowsAtOnce {
			for n := rows * columns; len(values) >= n; values = values[n:] {
				if err := s.run(c, statement{into, after, columns, rows}, values[:n]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// run executes a statement. It goes through the driver's Query, which hands
// all arguments over in one call and takes the first step, the only one that
// a statement without a result has.
func (s *statements) run(c *sqlite3.SQLiteConn, key statement, values []driver.Value) (err error) {
	prepared, kept := s.kept[key]
	if !kept {
		if prepared, err = prepare(c, key.sql()); err != nil {
			return err
		}
		if len(s.kept) < statementsMax {
			s.kept[key] = prepared
		} else {
			defer func() { err = errors.Join(err, prepared.Close()) }()
		}
	}
	if prepared.NumInput() != len(values) {
		return fmt.Errorf("%s: %d values for %d placeholders", key.into, len(values), prepared.NumInput())
	}
	rows, err := prepared.QueryContext(context.Background(), s.named(values))
	clear(s.args)
	if err != nil {
		return err
	}
	return rows.Close()
}

func prepare(c *sqlite3.SQLiteConn, query string) (*sqlite3.SQLiteStmt, error) {
	prepared, err := c.Prepare(query)
	if err != nil {
		return nil, err
	}
	return prepared.(*sqlite3.SQLiteStmt), nil
}

// named returns the values as the driver wants them, in room that is used again.
func (s *statements) named(values []driver.Value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, value := range values {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	return s.args
}

// close gives all statements back; the connection can't be closed before.
func (s *statements) close() error {
	var errs []error
	for key, prepared := range s.kept {
		errs = append(errs, prepared.Close())
		delete(s.kept, key)
	}
	return errors.Join(errs...)
}
