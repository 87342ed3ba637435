package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/db"

	"github.com/google/go-cmp/cmp"
)

var errOwn = errors.New("the unit's own reason")

// row inserts an asset: a row that any test may write.
func row(code string) func(db.Tx) error {
	return func(tx db.Tx) error {
		_, err := tx.ExecContext(context.Background(), "INSERT INTO assets (code, scale) VALUES (?, 2)", code)
		return err
	}
}

func insert(t *testing.T, d *db.DB, code string) error {
	t.Helper()
	return d.Write(t.Context(), row(code))
}

// codes reads back what row inserted, in order.
func codes(t *testing.T, d *db.DB) []string {
	t.Helper()
	return column(t, d.Read, "SELECT code FROM assets ORDER BY ledger")
}

// queuedContext tells when Submit has queued its unit: Submit then asks a
// second time when the context is done.
type queuedContext struct {
	context.Context
	asked  atomic.Int32
	begun  chan struct{} // Submit looks for a place in the queue
	queued chan struct{}
}

func newQueuedContext(parent context.Context) *queuedContext {
	return &queuedContext{Context: parent, begun: make(chan struct{}), queued: make(chan struct{})}
}

func (c *queuedContext) Done() <-chan struct{} {
	switch c.asked.Add(1) {
	case 1:
		close(c.begun)
	case 2:
		close(c.queued)
	}
	return c.Context.Done()
}

// submission is a unit that waits in the queue.
type submission struct{ answer chan error }

// queue submits a unit and returns when it waits in the queue.
func queue(ctx context.Context, w *db.Writer, unit db.Unit) submission {
	s := submission{make(chan error, 1)}
	queued := newQueuedContext(ctx)
	go func() { s.answer <- w.Submit(queued, unit) }()
	<-queued.queued
	return s
}

// occupy keeps the writer busy with a batch of its own until release is
// called: what is queued meanwhile is taken together.
func occupy(t *testing.T, w *db.Writer) (release func()) {
	t.Helper()
	started, released := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := w.Submit(context.Background(), db.Unit{Apply: func(db.Tx) (func(), error) {
			close(started)
			<-released
			return func() {}, nil
		}})
		if err != nil {
			t.Errorf("the unit that occupies the writer: %v", err)
		}
	})
	<-started
	return func() { close(released); wg.Wait() }
}

// together submits units that are taken in one batch, in this order, and
// returns their answers.
func together(t *testing.T, w *db.Writer, units ...db.Unit) []error {
	t.Helper()
	release := occupy(t, w)
	var waiting []submission
	for _, unit := range units {
		waiting = append(waiting, queue(t.Context(), w, unit))
	}
	release()
	var answers []error
	for _, s := range waiting {
		answers = append(answers, <-s.answer)
	}
	return answers
}

// stopped expects that a writer stopped for a reason and refuses all else.
func stopped(t *testing.T, w *db.Writer, reason string) {
	t.Helper()
	if err := w.Submit(t.Context(), db.Unit{Rows: row("late")}); !errors.Is(err, db.ErrStopped) {
		t.Fatalf("the writer goes on: got error %v", err)
	}
	<-w.Done()
	if err := w.Err(); err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("the writer stopped with %v, want %q", err, reason)
	}
}

// reopened closes a database whatever happened to it and reads its rows.
func reopened(t *testing.T, d *db.DB, path string) []string {
	t.Helper()
	check(t, d.Close(), nil)
	return codes(t, open(t, options(path)))
}

func TestCommittedWhenSubmitReturns(t *testing.T) {
	d := open(t, options(newPath(t)))
	var wg sync.WaitGroup
	for caller := range 16 {
		wg.Go(func() {
			for i := range 20 {
				code := fmt.Sprintf("%d-%d", caller, i)
				if err := insert(t, d, code); err != nil {
					t.Error(err)
				}
				var n int
				err := d.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM assets WHERE code = ?", code).Scan(&n)
				if err != nil || n != 1 {
					t.Errorf("%s: found %d, %v", code, n, err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(codes(t, d)); got != 320 {
		t.Errorf("%d rows", got)
	}
}

// TestSeqMovesWithWhatIsWritten: whoever reads the number first and then the rows has nothing newer to find under it.
func TestSeqMovesWithWhatIsWritten(t *testing.T) {
	d := open(t, options(newPath(t)))
	before := d.Writer.Seq()
	if err := insert(t, d, "AAA"); err != nil {
		t.Fatal(err)
	}
	after := d.Writer.Seq()
	if after <= before {
		t.Errorf("the number stayed %d", after)
	}
	if err := insert(t, d, "AAA"); err == nil {
		t.Fatal("the same row was written twice")
	}
	if got := d.Writer.Seq(); got != after {
		t.Errorf("a unit that failed moved the number from %d to %d", after, got)
	}
}

func TestAFailingUnitHarmsNoNeighbour(t *testing.T) {
	d := open(t, options(newPath(t)))
	var log []string // what happened in memory; the writer's goroutine alone appends
	unit := func(name string, applyErr error, rows func(db.Tx) error) db.Unit {
		return db.Unit{Rows: rows, Apply: func(db.Tx) (func(), error) {
			if applyErr != nil {
				return nil, applyErr
			}
			log = append(log, name)
			return func() { log = append(log, "undo "+name) }, nil
		}}
	}
	both := func(rows ...func(db.Tx) error) func(db.Tx) error {
		return func(tx db.Tx) error {
			for _, r := range rows {
				if err := r(tx); err != nil {
					return err
				}
			}
			return nil
		}
	}
	refuse := func(db.Tx) error { return errOwn }
	answers := together(t, d.Writer,
		unit("a", nil, row("A")),
		unit("b", nil, both(row("B"), row("A"))), // UNIQUE
		unit("c", nil, both(row("C"), refuse)),
		unit("d", errOwn, row("D")),
		unit("e", nil, nil),
		db.Unit{Rows: row("F")},
		db.Unit{},
		unit("g", nil, both(row("B"), row("C"))), // both are free again
	)
	for i, want := range []string{"", "UNIQUE", errOwn.Error(), errOwn.Error(), "", "", "", ""} {
		if got := fmt.Sprint(answers[i]); (want == "") != (answers[i] == nil) || !strings.Contains(got, want) {
			t.Errorf("unit %d: got error %s, want %q", i, got, want)
		}
	}
	if diff := cmp.Diff([]string{"A", "F", "B", "C"}, codes(t, d)); diff != "" {
		t.Errorf("rows: %s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "undo b", "c", "undo c", "e", "g"}, log); diff != "" {
		t.Errorf("memory: %s", diff)
	}
	if got := column(t, d.Read, "SELECT seq FROM head"); !cmp.Equal(got, []string{"2"}) {
		t.Errorf("head at %v: the units were not one batch", got)
	}
}

// A deferred constraint that a failing unit broke is whole again when the unit
// is rolled back.
func TestDeferredConstraintOfAFailingUnit(t *testing.T) {
	d := open(t, options(newPath(t)))
	dangling := func(tx db.Tx) error {
		_, err := tx.ExecContext(context.Background(), `
			PRAGMA defer_foreign_keys = 1;
			INSERT INTO sessions VALUES (zeroblob(32), zeroblob(16), '', '', 0, 0, 0);`)
		return errors.Join(errOwn, err)
	}
	answers := together(t, d.Writer, db.Unit{Rows: dangling}, db.Unit{Rows: row("A")})
	check(t, answers[0], errOwn)
	check(t, answers[1], nil)
}

// A person's account whose ledger account never comes is for check to find: it
// harms no neighbour.
func TestAnAccountWithoutALedgerAccount(t *testing.T) {
	d := open(t, options(newPath(t)))
	answers := together(t, d.Writer, db.Unit{Rows: func(tx db.Tx) error {
		_, err := tx.ExecContext(context.Background(), `
			INSERT INTO users VALUES (zeroblob(16), 'ann@example.com', 'Ann', 'x', 1);
			INSERT INTO wallet_accounts VALUES (zeroblob(16), zeroblob(16), 'Main', 0, 1);`)
		return err
	}}, db.Unit{Rows: row("A")})
	check(t, errors.Join(answers...), nil)
}

func TestAPanicStopsTheWriter(t *testing.T) {
	units := map[string]db.Unit{
		"rows":  {Rows: func(tx db.Tx) error { panic(errors.Join(errOwn, row("B")(tx))) }},
		"apply": {Apply: func(db.Tx) (func(), error) { panic(errOwn) }},
	}
	for name, unit := range units {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			d := open(t, options(path))
			answers := together(t, d.Writer, db.Unit{Rows: row("A")}, unit, db.Unit{Rows: row("C")})
			for _, err := range answers {
				check(t, err, db.ErrStopped)
			}
			stopped(t, d.Writer, errOwn.Error())
			if got := reopened(t, d, path); got != nil {
				t.Errorf("on disk: %v", got)
			}
		})
	}
}

func TestCancelledWhileWaiting(t *testing.T) {
	d := open(t, options(newPath(t)))
	release := occupy(t, d.Writer)
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := queue(ctx, d.Writer, db.Unit{
		Apply: func(db.Tx) (func(), error) { t.Error("it was applied"); return func() {}, nil },
		Rows:  row("A"),
	})
	stays := queue(t.Context(), d.Writer, db.Unit{Rows: row("B")})
	cancel()
	err := <-gaveUp.answer // while the writer is occupied
	check(t, err, context.Canceled)
	if errors.Is(err, db.ErrFull) {
		t.Errorf("it had a place: %v", err)
	}
	release()
	check(t, <-stays.answer, nil)
	if got := codes(t, d); !cmp.Equal(got, []string{"B"}) {
		t.Errorf("rows %v", got)
	}
}

// A batch of nothing but units whose callers gave up leaves no trace.
func TestAllCancelledWhileWaiting(t *testing.T) {
	d := open(t, options(newPath(t)))
	release := occupy(t, d.Writer)
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := queue(ctx, d.Writer, db.Unit{Rows: row("A")})
	cancel()
	check(t, <-gaveUp.answer, context.Canceled)
	release()
	check(t, insert(t, d, "B"), nil)
	if got := codes(t, d); !cmp.Equal(got, []string{"B"}) {
		t.Errorf("rows %v", got)
	}
}

func TestCancelledBefore(t *testing.T) {
	d := open(t, options(newPath(t)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		check(t, d.Write(ctx, row("A")), context.Canceled)
	}
	check(t, insert(t, d, "B"), nil)
	if got := codes(t, d); !cmp.Equal(got, []string{"B"}) {
		t.Errorf("rows %v", got)
	}
}

func TestCancelledWhenTaken(t *testing.T) {
	d := open(t, options(newPath(t)))
	ctx, cancel := context.WithCancel(t.Context())
	check(t, d.Write(ctx, func(tx db.Tx) error {
		cancel()
		_, err := tx.ExecContext(ctx, "INSERT INTO assets (code, scale) VALUES ('A', 2)")
		return err
	}), nil)
	ctx, cancel = context.WithCancel(t.Context())
	check(t, d.Write(ctx, func(db.Tx) error { cancel(); return errOwn }), errOwn)
	if got := codes(t, d); !cmp.Equal(got, []string{"A"}) {
		t.Errorf("rows %v", got)
	}
}

// SQLite answers an interrupted write by rolling the whole transaction back,
// neighbours included: so a caller can't interrupt one.
func TestCancelledMidStatement(t *testing.T) {
	d := open(t, options(newPath(t)))
	ctx, cancel := context.WithCancel(t.Context())
	running := make(chan struct{})
	go func() { <-running; cancel() }()
	release := occupy(t, d.Writer)
	before := queue(t.Context(), d.Writer, db.Unit{Rows: row("A")})
	long := queue(ctx, d.Writer, db.Unit{Rows: func(tx db.Tx) error {
		close(running)
		_, err := tx.ExecContext(ctx, `INSERT INTO assets (code, scale)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT 'long', max(i) % 2 FROM n`)
		return err
	}})
	after := queue(t.Context(), d.Writer, db.Unit{Rows: row("B")})
	release()
	for _, s := range []submission{before, long, after} {
		check(t, <-s.answer, nil)
	}
	if got := codes(t, d); !cmp.Equal(got, []string{"A", "long", "B"}) {
		t.Errorf("rows %v", got)
	}
}

func TestAFullQueueHoldsCallersBack(t *testing.T) {
	d := open(t, options(newPath(t)))
	release := occupy(t, d.Writer)
	var waiting []submission
	for range db.QueueMax {
		waiting = append(waiting, queue(t.Context(), d.Writer, db.Unit{}))
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := newQueuedContext(ctx)
	answer := make(chan error, 1)
	go func() { answer <- d.Writer.Submit(asked, db.Unit{Rows: row("A")}) }()
	<-asked.begun
	select {
	case <-asked.queued:
		t.Error("a unit found a place in a full queue")
	case err := <-answer:
		t.Errorf("a full queue answered %v", err)
	default:
	}
	cancel()
	err := <-answer
	check(t, err, context.Canceled)
	check(t, err, db.ErrFull)
	release()
	for _, s := range waiting {
		check(t, <-s.answer, nil)
	}
	check(t, insert(t, d, "B"), nil)
	if got := codes(t, d); !cmp.Equal(got, []string{"B"}) {
		t.Errorf("rows %v", got)
	}
}

func TestCloseDrains(t *testing.T) {
	path := newPath(t)
	d := open(t, options(path))
	release := occupy(t, d.Writer)
	var waiting []submission
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprint(i))
		waiting = append(waiting, queue(t.Context(), d.Writer, db.Unit{Rows: row(want[i])}))
	}
	closed := make(chan error, 1)
	go func() { closed <- d.Close() }()
	release()
	check(t, <-closed, nil)
	for _, s := range waiting {
		check(t, <-s.answer, nil)
	}
	check(t, insert(t, d, "late"), db.ErrStopped)
	<-d.Writer.Done()
	check(t, d.Writer.Err(), nil)
	if diff := cmp.Diff(want, codes(t, open(t, options(path)))); diff != "" {
		t.Error(diff)
	}
}

// Callers that submit while the database closes are told the truth: a row is
// there exactly when its Submit returned nil.
func TestSubmitWhileClosing(t *testing.T) {
	path := newPath(t)
	d := open(t, options(path))
	var committed sync.Map
	var wg sync.WaitGroup
	begun := make(chan struct{}, 8)
	for caller := range cap(begun) {
		wg.Go(func() {
			for i := 0; ; i++ {
				code := fmt.Sprintf("%d-%d", caller, i)
				if err := insert(t, d, code); err != nil {
					check(t, err, db.ErrStopped)
					return
				}
				committed.Store(code, true)
				if i == 3 {
					begun <- struct{}{}
				}
			}
		})
	}
	for range cap(begun) {
		<-begun
	}
	check(t, d.Close(), nil)
	wg.Wait()
	onDisk := codes(t, open(t, options(path)))
	for _, code := range onDisk {
		if _, told := committed.LoadAndDelete(code); !told {
			t.Errorf("%s is on disk, its caller was told otherwise", code)
		}
	}
	committed.Range(func(code, _ any) bool { t.Errorf("%s was lost", code); return true })
}

func TestFencing(t *testing.T) {
	for _, change := range []string{"seq = seq + 1", "epoch = epoch + 1"} {
		t.Run(change, func(t *testing.T) {
			path := newPath(t)
			d := open(t, options(path))
			check(t, insert(t, d, "A"), nil)
			other := outside(t, path)
			exec(t, other, "UPDATE head SET "+change)
			answers := atOnce(t, d.Writer, db.Unit{Rows: row("B")}, db.Unit{Rows: row("C")})
			for _, err := range answers {
				check(t, err, db.ErrStopped)
			}
			stopped(t, d.Writer, db.ErrFenced.Error())
			check(t, d.Writer.Err(), db.ErrFenced)
			var head db.Head // the other writer had sealed what it wrote
			check(t, other.QueryRowContext(t.Context(), "SELECT seq, epoch, at FROM head").Scan(&head.Seq, &head.Epoch, &head.At), nil)
			exec(t, other, fmt.Sprintf("UPDATE head SET seal = x'%x'", head.Seal()))
			if got := reopened(t, d, path); !cmp.Equal(got, []string{"A"}) {
				t.Errorf("on disk: %v", got)
			}
		})
	}
}

// atOnce submits units at once, in one batch or in several.
func atOnce(t *testing.T, w *db.Writer, units ...db.Unit) []error {
	t.Helper()
	answers := make([]error, len(units))
	var wg sync.WaitGroup
	for i, unit := range units {
		wg.Go(func() { answers[i] = w.Submit(t.Context(), unit) })
	}
	wg.Wait()
	return answers
}

// participant is one whose Flush a test decides.
type participant struct {
	flush     func(tx db.BatchTx, b db.Batch) error
	committed func()
}

func (p *participant) Flush(_ context.Context, tx db.BatchTx, b db.Batch) error {
	return p.flush(tx, b)
}

func (p *participant) Committed() {
	if p.committed != nil {
		p.committed()
	}
}

func join(t *testing.T, d *db.DB, p *participant) {
	t.Helper()
	check(t, d.Writer.Join(t.Context(), p, func(db.Tx) error { return nil }), nil)
}

func TestFlushErrorStopsTheWriter(t *testing.T) {
	path := newPath(t)
	d := open(t, options(path))
	var fail bool // set on the writer's goroutine
	join(t, d, &participant{
		flush: func(tx db.BatchTx, _ db.Batch) error {
			if !fail {
				return nil
			}
			return errors.Join(errOwn, row("flushed")(tx))
		},
		committed: func() {
			if fail {
				t.Error("Committed was called")
			}
		},
	})
	check(t, insert(t, d, "A"), nil)
	answers := together(t, d.Writer,
		db.Unit{Rows: row("B")},
		db.Unit{Apply: func(db.Tx) (func(), error) { fail = true; return func() {}, nil }},
		db.Unit{Rows: func(db.Tx) error { return errors.New("a unit's own error is unknown, too") }},
	)
	for _, err := range answers {
		check(t, err, db.ErrStopped)
		check(t, err, errOwn)
	}
	stopped(t, d.Writer, errOwn.Error())
	if got := reopened(t, d, path); !cmp.Equal(got, []string{"A"}) {
		t.Errorf("on disk: %v", got)
	}
}

func TestAParticipantsPanicStopsTheWriter(t *testing.T) {
	tests := map[string]struct {
		in   string
		want []string // on disk
	}{
		"flush":     {"flush", []string{"A"}},
		"committed": {"committed", []string{"A", "B"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			d := open(t, options(path))
			var armed bool // set on the writer's goroutine
			bomb := func(in string) {
				if armed && in == test.in {
					panic(errOwn)
				}
			}
			join(t, d, &participant{
				flush:     func(db.BatchTx, db.Batch) error { bomb("flush"); return nil },
				committed: func() { bomb("committed") },
			})
			check(t, insert(t, d, "A"), nil)
			answers := together(t, d.Writer, db.Unit{Rows: row("B")},
				db.Unit{Apply: func(db.Tx) (func(), error) { armed = true; return func() {}, nil }})
			for _, err := range answers {
				check(t, err, db.ErrStopped)
			}
			stopped(t, d.Writer, errOwn.Error())
			if diff := cmp.Diff(test.want, reopened(t, d, path)); diff != "" {
				t.Errorf("on disk: %s", diff)
			}
		})
	}
}

func TestJoinThatCannotLoad(t *testing.T) {
	d := open(t, options(newPath(t)))
	p := &participant{flush: func(db.BatchTx, db.Batch) error { t.Error("it takes part"); return nil }}
	check(t, d.Writer.Join(t.Context(), p, func(db.Tx) error { return errOwn }), errOwn)
	check(t, insert(t, d, "A"), nil)
}

func TestParticipantsSeeEachBatchOnce(t *testing.T) {
	d := open(t, options(newPath(t)))
	var seqs []int64
	var flushed, committed int
	join(t, d, &participant{
		flush:     func(_ db.BatchTx, b db.Batch) error { seqs = append(seqs, b.Seq); flushed++; return nil },
		committed: func() { committed++ },
	})
	for i := range 5 {
		check(t, insert(t, d, fmt.Sprint(i)), nil)
		check(t, d.Write(t.Context(), func(db.Tx) error { return errOwn }), errOwn) // nothing to commit: no batch
	}
	check(t, d.Close(), nil)
	if flushed != 6 || committed != 6 { // its own batch and five
		t.Errorf("%d flushed, %d committed", flushed, committed)
	}
	if want := []int64{1, 2, 3, 4, 5, 6}; !slices.Equal(seqs, want) {
		t.Errorf("batches %v, want %v", seqs, want)
	}
}

func TestBusy(t *testing.T) {
	path := newPath(t)
	d := open(t, options(path))
	check(t, d.Write(t.Context(), func(tx db.Tx) error { // there is one write connection: this is it
		_, err := tx.ExecContext(t.Context(), "PRAGMA busy_timeout = 1")
		return err
	}), nil)
	other := outside(t, path)
	exec(t, other, "BEGIN IMMEDIATE")
	check(t, d.Writer.Submit(t.Context(), db.Unit{
		Apply: func(db.Tx) (func(), error) { t.Error("it was applied"); return func() {}, nil },
		Rows:  row("A"),
	}), db.ErrBusy)
	exec(t, other, "ROLLBACK")
	check(t, insert(t, d, "B"), nil)
	if got := codes(t, d); !cmp.Equal(got, []string{"B"}) {
		t.Errorf("rows %v", got)
	}
}

// A database that can't be written any more is not busy.
func TestBeginThatFailsStopsTheWriter(t *testing.T) {
	d := open(t, options(newPath(t)))
	join(t, d, &participant{
		flush:     func(db.BatchTx, db.Batch) error { return nil },
		committed: func() { check(t, d.OnWriter(t.Context(), "PRAGMA query_only = 1"), nil) },
	})
	check(t, insert(t, d, "A"), db.ErrStopped)
	stopped(t, d.Writer, "begin")
}

func TestBatchTimesGrow(t *testing.T) {
	path := newPath(t)
	start := time.Date(2026, 7, 1, 12, 0, 0, 123_456_789, time.UTC)
	steps := []time.Duration{0, 0, -time.Hour, -time.Minute, time.Second, time.Second}
	var at []time.Time
	for _, half := range [][]time.Duration{steps[:3], steps[3:]} { // opened again in between
		opts, calls := options(path), 0
		opts.Now = func() time.Time { calls++; return start.Add(half[calls-1]).In(time.FixedZone("far", 9*3600)) }
		d := open(t, opts)
		join(t, d, &participant{flush: func(_ db.BatchTx, b db.Batch) error { at = append(at, b.At); return nil }})
		for range half[1:] {
			check(t, insert(t, d, fmt.Sprint(len(at))), nil)
		}
		check(t, d.Close(), nil)
	}
	first := start.Truncate(time.Microsecond)
	want := []time.Time{
		first, first.Add(time.Microsecond), first.Add(2 * time.Microsecond),
		first.Add(3 * time.Microsecond), first.Add(time.Second), first.Add(time.Second + time.Microsecond),
	}
	if diff := cmp.Diff(want, at); diff != "" {
		t.Error(diff)
	}
	for _, a := range at {
		if a.Location() != time.UTC {
			t.Errorf("%v is not in UTC", a)
		}
	}
}

// fill lets the database grow by a few pages only, as a full disk does.
func fill(t *testing.T, d *db.DB) {
	t.Helper()
	check(t, d.Write(t.Context(), func(tx db.Tx) error {
		var pages int
		if err := tx.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
			return err
		}
		return tx.QueryRowContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages+2)).Scan(&pages)
	}), nil)
}

// SQLite may roll the whole transaction back when a statement finds no room. A
// later unit must not commit alone then, whatever the one that failed told.
func TestAFullDiskStopsTheWriter(t *testing.T) {
	big := func(tx db.Tx) error {
		_, err := tx.ExecContext(context.Background(), "INSERT INTO users VALUES (zeroblob(16), hex(randomblob(100000)), 'Ann', 'x', 1)")
		return errors.Join(errOwn, err)
	}
	goOn := func(tx db.Tx) { // each of these would commit alone
		ctx := context.Background()
		if row("alone")(tx) == nil {
			t.Error("a statement ran outside of the transaction")
		}
		const stmt = "INSERT INTO assets (code, scale) VALUES ('alone', 3) RETURNING ledger"
		var ledger int
		if err := tx.QueryRowContext(ctx, stmt).Scan(&ledger); err == nil {
			t.Error("a query of a row ran outside of the transaction")
		}
		if rows, err := tx.QueryContext(ctx, stmt); err == nil {
			t.Error("a query ran outside of the transaction")
			rows.Close()
		}
	}
	units := map[string]db.Unit{
		"rows tell":  {Rows: big},
		"rows hide":  {Rows: func(tx db.Tx) error { _ = big(tx); return nil }},
		"rows go on": {Rows: func(tx db.Tx) error { _ = big(tx); goOn(tx); return nil }},
		"apply goes on": {Apply: func(tx db.Tx) (func(), error) {
			_ = big(tx)
			goOn(tx)
			return func() {}, nil
		}},
		"apply tells": {Apply: func(tx db.Tx) (func(), error) { return nil, big(tx) }},
		"apply hides": {Apply: func(tx db.Tx) (func(), error) { _ = big(tx); return func() {}, nil }},
	}
	memory := db.Unit{Apply: func(db.Tx) (func(), error) { return func() {}, nil }}
	for name, unit := range units {
		for neighbour, after := range map[string]db.Unit{"rows": {Rows: row("C")}, "memory": memory} {
			t.Run(name+" before "+neighbour, func(t *testing.T) {
				path := newPath(t)
				d := open(t, options(path))
				join(t, d, &participant{flush: func(tx db.BatchTx, b db.Batch) error {
					if b.Seq <= 3 { // those of join, fill and together
						return nil
					}
					return row("flushed")(tx)
				}})
				fill(t, d)
				answers := together(t, d.Writer, db.Unit{Rows: row("A")}, unit, after)
				for i, err := range answers {
					if !errors.Is(err, db.ErrStopped) {
						t.Errorf("unit %d: got error %v, want %v", i, err, db.ErrStopped)
					}
					if errors.Is(err, errOwn) {
						t.Errorf("unit %d: it was told a neighbour's reason: %v", i, err)
					}
				}
				stopped(t, d.Writer, "")
				if got := reopened(t, d, path); got != nil {
					t.Errorf("on disk: %v", got)
				}
			})
		}
	}
}
