package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/db"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-sqlite3"
)

// backup makes a backup of a database and returns its name.
func backup(t *testing.T, path string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup")
	check(t, db.Backup(t.Context(), "sqlite:"+path, file), nil)
	return file
}

// backedUp returns a backup of a database with these rows.
func backedUp(t *testing.T, rows ...string) (file string) {
	t.Helper()
	path := newPath(t)
	d := open(t, options(path))
	for _, code := range rows {
		check(t, insert(t, d, code), nil)
	}
	file = backup(t, path)
	check(t, d.Close(), nil)
	return file
}

// restored restores a backup and opens the database.
func restored(t *testing.T, file string) *db.DB {
	t.Helper()
	path := newPath(t)
	check(t, db.Restore(t.Context(), file, "sqlite:"+path, db.Restoring{}), nil)
	return open(t, options(path))
}

// files lists a folder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	check(t, err, nil)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// A backup that is made while callers commit has all that was answered before
// it began, of each caller's rows those up to one, and no unit in part.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	d := open(t, options(path))
	const callers = 4
	var answered [callers]atomic.Int64
	under, begun := make(chan struct{}), sync.Once{}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := int64(1); ctx.Err() == nil; i++ {
				err := d.Write(context.Background(), func(tx db.Tx) error {
					return errors.Join(row(fmt.Sprintf("%d %06d a", caller, i))(tx), row(fmt.Sprintf("%d %06d b", caller, i))(tx))
				})
				check(t, err, nil)
				answered[caller].Store(i)
				begun.Do(func() { close(under) })
			}
		})
	}
	<-under
	for range 5 {
		var before [callers]int64
		for caller := range callers {
			before[caller] = answered[caller].Load()
		}
		copied := restored(t, backup(t, path))
		for caller, n := range before {
			got := column(t, copied.Read, fmt.Sprintf("SELECT code FROM assets WHERE code LIKE '%d %%' ORDER BY code", caller))
			var want []string
			for i := range len(got) / 2 {
				want = append(want, fmt.Sprintf("%d %06d a", caller, i+1), fmt.Sprintf("%d %06d b", caller, i+1))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if int64(len(got)/2) < n {
				t.Errorf("caller %d: %d rows were answered, %d are in the backup", caller, n, len(got)/2)
			}
		}
		check(t, copied.Close(), nil)
	}
	stop()
	wg.Wait()
}

func TestBackupRefuses(t *testing.T) {
	path := newPath(t)
	file := filepath.Join(t.TempDir(), "backup")
	check(t, db.Backup(t.Context(), "sqlite:"+path, file), db.ErrNotThere)
	check(t, db.Backup(t.Context(), "postgres://x", file), db.ErrPostgres)
	open(t, options(path))
	check(t, os.WriteFile(file, []byte("mine"), 0o600), nil)
	check(t, db.Backup(t.Context(), "sqlite:"+path, file), db.ErrBackupExists)
	if got, _ := os.ReadFile(file); string(got) != "mine" {
		t.Errorf("it was overwritten: %q", got)
	}
	if err := db.Backup(t.Context(), "sqlite:"+path, filepath.Join(file, "no folder")); err == nil {
		t.Error("a backup below a file")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	check(t, db.Backup(ctx, "sqlite:"+path, file+"2"), context.Canceled)
	if diff := cmp.Diff([]string{"backup"}, files(t, filepath.Dir(file))); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
}

func TestABackupIsPrivate(t *testing.T) {
	file := backedUp(t, "USD")
	info, err := os.Stat(file)
	check(t, err, nil)
	if info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if diff := cmp.Diff([]string{"backup"}, files(t, filepath.Dir(file))); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	file := backedUp(t, "USD", "EUR")
	path := newPath(t)
	check(t, db.Restore(t.Context(), file, "sqlite:"+path, db.Restoring{Change: func(ctx context.Context, tx db.Tx) error {
		if got := column(t, tx, "SELECT epoch FROM head"); !cmp.Equal(got, []string{"2"}) {
			t.Errorf("epoch %v", got)
		}
		return row("parked")(tx)
	}}), nil)
	if diff := cmp.Diff([]string{"pochi.db", "pochi.lock"}, files(t, filepath.Dir(path))); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
	d := open(t, options(path))
	check(t, insert(t, d, "GBP"), nil)
	if diff := cmp.Diff([]string{"USD", "EUR", "parked", "GBP"}, codes(t, d)); diff != "" {
		t.Error(diff)
	}
	if got := column(t, d.Read, "SELECT seq || ' ' || epoch FROM head"); !cmp.Equal(got, []string{"3 2"}) {
		t.Errorf("head %v", got)
	}
	again := restored(t, backup(t, path))
	if got := column(t, again.Read, "SELECT epoch FROM head"); !cmp.Equal(got, []string{"3"}) {
		t.Errorf("epoch %v", got)
	}
}

// A backup of an older program is brought up to date.
func TestRestoreOfAnOlderBackup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "older.db")
	check(t, db.MakeOlder(t.Context(), file, 1, "INSERT INTO assets (code, scale) VALUES ('USD', 2)"), nil)
	d := restored(t, file)
	latest, err := db.Migrations()
	check(t, err, nil)
	if got := column(t, d.Read, "PRAGMA user_version"); !cmp.Equal(got, []string{fmt.Sprint(latest)}) {
		t.Errorf("version %v", got)
	}
	check(t, insert(t, d, "EUR"), nil)
	if diff := cmp.Diff([]string{"USD", "EUR"}, codes(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestRestoreOverNothing(t *testing.T) {
	t.Parallel()
	file := backedUp(t, "USD")
	for _, ending := range []string{"", "-wal", "-shm", "-journal"} {
		path := newPath(t)
		check(t, os.MkdirAll(filepath.Dir(path), 0o700), nil)
		check(t, os.WriteFile(path+ending, []byte("mine"), 0o600), nil)
		check(t, db.Restore(t.Context(), file, "sqlite:"+path, db.Restoring{}), db.ErrDatabaseExists)
		if got, _ := os.ReadFile(path + ending); string(got) != "mine" {
			t.Errorf("%s was changed: %q", path+ending, got)
		}
	}
	path := newPath(t)
	d := open(t, options(path))
	check(t, db.Restore(t.Context(), file, "sqlite:"+path, db.Restoring{}), db.ErrLocked)
	check(t, d.Close(), nil)
	check(t, db.Restore(t.Context(), file, "sqlite:"+path, db.Restoring{}), db.ErrDatabaseExists)
	check(t, db.Restore(t.Context(), file, "postgres://x", db.Restoring{}), db.ErrPostgres)
	check(t, db.Restore(t.Context(), file+"2", "sqlite:"+newPath(t), db.Restoring{}), os.ErrNotExist)
}

func TestRestoreRefusesWhatIsNoBackup(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 400 {
		many = append(many, fmt.Sprint("code of some length ", i))
	}
	content, err := os.ReadFile(backedUp(t, many...))
	check(t, err, nil)
	version, err := db.Migrations()
	check(t, err, nil)
	damaged := func(from, to int) []byte {
		b := append([]byte(nil), content...)
		for i := from; i < to; i++ {
			b[i] ^= 0xff
		}
		return b
	}
	tests := map[string]struct {
		content []byte
		stmt    string // on the file, which is the backup when there is no content
		want    error
	}{
		"text":           {[]byte(strings.Repeat("no database\n", 1000)), "", db.ErrNotBackup},
		"empty":          {[]byte{}, "", db.ErrNotBackup},
		"header only":    {content[:100], "", db.ErrNotBackup},
		"cut off":        {content[:len(content)-4096], "", db.ErrNotBackup},
		"cut in a page":  {content[:len(content)/2+100], "", db.ErrNotBackup},
		"damaged page":   {damaged(len(content)-5000, len(content)-4000), "", db.ErrNotBackup},
		"damaged schema": {damaged(100, 200), "", db.ErrNotBackup},
		"another's":      {[]byte{}, "CREATE TABLE mine (a)", db.ErrNotBackup},
		"no head":        {nil, "DELETE FROM head", db.ErrNotBackup},
		"edited head":    {nil, "UPDATE head SET epoch = 7", db.ErrNotBackup},
		"broken index":   {nil, "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'users') WHERE name = 'sessions_by_user'", db.ErrNotBackup},
		"newer":          {nil, fmt.Sprintf("PRAGMA user_version = %d", version+1), db.ErrFromFuture},
		"whole":          {content, "", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "file")
			if test.content == nil {
				test.content = content
			}
			check(t, os.WriteFile(file, test.content, 0o600), nil)
			if test.stmt != "" {
				exec(t, outside(t, file), test.stmt)
			}
			path := newPath(t)
			err := db.Restore(t.Context(), file, "sqlite:"+path, db.Restoring{})
			check(t, err, test.want)
			if test.want != nil {
				if diff := cmp.Diff([]string{"pochi.lock"}, files(t, filepath.Dir(path))); diff != "" {
					t.Errorf("left behind: %s", diff)
				}
			}
		})
	}
}

// A part of a copy may be in its WAL: it isn't restored without.
func TestRestoreRefusesACopyWithItsWAL(t *testing.T) {
	file := backedUp(t, "USD")
	check(t, os.WriteFile(file+"-wal", []byte("frames"), 0o600), nil)
	check(t, db.Restore(t.Context(), file, "sqlite:"+newPath(t), db.Restoring{}), db.ErrNotBackup)
}

// Whatever ends a restore before its last step: there is no database, and the
// next one works.
func TestARestoreThatEndsEarly(t *testing.T) {
	t.Parallel()
	file := backedUp(t, "USD")
	path := newPath(t)
	nothingThere := func() {
		t.Helper()
		if diff := cmp.Diff([]string{"pochi.lock"}, files(t, filepath.Dir(path))); diff != "" {
			t.Errorf("left behind: %s", diff)
		}
	}
	check(t, db.Restore(t.Context(), file, "sqlite:"+path, db.Restoring{Change: func(_ context.Context, tx db.Tx) error {
		return errors.Join(errOwn, row("parked")(tx))
	}}), errOwn)
	nothingThere()
	ctx, cancel := context.WithCancel(t.Context())
	check(t, db.Restore(ctx, file, "sqlite:"+path, db.Restoring{Change: func(_ context.Context, tx db.Tx) error {
		cancel()
		for !errors.Is(row("parked")(tx), sql.ErrTxDone) { // database/sql rolls back by itself
		}
		return nil
	}}), context.Canceled)
	nothingThere()

	var inTheMiddle []byte // what a crash in park leaves
	check(t, db.Restore(t.Context(), file, "sqlite:"+path, db.Restoring{Change: func(_ context.Context, tx db.Tx) (err error) {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("there is a database already: %v", err)
		}
		inTheMiddle, err = os.ReadFile(path + ".restoring")
		return errors.Join(errOwn, err)
	}}), errOwn)
	for _, ending := range []string{"", "-wal", "-shm", "-journal"} {
		check(t, os.WriteFile(path+".restoring"+ending, inTheMiddle[:len(inTheMiddle)/2], 0o600), nil)
	}
	check(t, db.Restore(t.Context(), file, "sqlite:"+path, db.Restoring{}), nil)
	if got := codes(t, open(t, options(path))); !cmp.Equal(got, []string{"USD"}) {
		t.Errorf("rows %v", got)
	}
}

// A writer that goes on while its file is restored under it, whatever the locks
// did, commits nothing more.
func TestARestoreFencesTheWriterBefore(t *testing.T) {
	path, other := newPath(t), newPath(t)
	d := open(t, options(path))
	check(t, insert(t, d, "A"), nil)
	check(t, db.Restore(t.Context(), backup(t, path), "sqlite:"+other, db.Restoring{}), nil)
	overwrite(t, other, path)
	check(t, insert(t, d, "B"), db.ErrStopped)
	stopped(t, d.Writer, db.ErrFenced.Error())
	if got := reopened(t, d, path); !cmp.Equal(got, []string{"A"}) {
		t.Errorf("on disk: %v", got)
	}
}

// overwrite puts one database in the place of another that is open.
func overwrite(t *testing.T, from, to string) {
	t.Helper()
	check(t, outside(t, to).Raw(func(to any) error {
		return outside(t, from).Raw(func(from any) error {
			copying, err := to.(*sqlite3.SQLiteConn).Backup("main", from.(*sqlite3.SQLiteConn), "main")
			if err != nil {
				return err
			}
			_, err = copying.Step(-1)
			return errors.Join(err, copying.Finish())
		})
	}), nil)
}

// What a crash left in the WAL is in a backup that is made before the wallet
// runs again.
func TestBackupAfterACrash(t *testing.T) {
	path, crashed := newPath(t), newPath(t)
	d := open(t, options(path))
	check(t, insert(t, d, "USD"), nil)
	check(t, os.MkdirAll(filepath.Dir(crashed), 0o700), nil)
	for _, ending := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + ending)
		check(t, err, nil)
		check(t, os.WriteFile(crashed+ending, content, 0o600), nil)
	}
	if got := codes(t, restored(t, backup(t, crashed))); !cmp.Equal(got, []string{"USD"}) {
		t.Errorf("rows %v", got)
	}
}

// What a restore made is verified before it has the database's name; when it is
// refused nothing is left.
func TestRestoreVerifies(t *testing.T) {
	file := backedUp(t, "USD")
	path := newPath(t)
	verify := func(verdict error) db.Restoring {
		return db.Restoring{
			Change: func(_ context.Context, tx db.Tx) error { return row("changed")(tx) },
			Verify: func(_ context.Context, read *sql.DB) error {
				if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("there is a database already: %v", err)
				}
				if got := column(t, read, "SELECT code FROM assets ORDER BY ledger"); !cmp.Equal(got, []string{"USD", "changed"}) {
					t.Errorf("it shows %v", got)
				}
				if _, err := read.Exec("DELETE FROM assets"); err == nil {
					t.Error("it may be written")
				}
				return verdict
			},
		}
	}
	check(t, db.Restore(t.Context(), file, "sqlite:"+path, verify(errOwn)), errOwn)
	if diff := cmp.Diff([]string{"pochi.lock"}, files(t, filepath.Dir(path))); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
	check(t, db.Restore(t.Context(), file, "sqlite:"+path, verify(nil)), nil)
	if diff := cmp.Diff([]string{"pochi.db", "pochi.lock"}, files(t, filepath.Dir(path))); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
}

// A copy of a wallet's own file, made while the wallet runs, lacks what is in
// the WAL, and looks whole. A backup of the copy, with its WAL, lacks nothing.
func TestRestoreRefusesACopyWithoutItsWAL(t *testing.T) {
	path, copied := newPath(t), newPath(t)
	d := open(t, options(path))
	check(t, insert(t, d, "USD"), nil)
	check(t, os.MkdirAll(filepath.Dir(copied), 0o700), nil)
	content, err := os.ReadFile(path)
	check(t, err, nil)
	check(t, os.WriteFile(copied, content, 0o600), nil)
	err = db.Restore(t.Context(), copied, "sqlite:"+newPath(t), db.Restoring{})
	check(t, err, db.ErrNotBackup)
	if !strings.Contains(err.Error(), "pochi backup") {
		t.Errorf("it says %q", err)
	}
	content, err = os.ReadFile(path + "-wal")
	check(t, err, nil)
	check(t, os.WriteFile(copied+"-wal", content, 0o600), nil)
	if got := codes(t, restored(t, backup(t, copied))); !cmp.Equal(got, []string{"USD"}) {
		t.Errorf("rows %v", got)
	}
	check(t, d.Close(), nil)
	if got := codes(t, restored(t, backup(t, path))); !cmp.Equal(got, []string{"USD"}) { // a file at rest, that was a wallet's
		t.Errorf("rows %v", got)
	}
}

// Who looks at a backup leaves it one.
func TestABackupThatIsReadStaysOne(t *testing.T) {
	file := backedUp(t, "USD")
	before, err := os.ReadFile(file)
	check(t, err, nil)
	d, err := db.OpenReadOnly(t.Context(), "sqlite:"+file)
	check(t, err, nil)
	if got := codes(t, d); !cmp.Equal(got, []string{"USD"}) {
		t.Errorf("rows %v", got)
	}
	check(t, d.Close(), nil)
	if after, err := os.ReadFile(file); err != nil || !cmp.Equal(before, after) {
		t.Errorf("it was changed, %v", err)
	}
	if diff := cmp.Diff([]string{filepath.Base(file)}, files(t, filepath.Dir(file))); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
	restored(t, file)
}

// No empty database is made where a restore was cut off.
func TestOpenAfterARestoreThatWasCutOff(t *testing.T) {
	file := backedUp(t, "USD")
	path := newPath(t)
	check(t, os.MkdirAll(filepath.Dir(path), 0o700), nil)
	check(t, os.WriteFile(path+".restoring", []byte("half"), 0o600), nil)
	_, err := db.Open(t.Context(), options(path))
	check(t, err, db.ErrCutOff)
	check(t, db.Restore(t.Context(), file, "sqlite:"+path, db.Restoring{}), nil)
	check(t, os.WriteFile(path+".restoring", []byte("half"), 0o600), nil)
	if got := codes(t, open(t, options(path))); !cmp.Equal(got, []string{"USD"}) {
		t.Errorf("rows %v", got)
	}
}
