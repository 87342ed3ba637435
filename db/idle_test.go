package db_test

import (
	"context"
	"fmt"
	"testing"

	"pochi/db"

	"github.com/google/go-cmp/cmp"
)

// backlogged is a participant with turns of work that can wait.
type backlogged struct {
	participant
	left int           // the writer's goroutine alone uses it; below 0: for ever
	idle chan struct{} // told when the last turn is committed
	ask  func()        // what Backlog does first
}

func (b *backlogged) Backlog() bool {
	if b.ask != nil {
		b.ask()
	}
	return b.left != 0
}

// newBacklogged returns one whose every flush is a turn and runs during.
func newBacklogged(left int, during func()) *backlogged {
	b := &backlogged{left: left, idle: make(chan struct{}, 1)}
	var last bool
	b.flush = func(db.BatchTx, db.Batch) error {
		if b.left != 0 {
			b.left--
			last = b.left == 0
			during()
		}
		return nil
	}
	b.committed = func() {
		if last {
			last = false
			b.idle <- struct{}{}
		}
	}
	return b
}

func nothing(db.Tx) error { return nil }

func TestIdleTurnsWorkABacklogOff(t *testing.T) {
	d := open(t, options(newPath(t)))
	b := newBacklogged(5, func() {})
	check(t, d.Writer.Join(t.Context(), b, nothing), nil) // the first turn is its own batch
	<-b.idle
	check(t, insert(t, d, "A"), nil)
	if got := column(t, d.Read, "SELECT seq FROM head"); !cmp.Equal(got, []string{"6"}) {
		t.Errorf("head at %v", got)
	}
}

// A unit that comes while a backlog is worked off is in the next batch.
func TestUnitsGoBeforeABacklog(t *testing.T) {
	d := open(t, options(newPath(t)))
	var log []string
	var waiting []submission
	turns := 0
	b := newBacklogged(6, func() {
		turns++
		log = append(log, "turn")
		if turns%2 == 0 {
			name := fmt.Sprint("unit ", turns)
			waiting = append(waiting, queue(context.Background(), d.Writer, db.Unit{Apply: func(db.Tx) (func(), error) {
				log = append(log, name)
				return func() {}, nil
			}}))
		}
	})
	check(t, d.Writer.Join(t.Context(), b, nothing), nil)
	<-b.idle
	for _, s := range waiting {
		check(t, <-s.answer, nil)
	}
	want := []string{"turn", "turn", "unit 2", "turn", "turn", "unit 4", "turn", "turn", "unit 6"}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Error(diff)
	}
}

// Units that were all refused leave nothing to write, but a backlog does.
func TestRefusedUnitsAndABacklog(t *testing.T) {
	d := open(t, options(newPath(t)))
	b := newBacklogged(0, func() {})
	check(t, d.Writer.Join(t.Context(), b, nothing), nil)
	refuse := func(left int) db.Unit {
		return db.Unit{Apply: func(db.Tx) (func(), error) { b.left = left; return nil, errOwn }}
	}
	for left, head := range []string{"1", "2", "4"} { // two turns for the last
		check(t, d.Writer.Submit(t.Context(), refuse(left)), errOwn)
		if left > 0 {
			<-b.idle
		}
		if got := column(t, d.Read, "SELECT seq FROM head"); !cmp.Equal(got, []string{head}) {
			t.Errorf("backlog of %d: head at %v, want %s", left, got, head)
		}
	}
}

func TestCloseLeavesABacklog(t *testing.T) {
	path := newPath(t)
	d := open(t, options(path))
	busy := make(chan struct{}, 1)
	b := newBacklogged(-1, func() {
		select {
		case busy <- struct{}{}:
		default:
		}
	})
	check(t, d.Writer.Join(t.Context(), b, nothing), nil)
	<-busy
	check(t, insert(t, d, "A"), nil)
	check(t, d.Close(), nil)
	check(t, d.Writer.Err(), nil)
	if got := codes(t, open(t, options(path))); !cmp.Equal(got, []string{"A"}) {
		t.Errorf("on disk: %v", got)
	}
}

func TestABacklogsPanicStopsTheWriter(t *testing.T) {
	d := open(t, options(newPath(t)))
	b := newBacklogged(0, func() {})
	b.ask = func() { panic(errOwn) }
	check(t, d.Writer.Join(t.Context(), b, nothing), nil)
	<-d.Writer.Done()
	stopped(t, d.Writer, errOwn.Error())
}

// A database that another program locks is not asked again and again.
func TestABacklogOfABusyDatabase(t *testing.T) {
	path := newPath(t)
	d := open(t, options(path))
	check(t, d.OnWriter(t.Context(), "PRAGMA busy_timeout = 1"), nil)
	other := outside(t, path)
	exec(t, other, "BEGIN IMMEDIATE")
	asked := 0
	b := newBacklogged(0, func() {})
	b.ask = func() { asked++ }
	check(t, d.Writer.Join(t.Context(), b, nothing), db.ErrBusy)
	exec(t, other, "ROLLBACK")
	check(t, d.Writer.Join(t.Context(), b, nothing), nil)
	check(t, turn(t, d), nil)

	locked := make(chan struct{})
	turns := 0
	b.flush = func(db.BatchTx, db.Batch) error { turns++; b.left = max(0, b.left-1); return nil }
	b.committed = func() { // the next turn finds the database locked
		if turns == 1 {
			b.left = 2
			exec(t, other, "BEGIN IMMEDIATE")
			asked = 0
			close(locked)
		}
	}
	check(t, turn(t, d), nil)
	<-locked
	for range 3 {
		check(t, turn(t, d), db.ErrBusy)
	}
	exec(t, other, "ROLLBACK")
	check(t, insert(t, d, "A"), nil)
	check(t, d.Close(), nil)
	if asked > 20 {
		t.Errorf("the backlog was asked for %d times", asked)
	}
}
