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
)

// Restore makes a database of a backup. It takes the folder's lock, brings the
// schema up to date, raises the epoch, which fences writers of what was there
// before, and lets park change what must not go on as if nothing had happened
// (park may be nil), in one transaction. The database appears, whole and on
// disk, as the last step; until then there is none. FILE stays as it is.
//
// It returns ErrLocked, ErrDatabaseExists, ErrNotBackup, ErrFromFuture, park's
// error, or what the file system or SQLite said.
func Restore(ctx context.Context, file, dbURL string, park func(context.Context, Tx) error) (err error) {
	path, err := sqlitePath(dbURL)
	if err != nil {
		return err
	}
	lock, err := lockFolder(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if err := vacant(path); err != nil {
		return err
	}
	made := path + ".restoring"
	if err := removeDatabase(made); err != nil { // a restore that a crash ended
		return err
	}
	err = prepareRestored(ctx, file, made, park)
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
func prepareRestored(ctx context.Context, file, made string, park func(context.Context, Tx) error) error {
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
		err = migrate(ctx, conn)
	}
	if err == nil {
		err = raiseEpoch(ctx, conn, park)
	}
	return errors.Join(err, conn.Close(), pool.Close(), syncPath(made))
}

// copyBackup copies a file that looks like a database at rest.
func copyBackup(file, made string) (err error) {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	magic := make([]byte, 16)
	if _, err := io.ReadFull(from, magic); err != nil || !bytes.Equal(magic, []byte("SQLite format 3\x00")) {
		return fmt.Errorf("%w: it is no SQLite database", ErrNotBackup)
	}
	for _, ending := range databaseFiles[1:] {
		if left, err := os.Stat(file + ending); err == nil && left.Size() > 0 && ending != "-shm" {
			return fmt.Errorf("%w: a part of it may be in %s", ErrNotBackup, file+ending)
		}
	}
	to, err := os.OpenFile(made, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, io.MultiReader(bytes.NewReader(magic), from))
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
func raiseEpoch(ctx context.Context, conn *sql.Conn, park func(context.Context, Tx) error) error {
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
	if err == nil && park != nil {
		err = park(ctx, tx)
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
