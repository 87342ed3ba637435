package db_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pochi/db"

	"github.com/google/go-cmp/cmp"
)

// flushing joins a participant that runs flush in each batch but its own.
func flushing(t *testing.T, d *db.DB, flush func(db.BatchTx) error) {
	t.Helper()
	joined := false // the writer's goroutine alone uses it
	join(t, d, &participant{flush: func(tx db.BatchTx, _ db.Batch) error {
		if !joined {
			joined = true
			return nil
		}
		return flush(tx)
	}})
}

// turn runs a batch that has nothing but its flush.
func turn(t *testing.T, d *db.DB) error {
	t.Helper()
	return d.Writer.Submit(t.Context(), db.Unit{})
}

const into = "INSERT INTO assets (code, scale)"

// assets returns n rows for into, and their codes.
func assets(n int) (values []driver.Value, codes []string) {
	for i := range n {
		codes = append(codes, fmt.Sprint(i))
		values = append(values, codes[i], int64(2))
	}
	return values, codes
}

func TestInsert(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 7, 8, 9, 63, 64, 65, 72, 128, 201} {
		d := open(t, options(newPath(t)))
		values, want := assets(n)
		flushing(t, d, func(tx db.BatchTx) error { return tx.Insert(into, "", 2, values) })
		check(t, turn(t, d), nil)
		if diff := cmp.Diff(want, codes(t, d)); diff != "" {
			t.Errorf("%d rows: %s", n, diff)
		}
	}
}

// What stands after the values goes for each row, and sees the rows before.
func TestInsertOnConflict(t *testing.T) {
	t.Parallel()
	d := open(t, options(newPath(t)))
	var values []driver.Value
	for i := range 100 {
		values = append(values, int64(i%3+1), fmt.Sprint("v", i), int64(2))
	}
	flushing(t, d, func(tx db.BatchTx) error {
		return tx.Insert("INSERT INTO assets (ledger, code, scale)", "ON CONFLICT (ledger) DO UPDATE SET code = excluded.code", 3, values)
	})
	check(t, turn(t, d), nil)
	check(t, turn(t, d), nil) // with the statements that are kept
	if diff := cmp.Diff([]string{"v99", "v97", "v98"}, codes(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestInsertOfEachKindOfValue(t *testing.T) {
	d := open(t, options(newPath(t)))
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	row := []driver.Value{int64(-1), 1.5, true, []byte{0, 1}, []byte{}, []byte(nil), "ünï", "", at, nil}
	want := "-1 1.5 1 X'0001' X'' NULL 'ünï' '' '2026-07-01 12:00:00+00:00' NULL"
	check(t, d.Write(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), "CREATE TABLE kinds (a, b, c, d, e, f, g, h, i, j)")
		return err
	}), nil)
	var values []driver.Value
	for range 9 {
		values = append(values, row...)
	}
	flushing(t, d, func(tx db.BatchTx) error { return tx.Insert("INSERT INTO kinds", "", len(row), values) })
	check(t, turn(t, d), nil)
	var quoted []string
	for column := range strings.FieldsSeq("a b c d e f g h i j") {
		quoted = append(quoted, "quote("+column+")")
	}
	got := column(t, d.Read, "SELECT "+strings.Join(quoted, " || ' ' || ")+" FROM kinds")
	for _, line := range got {
		if line != want {
			t.Errorf("got  %s\nwant %s", line, want)
		}
	}
	if len(got) != 9 {
		t.Errorf("%d rows", len(got))
	}
}

func TestInsertThatFailsStopsTheWriter(t *testing.T) {
	t.Parallel()
	rows, _ := assets(80)
	twice := append(rows[:len(rows):len(rows)], rows[0], rows[1])
	tests := map[string]struct {
		into, after string
		columns     int
		values      []driver.Value
		want        string
	}{
		"half a row":       {into, "", 2, rows[:3], "no rows of 2 columns"},
		"no columns":       {into, "", 0, rows, "no rows of 0 columns"},
		"too many columns": {into, "", 501, make([]driver.Value, 501), "no rows of 501 columns"},
		"other columns":    {into, "", 1, rows, "1 values for 2 columns"},
		"more to bind":     {into, "ON CONFLICT DO UPDATE SET code = ?", 2, rows, "128 values for 129 placeholders"},
		"not SQL":          {"INSERT INTO no_table", "", 2, rows, "no such table"},
		"not a value":      {into, "", 2, []driver.Value{"A", uint64(2)}, "uint64"},
		"a constraint":     {into, "", 2, twice, "UNIQUE"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			d := open(t, options(path))
			flushing(t, d, func(tx db.BatchTx) error { return tx.Insert(test.into, test.after, test.columns, test.values) })
			check(t, insert(t, d, "A"), db.ErrStopped)
			stopped(t, d.Writer, test.want)
			if got := reopened(t, d, path); got != nil {
				t.Errorf("on disk: %v", got)
			}
		})
	}
}

func TestInsertOutsideOfATransaction(t *testing.T) {
	d := open(t, options(newPath(t)))
	fill(t, d)
	var after error
	flushing(t, d, func(tx db.BatchTx) error {
		_, err := tx.ExecContext(t.Context(), "INSERT INTO users VALUES (zeroblob(16), hex(randomblob(100000)), 'Ann', 'x', 1)")
		after = tx.Insert(into, "", 2, []driver.Value{"alone", int64(2)})
		return errors.Join(errOwn, err)
	})
	check(t, turn(t, d), errOwn)
	stopped(t, d.Writer, errOwn.Error())
	if after == nil || !strings.Contains(after.Error(), "rolled the whole batch back") {
		t.Errorf("insert: %v", after)
	}
	if got := codes(t, d); got != nil {
		t.Errorf("on disk: %v", got)
	}
}

// A statement may run again while its rows are still being read.
func TestAStatementInUseTwice(t *testing.T) {
	t.Parallel()
	d := open(t, options(newPath(t)))
	for _, code := range []string{"A", "B", "C"} {
		check(t, insert(t, d, code), nil)
	}
	const query = "SELECT code FROM assets WHERE scale = ? ORDER BY ledger"
	read := func(tx db.Tx, each func(string)) error {
		rows, err := tx.QueryContext(context.Background(), query, 2)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var code string
			if err := rows.Scan(&code); err != nil {
				return err
			}
			each(code)
		}
		return rows.Err()
	}
	for range 3 {
		var got []string
		check(t, d.Write(t.Context(), func(tx db.Tx) error {
			return read(tx, func(outer string) {
				check(t, read(tx, func(inner string) { got = append(got, outer+inner) }), nil)
				var first string
				check(t, tx.QueryRowContext(context.Background(), query, 2).Scan(&first), nil)
				got = append(got, first)
			})
		}), nil)
		if diff := cmp.Diff(strings.Fields("AA AB AC A BA BB BC A CA CB CC A"), got); diff != "" {
			t.Error(diff)
		}
	}
}

// Kept statements see a schema that changed under them.
func TestStatementsOutliveASchema(t *testing.T) {
	t.Parallel()
	d := open(t, options(newPath(t)))
	values, want := assets(9)
	round := 0
	flushing(t, d, func(tx db.BatchTx) error {
		round++
		if round != 1 && round != 3 {
			return nil
		}
		return tx.Insert("INSERT INTO t (a, b)", "", 2, values)
	})
	count := func(want int) {
		t.Helper()
		check(t, d.Write(t.Context(), func(tx db.Tx) error {
			rows, err := tx.QueryContext(context.Background(), "SELECT * FROM t")
			if err != nil {
				return err
			}
			defer rows.Close()
			columns, err := rows.Columns()
			if len(columns) != want {
				t.Errorf("columns %v", columns)
			}
			return err
		}), nil)
	}
	change := func(stmt string) {
		t.Helper()
		check(t, d.Write(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(context.Background(), stmt)
			return err
		}), nil)
	}
	change("CREATE TABLE t (a, b)")      // round 1
	count(2)                             // 2
	change("ALTER TABLE t ADD COLUMN c") // 3
	count(3)                             // 4
	got := column(t, d.Read, "SELECT a FROM t")
	if diff := cmp.Diff(append(want, want...), got); diff != "" {
		t.Error(diff)
	}
}

// More statements than are kept work as well.
func TestManyStatements(t *testing.T) {
	t.Parallel()
	d := open(t, options(newPath(t)))
	const n = 2*db.StatementsMax + 10
	flushing(t, d, func(tx db.BatchTx) error {
		for i := range n {
			if err := tx.Insert(fmt.Sprintf("INSERT INTO assets /* %d */ (code, scale)", i), "", 2, []driver.Value{fmt.Sprint("a", i), int64(2)}); err != nil {
				return err
			}
			if _, err := tx.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO assets /* %d */ (code, scale) VALUES (?, 2)", i), fmt.Sprint("b", i)); err != nil {
				return err
			}
		}
		return nil
	})
	check(t, turn(t, d), nil)
	if got := len(codes(t, d)); got != 2*n {
		t.Errorf("%d rows, want %d", got, 2*n)
	}
}
