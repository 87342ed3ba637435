package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pochi/db"

	"github.com/google/go-cmp/cmp"
)

// newPath returns where a test's database may be made.
func newPath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "data", "pochi.db")
}

func options(path string) db.Options {
	return db.Options{URL: "sqlite:" + path, Log: slog.New(slog.DiscardHandler)}
}

// open opens a database until the end of the test.
func open(t *testing.T, opts db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, d.Close(), nil) }) // again, where the test closed it
	return d
}

// outside opens a connection of its own to a database, as another program has.
func outside(t *testing.T, path string) *sql.Conn {
	t.Helper()
	pool, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); pool.Close() })
	return conn
}

func exec(t *testing.T, conn *sql.Conn, stmt string) {
	t.Helper()
	if _, err := conn.ExecContext(t.Context(), stmt); err != nil {
		t.Fatalf("%s: %v", stmt, err)
	}
}

// column reads a query's only column, each value as text.
func column(t *testing.T, tx db.Tx, query string) []string {
	t.Helper()
	rows, err := tx.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var values []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return values
}

func check(t *testing.T, got error, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}

func TestReadPoolRefusesWrites(t *testing.T) {
	d := open(t, options(newPath(t)))
	for _, stmt := range []string{
		"INSERT INTO assets (code, scale) VALUES ('USD', 2)",
		"UPDATE head SET seq = seq + 1",
		"DELETE FROM head",
		"CREATE TABLE t (a)",
		"PRAGMA user_version = 0",
	} {
		_, err := d.Read.ExecContext(t.Context(), stmt)
		if err == nil || !strings.Contains(err.Error(), "readonly") {
			t.Errorf("%s: got error %v, want one about readonly", stmt, err)
		}
	}
}

func TestPragmasOnEveryConnection(t *testing.T) {
	d := open(t, options(newPath(t)))
	pragmas := []string{"journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only", "cache_size"}
	read := func(tx db.Tx, pragmas []string) (values []string) {
		for _, name := range pragmas {
			values = append(values, column(t, tx, "PRAGMA "+name)...)
		}
		return values
	}
	for range d.Read.Stats().MaxOpenConnections {
		conn, err := d.Read.Conn(t.Context()) // kept, so that the next is another
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if diff := cmp.Diff([]string{"wal", "2", "1", "5000", "1", "-128"}, read(conn, pragmas)); diff != "" {
			t.Errorf("%v of a reader: %s", pragmas, diff)
		}
	}
	pragmas = append(pragmas, "wal_autocheckpoint", "journal_size_limit", "temp_store", "secure_delete")
	var writer []string
	check(t, d.Write(t.Context(), func(tx db.Tx) error {
		writer = read(tx, pragmas)
		return nil
	}), nil)
	want := []string{"wal", "2", "1", "5000", "0", "-2048", "4000", "67108864", "2", "2"}
	if diff := cmp.Diff(want, writer); diff != "" {
		t.Errorf("%v of the writer: %s", pragmas, diff)
	}
}

// While somebody reads, the WAL grows; afterwards it shrinks, and under a load
// it stays as it is.
func TestTheWALShrinks(t *testing.T) {
	t.Parallel()
	const unit, limit = 8 << 20, 64 << 20 // bytes
	path := newPath(t)
	d := open(t, options(path))
	grow := func(times int) (size int64) {
		for range times {
			check(t, d.Write(t.Context(), func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), "INSERT INTO users VALUES (randomblob(16), hex(randomblob(8)), hex(zeroblob(?)), 'x', 1)", unit/2)
				return err
			}), nil)
		}
		info, err := os.Stat(path + "-wal")
		check(t, err, nil)
		return info.Size()
	}
	reader, err := d.Read.BeginTx(t.Context(), nil)
	check(t, err, nil)
	column(t, reader, "SELECT seq FROM head")
	if size := grow(limit/unit + 1); size < limit {
		t.Errorf("the WAL has %d bytes beside a reader", size)
	}
	check(t, reader.Rollback(), nil)
	if size := grow(4); size > limit {
		t.Errorf("the WAL has %d bytes after a reader", size)
	}
}

func TestForeignKeysHold(t *testing.T) {
	d := open(t, options(newPath(t)))
	err := d.Write(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO sessions VALUES (zeroblob(32), zeroblob(16), '', '', 0, 0, 0)`)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "FOREIGN KEY") {
		t.Errorf("a session of nobody: got error %v", err)
	}
}

func TestOneWriterForAFolder(t *testing.T) {
	path := newPath(t)
	d := open(t, options(path))
	_, err := db.Open(t.Context(), options(path))
	check(t, err, db.ErrLocked)
	_, err = db.Open(t.Context(), options(filepath.Join(filepath.Dir(path), "other.db")))
	check(t, err, db.ErrLocked)

	check(t, insert(t, d, "USD"), nil) // the refused ones harmed nothing
	check(t, d.Close(), nil)
	if got := codes(t, open(t, options(path))); !cmp.Equal(got, []string{"USD"}) {
		t.Errorf("after opening again: %v", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		url  string
		want string
	}{
		{"postgres://localhost/pochi", "postgres"},
		{"postgresql://localhost/pochi", "postgres"},
		{"mysql:pochi", "want sqlite:PATH"},
		{"sqlite:", "want sqlite:PATH"},
		{"", "want sqlite:PATH"},
		{"sqlite:/dev/null/pochi.db", "create the data folder"},
		{"sqlite:" + t.TempDir(), "unable to open"},
	}
	for _, test := range tests {
		t.Run(test.url, func(t *testing.T) {
			_, err := db.Open(t.Context(), db.Options{URL: test.url})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
	_, err := db.Open(t.Context(), db.Options{URL: "postgres://localhost/pochi"})
	check(t, err, db.ErrPostgres)
	_, err = db.OpenReadOnly(t.Context(), "postgres://localhost/pochi")
	check(t, err, db.ErrPostgres)
}

func TestOddPaths(t *testing.T) {
	for _, name := range []string{"a b", "what?mode=memory", "50%20", "#1", "ünï", "a&b=c", "a:b"} {
		path := filepath.Join(t.TempDir(), name, "pochi.db")
		d := open(t, options(path))
		check(t, insert(t, d, "USD"), nil)
		check(t, d.Close(), nil)
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if got := codes(t, ro); !cmp.Equal(got, []string{"USD"}) {
			t.Errorf("%q: %v", name, got)
		}
		check(t, ro.Close(), nil)
	}
}

func TestOpenReadOnly(t *testing.T) {
	path := newPath(t)
	_, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
	check(t, err, db.ErrNotThere)

	d := open(t, options(path))
	check(t, insert(t, d, "USD"), nil)
	ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+path) // beside the one that writes
	if err != nil {
		t.Fatal(err)
	}
	if ro.Writer != nil {
		t.Error("it has a Writer")
	}
	check(t, insert(t, d, "EUR"), nil)
	if got := codes(t, ro); !cmp.Equal(got, []string{"USD", "EUR"}) {
		t.Errorf("it reads %v", got)
	}
	if _, err := ro.Read.ExecContext(t.Context(), "DELETE FROM assets"); err == nil {
		t.Error("it writes")
	}
	check(t, ro.Close(), nil)
	check(t, insert(t, d, "GBP"), nil)
}

func TestOtherSchemas(t *testing.T) {
	path := newPath(t)
	check(t, open(t, options(path)).Close(), nil)
	conn := outside(t, path)
	var version int
	if err := conn.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		version        int
		read, readOnly error
	}{
		{version + 1, db.ErrFromFuture, db.ErrFromFuture},
		{1000, db.ErrFromFuture, db.ErrFromFuture},
		{version, nil, nil}, // the refusals gave the lock back
	}
	for _, test := range tests {
		exec(t, conn, fmt.Sprintf("PRAGMA user_version = %d", test.version))
		ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
		check(t, err, test.readOnly)
		d, errOpen := db.Open(t.Context(), options(path))
		check(t, errOpen, test.read)
		if err == nil && errOpen == nil {
			check(t, errors.Join(ro.Close(), d.Close()), nil)
		}
	}
	exec(t, conn, fmt.Sprintf("PRAGMA user_version = %d", version-1))
	_, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
	check(t, err, db.ErrFromPast)
}

// Each older database, with rows in it, opens and ends with the schema that a
// new one has.
func TestOpensOlderDatabases(t *testing.T) {
	const first = `
		INSERT INTO assets (code, scale) VALUES ('USD', 2);
		INSERT INTO accounts VALUES (randomblob(16), 1, 1, 0, 0, 70, 0, 70, 0);
		INSERT INTO batches VALUES (7, 1000, 1, 0, zeroblob(32));
		UPDATE head SET seq = 7, at = 1000, seal = x'6a6e181f16b23224036c7a4aec008ae85f206631a1dd315e9daa3625a68ddc43';`
	const second = first + `
		INSERT INTO users VALUES (zeroblob(16), 'ann@example.com', 'Ann', 'x', 1);
		INSERT INTO sessions VALUES (zeroblob(32), zeroblob(16), 'ua', 'addr', 1, 2, 3);`
	rows := map[int]struct {
		insert, read string
		want         []string
	}{
		1: {first, "SELECT credits_posted FROM accounts", []string{"70"}},
		2: {second, "SELECT email || ' ' || user_agent FROM users JOIN sessions ON user_id = id", []string{"ann@example.com ua"}},
	}
	latest, err := db.Migrations()
	check(t, err, nil)
	schema := "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name"
	fresh := column(t, open(t, options(newPath(t))).Read, schema)
	for version, test := range rows {
		path := filepath.Join(t.TempDir(), "pochi.db")
		check(t, db.MakeOlder(t.Context(), path, version, test.insert), nil)
		_, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
		check(t, err, db.ErrFromPast)
		var log strings.Builder
		opts := options(path)
		opts.Log = slog.New(slog.NewTextHandler(&log, nil))
		d := open(t, opts)
		if said := fmt.Sprintf("%d → %d", version, latest); strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "level=INFO") || !strings.Contains(log.String(), said) {
			t.Errorf("the log doesn't say %q: %s", said, &log)
		}
		if diff := cmp.Diff(test.want, column(t, d.Read, test.read)); diff != "" {
			t.Errorf("rows of version %d: %s", version, diff)
		}
		if diff := cmp.Diff(fresh, column(t, d.Read, schema)); diff != "" {
			t.Errorf("schema of a database from version %d: %s", version, diff)
		}
		if got := column(t, d.Read, "PRAGMA user_version"); !cmp.Equal(got, []string{fmt.Sprint(latest)}) {
			t.Errorf("from version %d: now %v", version, got)
		}
		check(t, insert(t, d, "EUR"), nil)
		if got := column(t, d.Read, "SELECT seq FROM head"); !cmp.Equal(got, []string{"8"}) {
			t.Errorf("from version %d: head at %v", version, got)
		}
	}
}

func TestOpenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := newPath(t)
	_, err := db.Open(ctx, options(path))
	check(t, err, context.Canceled)
	open(t, options(path))
}

func TestCloseTwice(t *testing.T) {
	path := newPath(t)
	first := open(t, options(path))
	ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
	check(t, err, nil)
	check(t, errors.Join(first.Close(), ro.Close(), ro.Close()), nil)
	second := open(t, options(path))
	check(t, first.Close(), nil) // it doesn't take the lock from the second
	_, err = db.Open(t.Context(), options(path))
	check(t, err, db.ErrLocked)
	check(t, insert(t, second, "USD"), nil)
}

// Whoever edits the head row without sealing it is not covered up.
func TestOpenRefusesATamperedHead(t *testing.T) {
	for _, change := range []string{"seq = seq + 1000", "epoch = epoch + 1", "at = at * 2", "seal = zeroblob(32)"} {
		t.Run(change, func(t *testing.T) {
			path := newPath(t)
			d := open(t, options(path))
			check(t, insert(t, d, "USD"), nil)
			check(t, d.Close(), nil)
			exec(t, outside(t, path), "UPDATE head SET "+change)
			_, err := db.Open(t.Context(), options(path))
			check(t, err, db.ErrHead)
			ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+path) // to be checked
			check(t, err, nil)
			check(t, ro.Close(), nil)
		})
	}
}

// A constraint that is checked at COMMIT fails the batch of units that did
// nothing wrong.
func TestNothingIsDeferred(t *testing.T) {
	d := open(t, options(newPath(t)))
	if got := column(t, d.Read, "SELECT name FROM sqlite_schema WHERE sql LIKE '%DEFERR%'"); got != nil {
		t.Errorf("deferred in %v", got)
	}
}
