package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	queueMax = 4096 // units that may wait; a further caller waits for a place
	batchMax = 1024 // units in one transaction
)

// idleAfter is how long nobody may come before a backlog gets its turn: callers
// that were just answered come back sooner.
const idleAfter = 2 * time.Millisecond

// Errors of Submit.
var (
	// ErrStopped: a batch could not be written, or the database is closed. A
	// unit that was already in the batch has an unknown outcome until restart.
	ErrStopped = errors.New("the writer has stopped")
	// ErrBusy: the database could not be locked for writing; nothing was done.
	ErrBusy = errors.New("the database is busy")
	// ErrFull: the caller's context ended while no place in the queue was free;
	// nothing was done. The error is the context's, too.
	ErrFull = errors.New("too many are waiting for the database")
	// ErrJoined: a participant of this type takes part already.
	ErrJoined = errors.New("it takes part already")
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
	Flush(ctx context.Context, tx BatchTx, batch Batch) error
	// Committed tells that what was flushed is durable. A panic stops the
	// writer; its callers' outcomes are then unknown to them.
	Committed()
}

// Backlogged is a participant with work that can wait, but not for ever. While
// it says so and no unit waits, the writer runs batches without units: what it
// then flushes must make the backlog smaller. A close does not wait for it.
type Backlogged interface {
	Backlog() bool
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
	own          *statements
	log          *slog.Logger
	now          func() time.Time
	participants []Participant

	queue   chan *waiting
	closing chan struct{}
	done    chan struct{}
	once    sync.Once
	failure error // set before done closes

	head  Head         // as of the last batch
	seq   atomic.Int64 // head's, for everybody
	tally tally
	rests bool // the database was too busy for an idle turn: the next follows a unit
}

type waiting struct {
	unit   Unit
	taken  atomic.Bool // set by the writer, or by a caller that gave up
	answer chan error
}

func newWriter(ctx context.Context, conn *sql.Conn, opts Options) (*Writer, error) {
	w := &Writer{
		conn: conn, own: newStatements(conn), log: opts.Log, now: opts.Now,
		queue:   make(chan *waiting, queueMax),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	w.tx = writerTx{conn, w.own}
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
	w.seq.Store(w.head.Seq)
	go w.run()
	return w, nil
}

// Seq returns the number of the last batch that was committed: what is read
// afterwards has it. As long as it stays the same, so does the database.
func (w *Writer) Seq() int64 { return w.seq.Load() }

// Tally is what the writer has done since it started, for whoever watches it.
type Tally struct {
	Batches uint64 // that were committed
	Units   uint64 // in them
	Waiting int    // units in the queue now
}

type tally struct{ batches, units atomic.Uint64 }

// Tally returns it.
func (w *Writer) Tally() Tally {
	return Tally{Batches: w.tally.batches.Load(), Units: w.tally.units.Load(), Waiting: len(w.queue)}
}

// Join adds a participant, one of a type; load reads its state on the writer's
// connection, and what it changes is flushed with the batch it runs in.
// It must be called before the first unit that concerns the participant.
func (w *Writer) Join(ctx context.Context, p Participant, load func(Tx) error) error {
	return w.Submit(ctx, Unit{Apply: func(tx Tx) (func(), error) {
		for _, other := range w.participants {
			if reflect.TypeOf(other) == reflect.TypeOf(p) {
				return nil, ErrJoined
			}
		}
		if err := load(tx); err != nil {
			return nil, err
		}
		w.participants = append(w.participants, p)
		return func() {}, nil
	}})
}

// Submit queues a unit and returns when it is durable, or with the error of
// its Apply or Rows. When ctx ends while the unit still waits, it is dropped
// and ctx's error returned, with ErrFull when there was no place for it; once
// taken, the true outcome is returned.
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
	if err := w.enqueue(ctx, item); err != nil {
		return err
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

// enqueue waits for a place in the queue.
func (w *Writer) enqueue(ctx context.Context, item *waiting) error {
	ended := ctx.Done()
	select {
	case w.queue <- item:
		return nil
	default:
	}
	select {
	case w.queue <- item:
		return nil
	case <-ended:
		return fmt.Errorf("%w: %w", ErrFull, ctx.Err())
	case <-w.done:
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
	return errors.Join(w.own.close(), w.conn.Close())
}

func (w *Writer) run() {
	defer close(w.done)
	for {
		batch, open, err := w.take()
		if err == nil && !open {
			return
		}
		if err == nil {
			err = w.commit(batch)
		}
		if err != nil {
			w.failure = err
			w.log.Error("the writer stops: a batch could not be written", "error", err)
			return
		}
	}
}

// take returns all units that are queued, or waits for the next. It returns
// none when there is a backlog to work off, and open = false when the writer is
// closing and nothing is left.
func (w *Writer) take() (batch []*waiting, open bool, err error) {
	defer w.caught("a participant", &err)
	if batch = w.gather(nil); batch != nil {
		return batch, true, nil
	}
	var idle <-chan time.Time
	if !w.rests && w.backlog() {
		idle = time.After(idleAfter)
	}
	select {
	case item := <-w.queue:
		batch = append(batch, item)
	case <-w.closing:
	case <-idle:
		return nil, true, nil
	}
	batch = w.gather(batch)
	return batch, batch != nil, nil
}

// gather adds what is queued to a batch. As long as that makes it longer, others
// who can run do so first, and may come, too: a batch costs much the same however
// many are in it. Nobody is waited for: where nothing else is to do, a single
// unit is written at once. Packets from 500 senders come in batches of 140, and
// of 28 without this, on two cores.
func (w *Writer) gather(batch []*waiting) []*waiting {
	batch = w.queued(batch)
	for before := 0; len(batch) > before && len(batch) < batchMax; batch = w.queued(batch) {
		before = len(batch)
		runtime.Gosched()
	}
	return batch
}

// queued adds what is queued to a batch, up to batchMax.
func (w *Writer) queued(batch []*waiting) []*waiting {
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

// backlog tells whether a participant has work for an idle turn.
func (w *Writer) backlog() bool {
	for _, p := range w.participants {
		if b, ok := p.(Backlogged); ok && b.Backlog() {
			return true
		}
	}
	return false
}
