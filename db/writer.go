package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
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
