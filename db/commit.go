package db

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/mattn/go-sqlite3"
)

// commit runs a batch in one transaction and answers its units. Without units
// it is an idle turn.
func (w *Writer) commit(items []*waiting) error {
	ctx := context.Background() // a batch has many callers: none of them may cancel it
	if err := w.own.exec("BEGIN IMMEDIATE"); isBusy(err) {
		w.log.Warn("a batch could not begin", "error", err)
		w.rests = len(items) == 0
		for _, item := range items {
			item.answer <- fmt.Errorf("%w: %w", ErrBusy, err)
		}
		return nil
	} else if err != nil {
		return w.fail(items, fmt.Errorf("begin: %w", err))
	}
	w.rests = false
	answers := make([]error, len(items))
	done := 0
	for i, item := range items {
		if !item.taken.CompareAndSwap(false, true) {
			continue // its caller gave up
		}
		var err error
		if answers[i], err = w.apply(item.unit); err != nil {
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

// finish writes what the batch's units did; when each was refused and nobody
// has a backlog there is nothing to write. A participant's panic stops the writer as its error does:
// memory and disk may differ.
func (w *Writer) finish(ctx context.Context, done int) (err error) {
	defer w.caught("a participant", &err)
	if done == 0 && !w.backlog() {
		return w.own.exec("ROLLBACK")
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
	if err := w.own.exec("COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	w.head.Seq, w.head.At = batch.Seq, batch.At.UnixMicro()
	w.tally.batches.Add(1)
	w.tally.units.Add(uint64(done))
	for _, p := range w.participants {
		p.Committed()
	}
	w.seq.Store(batch.Seq)
	return nil
}

// apply runs one unit. The first error is the caller's; the second means that
// the transaction itself is broken: it goes to all callers and doesn't wrap the
// first, which one of them might take for its own. So does a panic: nobody knows how much of
// the unit it left behind in memory.
func (w *Writer) apply(unit Unit) (failed, broken error) {
	defer w.caught("a unit", &broken)
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
	if err := w.own.exec("SAVEPOINT unit"); err != nil {
		return nil, fmt.Errorf("savepoint: %w", err)
	}
	failed = unit.Rows(w.tx)
	if failed != nil {
		undo()
		if err := w.tx.alive(); err != nil {
			return nil, fmt.Errorf("after a unit's rows (their error: %v): %w", failed, err)
		}
		if err := w.own.exec("ROLLBACK TO unit"); err != nil {
			return nil, fmt.Errorf("roll back a unit (its error: %v): %w", failed, err)
		}
	}
	if err := w.own.exec("RELEASE unit"); err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	return failed, nil
}

// caught, deferred, makes an error of a panic.
func (w *Writer) caught(who string, err *error) {
	if reason := recover(); reason != nil {
		w.log.Error(who+" panicked", "reason", reason, "stack", string(debug.Stack()))
		*err = fmt.Errorf("%s panicked: %v", who, reason)
	}
}

// fail rolls the batch back and tells each caller that the outcome is to be
// read again after a restart.
func (w *Writer) fail(items []*waiting, cause error) error {
	if !errors.Is(w.tx.alive(), errGone) {
		if err := w.own.exec("ROLLBACK"); err != nil {
			cause = errors.Join(cause, fmt.Errorf("roll back: %w", err))
		}
	}
	for _, item := range items {
		item.answer <- fmt.Errorf("%w: %w", ErrStopped, cause)
	}
	return cause
}
