// Package db opens the wallet's database. It promises one writer: DB.Writer
// owns the only connection that may write and commits what waits in groups;
// DB.Read is a pool that can only read. Whoever opens a database for writing
// holds a file lock beside it until Close.
//
// Both pools set their pragmas in the DSN, because a PRAGMA that is executed
// reaches one pooled connection only.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// readers bounds the read pool: SQLite readers are CPU-bound.
const readers = 8

// Errors of Open and OpenReadOnly.
var (
	ErrLocked     = errors.New("the data folder is in use by another running wallet")
	ErrPostgres   = errors.New("postgres is the next step and not supported yet: use sqlite:PATH")
	ErrNotThere   = errors.New("there is no database")
	ErrFromFuture = errors.New("the database was written by a newer version of this program")
	ErrFromPast   = errors.New("the database was written by an older version of this program: start the wallet once to bring it up to date")
)

// Tx is what SQL runs on: the read pool, or the writer's transaction.
type Tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Options say which database to open.
type Options struct {
	URL string           // "sqlite:path"
	Now func() time.Time // time.Now when nil
	Log *slog.Logger     // slog.Default() when nil
}

// DB is an open database. Read is a pool of query-only connections; Writer is
// nil when it was opened with OpenReadOnly.
type DB struct {
	Read   *sql.DB
	Writer *Writer

	write *sql.DB
	lock  *flock.Flock

	closeOnce sync.Once
	closeErr  error
}

// Open takes the lock, brings the schema up to date and starts the Writer.
// It returns ErrLocked, ErrPostgres, ErrFromFuture or ErrHead, or what the file
// system or SQLite said.
func Open(ctx context.Context, opts Options) (*DB, error) {
	path, err := sqlitePath(opts.URL)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	d := &DB{lock: flock.New(filepath.Join(filepath.Dir(path), "pochi.lock"))}
	if err := d.open(ctx, path, opts); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *DB) open(ctx context.Context, path string, opts Options) error {
	locked, err := d.lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	if !locked {
		return ErrLocked
	}
	if d.write, err = sql.Open("sqlite3", dsn(path, "_txlock=immediate")); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	d.write.SetMaxOpenConns(1)
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if err := migrate(ctx, conn); err != nil {
		return errors.Join(fmt.Errorf("migrate %s: %w", path, err), conn.Close())
	}
	if d.Read, err = openReaders(path); err != nil {
		return errors.Join(err, conn.Close())
	}
	d.Writer, err = newWriter(ctx, conn, opts)
	return err
}

// OpenReadOnly opens an existing database for reading beside whoever writes
// it, without a lock. It returns ErrNotThere when there is no such file, and
// ErrFromPast or ErrFromFuture when its schema is another than this program's.
func OpenReadOnly(ctx context.Context, dbURL string) (*DB, error) {
	path, err := sqlitePath(dbURL)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w at %s", ErrNotThere, path)
	}
	pool, err := openReaders(path)
	if err != nil {
		return nil, err
	}
	if err := current(ctx, pool); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), pool.Close())
	}
	return &DB{Read: pool}, nil
}

// Write commits rows through the Writer and returns when they are durable.
func (d *DB) Write(ctx context.Context, rows func(Tx) error) error {
	return d.Writer.Submit(ctx, Unit{Rows: rows})
}

// Close drains the Writer, closes both pools and gives the lock back. Closing
// again does nothing and returns what the first time returned.
func (d *DB) Close() error {
	d.closeOnce.Do(func() { d.closeErr = d.close() })
	return d.closeErr
}

func (d *DB) close() error {
	var errs []error
	if d.Writer != nil {
		errs = append(errs, d.Writer.close())
	}
	for _, pool := range []*sql.DB{d.Read, d.write} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Unlock())
	}
	return errors.Join(errs...)
}

func openReaders(path string) (*sql.DB, error) {
	pool, err := sql.Open("sqlite3", dsn(path, "_query_only=1"))
	if err != nil {
		return nil, fmt.Errorf("open %s for reading: %w", path, err)
	}
	pool.SetMaxOpenConns(readers)
	pool.SetMaxIdleConns(readers)
	return pool, nil
}

func dsn(path, extra string) string {
	pragmas := "_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1&"
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas + extra
}

func sqlitePath(dbURL string) (string, error) {
	if strings.HasPrefix(dbURL, "postgres:") || strings.HasPrefix(dbURL, "postgresql:") {
		return "", ErrPostgres
	}
	path, ok := strings.CutPrefix(dbURL, "sqlite:")
	if !ok || path == "" {
		return "", fmt.Errorf("database %q: want sqlite:PATH", dbURL)
	}
	return path, nil
}
