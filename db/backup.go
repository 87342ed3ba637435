package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrBackupExists: Backup overwrites nothing.
var ErrBackupExists = errors.New("there is a file of that name already")

// Backup writes the database as it is at one moment to a new file, mode 0600,
// beside whoever writes it, in this process or another. FILE appears when it is
// whole and on disk. While it is made the WAL can't shrink. It returns
// ErrNotThere when there is no database and ErrBackupExists when there is FILE.
func Backup(ctx context.Context, dbURL, file string) error {
	path, err := sqlitePath(dbURL)
	if err != nil {
		return err
	}
	if !exists(path) {
		return fmt.Errorf("%w at %s", ErrNotThere, path)
	}
	if exists(file) {
		return fmt.Errorf("%w: %s", ErrBackupExists, file)
	}
	made, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("make %s: %w", file, cause(err))
	}
	err = vacuumInto(ctx, path, made.Name())
	err = errors.Join(err, made.Sync(), made.Close())
	if err == nil {
		err = publish(made.Name(), file)
	}
	if err != nil {
		err = fmt.Errorf("back %s up: %w", path, err)
	}
	if gone := os.Remove(made.Name()); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// vacuumInto copies a database, as one read transaction sees it, to an empty
// file.
func vacuumInto(ctx context.Context, path, file string) (err error) {
	pool, err := sql.Open("sqlite3", dsn(path, "mode=ro"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	_, err = pool.ExecContext(ctx, "VACUUM INTO ?", file)
	return err
}

// publish gives a file its name, on disk too, and returns ErrBackupExists when
// another one has it. A file system without links can't keep two from taking a
// name at once.
func publish(from, to string) error {
	err := os.Link(from, to)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: %s", ErrBackupExists, to)
	case err != nil && exists(to):
		return fmt.Errorf("%w: %s", ErrBackupExists, to)
	case err != nil:
		err = os.Rename(from, to)
	}
	if err != nil {
		return err
	}
	return syncPath(filepath.Dir(to))
}

// exists tells whether something has the name, a broken link too.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// cause is why a file can't be made, without its name, which nobody has chosen.
func cause(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// syncPath makes a file, or what a folder lists, durable.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
