package db

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Errors of Restore.
var (
	ErrDatabaseExists = errors.New("there is a database already: restore into an empty data folder")
	ErrNotBackup      = errors.New("this is no whole backup of a wallet")
	ErrCutOff         = errors.New("a restore was cut off: repeat it")
)

// Restoring is what a caller of Restore does on the way. Both may be nil.
type Restoring struct {
	// Change changes what must not go on as if nothing had happened, in the
	// transaction that raises the epoch.
	Change func(ctx context.Context, tx Tx) error
	// Verify looks at what was made, before it becomes the database.
	Verify func(ctx context.Context, read *sql.DB) error
}

// Restore makes a database of a backup. It takes the folder's lock, brings the
// schema up to date, raises the epoch, which fences writers of what was there
// before, and has the caller change and verify the outcome. The database
// appears, whole and on disk, as the last step; until then, and after an error,
// there is none. FILE stays as it is.
//
// It returns ErrOwner, ErrLocked, ErrDatabaseExists, ErrNotBackup, ErrFromFuture, the
// caller's error, or what the file system or SQLite said.
func Restore(ctx context.Context, file, dbURL string, steps Restoring) (err error) {
	path, err := sqlitePath(dbURL)
	if err != nil {
		return err
	}
	if err := CheckOwner(dbURL); err != nil {
		return err
	}
	lock, err := lockFolder(ctx, path, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if err := vacant(path); err != nil {
		return err
	}
	made := path + restoring
	if err := removeDatabase(made); err != nil { // a restore that a crash ended
		return err
	}
	err = prepareRestored(ctx, file, made, steps.Change)
	if err == nil && steps.Verify != nil {
		err = verifyRestored(ctx, made, steps.Verify)
	}
	if err == nil {
		err = vacant(path)
	}
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("restore %s: %w", file, err), removeDatabase(made))
	}
	return syncPath(filepath.Dir(path))
}

// restoring is the ending of what will be a database.
const restoring = ".restoring"

// cutOff returns ErrCutOff when a crash ended a restore: whoever began it did
// not mean an empty database.
func cutOff(path string) error {
	if exists(path) || !exists(path+restoring) {
		return nil
	}
	return fmt.Errorf("%w; to begin with an empty database instead, remove %s", ErrCutOff, path+restoring)
}

// databaseFiles are the endings of what SQLite keeps beside a database, which
// is the first.
var databaseFiles = []string{"", "-wal", "-shm", "-journal"}

// vacant returns ErrDatabaseExists when there is any part of a database.
func vacant(path string) error {
	for _, ending := range databaseFiles {
		if exists(path + ending) {
			return fmt.Errorf("%w: %s", ErrDatabaseExists, path+ending)
		}
	}
	return nil
}

func removeDatabase(path string) error {
	var errs []error
	for _, ending := range databaseFiles {
		if err := os.Remove(path + ending); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// prepareRestored makes, of a backup, the database that takes its place.
func prepareRestored(ctx context.Context, file, made string, change func(context.Context, Tx) error) error {
	if err := copyBackup(file, made); err != nil {
		return err
	}
	// One file: what isn't in it is nowhere, when the pool is closed.
	pool, err := sql.Open("sqlite3", dsn(made, "_txlock=immediate&_journal_mode=DELETE"))
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return errors.Join(notBackup(err), pool.Close())
	}
	err = examine(ctx, conn)
	if err == nil {
		_, _, err = migrate(ctx, conn)
	}
	if err == nil {
		err = raiseEpoch(ctx, conn, change)
	}
	return errors.Join(err, conn.Close(), pool.Close(), syncPath(made))
}

// verifyRestored lets the caller read what was made. Nothing is left beside it.
func verifyRestored(ctx context.Context, made string, verify func(context.Context, *sql.DB) error) (err error) {
	pool, err := sql.Open("sqlite3", dsn(made, "mode=ro&_query_only=1"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return verify(ctx, pool)
}

// The header of an SQLite database: how it begins, and where it says which
// journal it was written with.
const (
	headerMagic  = "SQLite format 3\x00"
	headerSize   = 100
	writeVersion = 18
	readVersion  = 19
	versionWAL   = 2
)

// atRest refuses a file that isn't a database as Backup writes it. A wallet's
// own file may lack what is in its WAL.
func atRest(file string, header []byte) error {
	if !bytes.HasPrefix(header, []byte(headerMagic)) {
		return fmt.Errorf("%w: it is no SQLite database", ErrNotBackup)
	}
	for _, ending := range databaseFiles[1:] {
		if left, err := os.Stat(file + ending); err == nil && left.Size() > 0 && ending != "-shm" {
			return fmt.Errorf("%w: a part of it may be in %s; %s", ErrNotBackup, file+ending, makeOne(file))
		}
	}
	if header[writeVersion] == versionWAL || header[readVersion] == versionWAL {
		return fmt.Errorf("%w: it is a copy of the file that a wallet works on, and may lack what was written last; %s", ErrNotBackup, makeOne(file))
	}
	return nil
}

// makeOne says how to come to a backup, from the wallet's own file or a copy.
func makeOne(file string) string {
	return "use pochi backup, for a copy that has its -wal beside it with POCHI_DB=sqlite:" + file
}

// copyBackup copies a file that looks like a database at rest.
func copyBackup(file, made string) (err error) {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(from, header); err != nil {
		return fmt.Errorf("%w: it is no SQLite database: %w", ErrNotBackup, err)
	}
	if err := atRest(file, header); err != nil {
		return err
	}
	to, err := os.OpenFile(made, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, io.MultiReader(bytes.NewReader(header), from))
	return errors.Join(err, to.Close())
}

// examine refuses what isn't a whole database of a wallet, or is a newer one's.
func examine(ctx context.Context, conn *sql.Conn) error {
	names, err := migrationNames()
	if err != nil {
		return err
	}
	if _, err := schemaVersion(ctx, conn, len(names)); errors.Is(err, ErrFromFuture) {
		return err
	} else if err != nil {
		return notBackup(err)
	}
	if _, err := readHead(ctx, conn); err != nil {
		return notBackup(err)
	}
	return sound(ctx, conn)
}

// sound reads all of a database. A file that was cut off is found here, too.
func sound(ctx context.Context, tx Tx) error {
	rows, err := tx.QueryContext(ctx, "PRAGMA integrity_check(3)")
	if err != nil {
		return notBackup(err)
	}
	defer rows.Close()
	var defects []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return notBackup(err)
		}
		defects = append(defects, line)
	}
	if err := rows.Err(); err != nil {
		return notBackup(err)
	}
	if len(defects) != 1 || defects[0] != "ok" {
		return fmt.Errorf("%w: %s", ErrNotBackup, strings.Join(defects, "; "))
	}
	return nil
}

// notBackup says that what SQLite found is the file's fault, unless the caller
// gave up.
func notBackup(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNotBackup, err)
}

// raiseEpoch begins another life of the database.
func raiseEpoch(ctx context.Context, conn *sql.Conn, change func(context.Context, Tx) error) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	head, err := readHead(ctx, tx)
	if err == nil {
		head.Epoch++
		seal := head.Seal()
		_, err = tx.ExecContext(ctx, "UPDATE head SET epoch = ?, seal = ?", head.Epoch, seal[:])
	}
	if err == nil && change != nil {
		err = change(ctx, tx)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err == nil {
		return nil
	}
	if undo := tx.Rollback(); !errors.Is(undo, sql.ErrTxDone) {
		err = errors.Join(err, undo)
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = errors.Join(ended, err) // database/sql may have rolled back by itself
	}
	return err
}
