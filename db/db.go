// Package db opens the wallet's database. It promises one writer: DB.Writer
// owns the only connection that may write and commits what waits in groups;
// DB.Read is a pool that can only read. Whoever opens a database for writing
// holds a file lock beside it until Close.
//
// The read pool sets its pragmas in the DSN, because a PRAGMA that is executed
// reaches one pooled connection only.
//
// Backup copies a database beside whoever writes it; Restore makes one of a
// backup, where there is none.
package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// readers bounds the read pool: SQLite readers are CPU-bound. Each has a small
// cache: it is thrown away whenever something was committed since.
const (
	readers       = 8
	readerPragmas = "_query_only=1&_cache_size=-128" // KiB
)

// The write connection's pragmas. It lasts as long as the writer, so those that
// go-sqlite3's DSN doesn't know are executed, after the migrations, whose sorting
// is not to be in memory.
//
// SQLite copies the WAL into the database in the thread that commits, once it
// has so many pages. Batches of 64 transfers between 10,000 accounts, for 5 s
// each, twice, on a machine with other work: with 1,000 pages, SQLite's own
// choice, the WAL stays at 4 MiB, there are 280 to 300 batches/s and the p99 of a
// batch is 16 to 26 ms; with 4,000, 16 MiB, 440 to 650 and 7 to 14 ms; with 8,000
// and 16,000, 31 and 63 MiB, not better than that beyond the noise (400 to 900,
// 4 to 16 ms). Among a million accounts hardly a page is written twice, and the
// p99 is 33 to 100 ms with each of them: the copying itself.
//
// A long reader makes the WAL grow without a bound; journal_size_limit cuts it
// off afterwards. temp_store keeps what a statement or a savepoint would restore
// in memory: beyond 64 KiB it goes to a file otherwise (p50 of a batch 0.7 ms
// against 0.9 to 1.0). A cache of 2 MiB, SQLite's choice, is full after a
// thousand payments, and the process grows no more; what isn't there the system
// has in its own, and with 64 MiB neither 64 callers' transfers nor the pages'
// payments were faster beyond the noise. mmap_size, measured beside it, changed
// nothing beyond the noise, and an I/O error would kill the process.
//
// secure_delete overwrites what is deleted or replaced, where the page is written
// anyway: a peer's old token isn't to stay in the file.
const (
	writerDSNPragmas = "_cache_size=-2048&_secure_delete=FAST" // KiB
	writerPragmas    = "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY"
)

// Errors of Open and OpenReadOnly.
var (
	ErrLocked     = errors.New("in use by another wallet or admin command")
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

	// Patience is how long to wait for a lock that somebody else has: an admin
	// command has it for a moment. 0 is not at all.
	Patience time.Duration

	// VFS is for tests: an SQLite VFS to open with instead of the system's
	// files. It needs no shared memory: there is one connection, in exclusive
	// locking mode, no read pool (Read is nil) and no lock beside the database.
	VFS string
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
// It returns ErrLocked, ErrCutOff, ErrPostgres, ErrFromFuture or ErrHead, or what
// the file system or SQLite said.
func Open(ctx context.Context, opts Options) (*DB, error) {
	path, err := sqlitePath(opts.URL)
	if err != nil {
		return nil, err
	}
	d := &DB{}
	if err := d.open(ctx, path, opts); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *DB) open(ctx context.Context, path string, opts Options) (err error) {
	if opts.VFS == "" {
		if d.lock, err = lockFolder(ctx, path, opts.Patience); err != nil {
			return err
		}
		if err := cutOff(path); err != nil {
			return err
		}
	}
	d.write, err = sql.Open("sqlite3", writerDSN(path, opts.VFS))
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	d.write.SetMaxOpenConns(1)
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if err := setUp(ctx, conn, cmp.Or(opts.Log, slog.Default())); err != nil {
		return errors.Join(fmt.Errorf("open %s: %w", path, err), conn.Close())
	}
	if opts.VFS == "" {
		if d.Read, err = openReaders(path); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	d.Writer, err = newWriter(ctx, conn, opts)
	return err
}

// setUp makes sure of the journal and brings the schema up to date, which it
// says of a database that isn't new.
func setUp(ctx context.Context, conn *sql.Conn, log *slog.Logger) error {
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return fmt.Errorf("choose the journal: %w", err)
	}
	if mode != "wal" {
		return fmt.Errorf("the journal is %q and not the WAL: does the file system have shared memory?", mode)
	}
	before, now, err := migrate(ctx, conn)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if before > 0 && before < now {
		log.Info(fmt.Sprintf("database brought up to date: %d → %d", before, now))
	}
	_, err = conn.ExecContext(ctx, writerPragmas)
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

// openReaders opens a pool that only reads. It leaves a file's journal as it is:
// a backup that somebody looks at stays one.
func openReaders(path string) (*sql.DB, error) {
	pool, err := sql.Open("sqlite3", dsn(path, readerPragmas))
	if err != nil {
		return nil, fmt.Errorf("open %s for reading: %w", path, err)
	}
	pool.SetMaxOpenConns(readers)
	pool.SetMaxIdleConns(readers)
	return pool, nil
}

// dsn names a database for go-sqlite3, which keeps prepared statements.
func dsn(path, extra string) string {
	const pragmas = "_busy_timeout=5000&_synchronous=FULL&_foreign_keys=1&_stmt_cache_size=256&"
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas + extra
}

// writerDSN is for the write connection. setUp chooses the journal: without
// shared memory, the locking mode must have been set before.
func writerDSN(path, vfs string) string {
	const extra = "_txlock=immediate&" + writerDSNPragmas
	if vfs == "" {
		return dsn(path, extra)
	}
	return dsn(path, extra+"&_locking_mode=EXCLUSIVE&vfs="+url.QueryEscape(vfs))
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
