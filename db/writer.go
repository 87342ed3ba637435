package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
)

const (
	queueMax = 4096 // units that may wait; a further caller waits for a place
	batchMax = 1024 // units in one transaction
)

// Errors of Submit.
var (
	// ErrStopped: a batch could not be written, or the database is closed. A
	// unit that was already in the batch has an unknown outcome until restart.
	ErrStopped = errors.New("the writer has stopped")
	// ErrBusy: the database could not be locked for writing; nothing was done.
	ErrBusy = errors.New("the database is busy")
	// ErrFenced: another writer has moved the head row.
	ErrFenced = errors.New("another writer has taken over this database")
)

// Unit is one caller's work: all of it commits, or none. Both functions run on
// the writer's goroutine, must do no other I/O and use tx only until they
// return. A panic stops the writer.
type Unit struct {
	// Apply changes state in memory and returns how to undo exactly that. An
	// error means that it changed nothing. Optional.
	Apply func(tx Tx) (undo func(), err error)
	// Rows writes the unit's rows, in a savepoint of its own. Optional.
	Rows func(tx Tx) error
}

// Batch is one transaction of the writer: its number, without gaps, and its
// time, which always moves forward.
type Batch struct {
	Seq int64
	At  time.Time
}

// Participant keeps state in memory that units change in Apply.
type Participant interface {
	// Flush asserts and writes all that this batch's units changed. An error
	// or a panic stops the writer: nothing of the batch is committed.
	Flush(ctx context.Context, tx Tx, batch Batch) error
	// Committed tells that what was flushed is durable. A panic stops the
	// writer; its callers' outcomes are then unknown to them.
	Committed()
}

// Writer owns the only write connection. One goroutine takes the units that
// wait, applies them in order, writes one transaction and then answers all.
// A unit that fails harms no neighbour. When a batch can't be written, a unit or
// a participant panics, or SQLite takes the transaction away, the writer stops
// for good: memory is no longer what the disk says, so the process has to
// restart. Constraints must not be deferred: one that fails at COMMIT fails
// everybody's batch.
type Writer struct {
	conn         *sql.Conn
	tx           writerTx
	log          *slog.Logger
	now          func() time.Time
	participants []Participant

	queue   chan *waiting
	closing chan struct{}
	done    chan struct{}
	once    sync.Once
	failure error // set before done closes

	head Head // as of the last batch
}

type waiting struct {
	unit   Unit
	taken  atomic.Bool // set by the writer, or by a caller that gave up
	answer chan error
}

func newWriter(ctx context.Context, conn *sql.Conn, opts Options) (*Writer, error) {
	w := &Writer{
		conn: conn, tx: writerTx{conn}, log: opts.Log, now: opts.Now,
		queue:   make(chan *waiting, queueMax),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	if w.log == nil {
		w.log = slog.Default()
	}
	if w.now == nil {
		w.now = time.Now
	}
	var err error
	if w.head, err = readHead(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go w.run()
	return w, nil
}

// Join adds a participant; load reads its state on the writer's connection.
// It must be called before the first unit that concerns the participant.
func (w *Writer) Join(ctx context.Context, p Participant, load func(Tx) error) error {
	return w.Submit(ctx, Unit{Apply: func(tx Tx) (func(), error) {
		if err := load(tx); err != nil {
			return nil, err
		}
		w.participants = append(w.participants, p)
		return func() {}, nil
	}})
}

// Submit queues a unit and returns when it is durable, or with the error of
// its Apply or Rows. When ctx ends while the unit still waits, it is dropped
// and ctx's error returned; once taken, the true outcome is returned.
func (w *Writer) Submit(ctx context.Context, unit Unit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	item := &waiting{unit: unit, answer: make(chan error, 1)}
	select {
	case <-w.closing:
		return ErrStopped
	default:
	}
	select {
	case w.queue <- item:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.done:
		return w.stopped()
	}
	select {
	case err := <-item.answer:
		return err
	case <-ctx.Done():
		if item.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
	case <-w.done:
	}
	select {
	case err := <-item.answer:
		return err
	case <-w.done:
	}
	select { // answered just before the writer stopped
	case err := <-item.answer:
		return err
	default:
		return w.stopped()
	}
}

// Done is closed when the writer has stopped; Err then tells why, nil after an
// orderly Close.
func (w *Writer) Done() <-chan struct{} { return w.done }

// Err returns why the writer stopped. It is valid after Done is closed.
func (w *Writer) Err() error { return w.failure }

func (w *Writer) stopped() error {
	if w.failure != nil {
		return fmt.Errorf("%w: %w", ErrStopped, w.failure)
	}
	return ErrStopped
}

// close lets the queued units finish and ends the goroutine.
func (w *Writer) close() error {
	w.once.Do(func() { close(w.closing) })
	<-w.done
	return w.conn.Close()
}

func (w *Writer) run() {
	defer close(w.done)
	for {
		batch := w.take()
		if batch == nil {
			return
		}
		if err := w.commit(batch); err != nil {
			w.failure = err
			w.log.Error("the writer stops: a batch could not be written", "error", err)
			return
		}
	}
}

// take waits for a unit and returns it with all others that are queued; nil
// when the writer is closing and nothing is left.
func (w *Writer) take() []*waiting {
	var batch []*waiting
	select {
	case item := <-w.queue:
		batch = append(batch, item)
	case <-w.closing:
	}
	for len(batch) < batchMax {
		select {
		case item := <-w.queue:
			batch = append(batch, item)
		default:
			return batch
		}
	}
	return batch
}

// commit runs a batch in one transaction and answers its units.
func (w *Writer) commit(items []*waiting) error {
	ctx := context.Background() // a batch has many callers: none of them may cancel it
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); isBusy(err) {
		w.log.Warn("a batch could not begin", "error", err)
		for _, item := range items {
			item.answer <- fmt.Errorf("%w: %w", ErrBusy, err)
		}
		return nil
	} else if err != nil {
		return w.fail(items, fmt.Errorf("begin: %w", err))
	}
	answers := make([]error, len(items))
	done := 0
	for i, item := range items {
		if !item.taken.CompareAndSwap(false, true) {
			continue // its caller gave up
		}
		var err error
		if answers[i], err = w.apply(ctx, item.unit); err != nil {
			return w.fail(items, err)
		}
		if answers[i] == nil {
			done++
		}
	}
	if err := w.finish(ctx, done); err != nil {
		return w.fail(items, err)
	}
	for i, item := range items {
		item.answer <- answers[i]
	}
	return nil
}

// isBusy tells a lock that another connection holds from a database that can't
// be written.
func isBusy(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.Code == sqlite3.ErrBusy
}

// finish writes what the batch's units did; when each was refused there is
// nothing to write. A participant's panic stops the writer as its error does:
// memory and disk may differ.
func (w *Writer) finish(ctx context.Context, done int) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			w.log.Error("a participant panicked", "reason", reason, "stack", string(debug.Stack()))
			err = fmt.Errorf("a participant panicked: %v", reason)
		}
	}()
	if done == 0 {
		_, err := w.conn.ExecContext(ctx, "ROLLBACK")
		return err
	}
	batch := Batch{Seq: w.head.Seq + 1, At: w.tick()}
	for _, p := range w.participants {
		if err := p.Flush(ctx, w.tx, batch); err != nil {
			return fmt.Errorf("flush: %w", err)
		}
	}
	if err := w.moveHead(ctx, batch); err != nil {
		return err
	}
	if _, err := w.conn.ExecContext(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	w.head.Seq, w.head.At = batch.Seq, batch.At.UnixMicro()
	for _, p := range w.participants {
		p.Committed()
	}
	return nil
}

// apply runs one unit. The first error is the caller's; the second means that
// the transaction itself is broken: it goes to all callers and doesn't wrap the
// first, which one of them might take for its own. So does a panic: nobody knows how much of
// the unit it left behind in memory.
func (w *Writer) apply(ctx context.Context, unit Unit) (failed, broken error) {
	defer func() {
		if reason := recover(); reason != nil {
			w.log.Error("a unit panicked", "reason", reason, "stack", string(debug.Stack()))
			broken = fmt.Errorf("a unit panicked: %v", reason)
		}
	}()
	undo := func() {}
	if unit.Apply != nil {
		revert, err := unit.Apply(w.tx)
		if lost := w.tx.alive(); lost != nil {
			return nil, fmt.Errorf("after applying a unit (its error: %v): %w", err, lost)
		}
		if err != nil {
			return err, nil
		}
		undo = revert
	}
	if unit.Rows == nil {
		return nil, nil
	}
	if _, err := w.conn.ExecContext(ctx, "SAVEPOINT unit"); err != nil {
		return nil, fmt.Errorf("savepoint: %w", err)
	}
	failed = unit.Rows(w.tx)
	if failed != nil {
		undo()
		if err := w.tx.alive(); err != nil {
			return nil, fmt.Errorf("after a unit's rows (their error: %v): %w", failed, err)
		}
		if _, err := w.conn.ExecContext(ctx, "ROLLBACK TO unit"); err != nil {
			return nil, fmt.Errorf("roll back a unit (its error: %v): %w", failed, err)
		}
	}
	if _, err := w.conn.ExecContext(ctx, "RELEASE unit"); err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	return failed, nil
}

// fail rolls the batch back and tells each caller that the outcome is to be
// read again after a restart.
func (w *Writer) fail(items []*waiting, cause error) error {
	if !errors.Is(w.tx.alive(), errGone) {
		if _, err := w.conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			cause = errors.Join(cause, fmt.Errorf("roll back: %w", err))
		}
	}
	for _, item := range items {
		item.answer <- fmt.Errorf("%w: %w", ErrStopped, cause)
	}
	return cause
}

// errGone: there is no transaction any more.
var errGone = errors.New("SQLite rolled the whole batch back")

// writerTx is the writer's connection without its callers' contexts: a caller
// that goes away must not interrupt a statement, because SQLite then rolls back
// the neighbours too. Outside of a transaction it refuses every statement.
type writerTx struct{ conn *sql.Conn }

// alive returns errGone when a failed statement took the whole transaction with
// it, as a full disk does: a later statement would then commit alone, and a
// later savepoint its unit.
func (t writerTx) alive() error {
	return t.conn.Raw(func(driver any) error {
		if c, ok := driver.(*sqlite3.SQLiteConn); ok && c.AutoCommit() {
			return errGone
		}
		return nil
	})
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
