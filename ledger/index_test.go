package ledger_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// indexComplete expects the index to have a row for everything up to the
// watermark, and nothing that the transfers don't say.
func (w *world) indexComplete() {
	w.t.Helper()
	const passed = "SELECT account, seq, sum(debits) OVER p, sum(credits) OVER p FROM (" +
		"SELECT debit AS account, seq, amount AS debits, 0 AS credits FROM transfers UNION ALL " +
		"SELECT credit, seq, 0, amount FROM transfers) WINDOW p AS (PARTITION BY account ORDER BY seq)"
	for _, differ := range []string{
		"SELECT * FROM history EXCEPT SELECT * FROM (" + passed + ")",
		"SELECT * FROM (SELECT * FROM (" + passed + ") EXCEPT SELECT * FROM history) WHERE seq <= (SELECT seq FROM indexed)",
		"SELECT id, seq FROM transfer_ids EXCEPT SELECT id, seq FROM transfers",
		`SELECT id, seq FROM transfers WHERE id IS NOT NULL AND seq <= (SELECT seq FROM indexed)
			EXCEPT SELECT id, seq FROM transfer_ids`,
	} {
		if found := rows(w.t, w.db.Read, differ); len(found) > 0 {
			w.t.Errorf("index and transfers differ in %d rows, first %s: %s", len(found), found[0], differ)
		}
	}
}

// idFrom is a new id of a time.
func idFrom(t time.Time) ledger.ID {
	id := newID()
	for i, ms := 5, t.UnixMilli(); i >= 0; i-- {
		id[i], ms = byte(ms), ms>>8
	}
	return id
}

// A chain that is repeated is recognised wherever its ids are: in the tail, in
// a pass that is under way, in the last one, or on disk only; and so is one
// that has an old id and another body.
func TestIDsAreFoundAgain(t *testing.T) {
	withSizes(t, tinyPasses)
	w := newWorld(t)
	r := rand.New(rand.NewPCG(11, 1))
	ids := w.people(4)
	var chains []ledger.Chain
	for i := range 150 {
		moved := transfer(ids[i%4], ids[(i+1)%4], 1)
		if i%3 == 0 { // most ids grow, some come late
			moved.ID = idFrom(time.Now().Add(-time.Duration(r.IntN(1_000_000)) * time.Millisecond))
		}
		chain := ledger.Chain{moved}
		if i%5 == 0 {
			chain = append(chain, transfer(ids[(i+1)%4], ids[(i+2)%4], 1))
		}
		chains = append(chains, chain)
	}
	repeat := func(chain ledger.Chain) {
		w.want(w.submit(chain...), ledger.ErrExists)
		other := chain[0].(ledger.Transfer)
		other.Amount++
		w.want(w.submit(other), ledger.ErrExistsDifferent)
		if len(chain) > 1 {
			w.want(w.submit(chain[0], transfer(ids[0], ids[1], 1)), ledger.ErrExistsDifferent)
		}
	}
	for i, chain := range chains {
		w.do(chain...)
		if i%10 == 9 {
			for range 8 {
				repeat(chains[r.IntN(i+1)])
			}
		}
	}
	for _, prepare := range []func(){
		func() {},
		w.reopen,
		func() { w.want(w.ledger.CatchUp(t.Context()), nil) },
		w.reopen,
	} {
		prepare()
		w.unchanged(func() {
			for _, chain := range chains {
				repeat(chain)
			}
		})
	}
	for range 100 { // ids between the old ones are new
		fresh := transfer(ids[0], ids[1], 1)
		fresh.ID = idFrom(time.Now().Add(-time.Duration(r.IntN(1_000_000)) * time.Millisecond))
		w.do(fresh)
		w.want(w.submit(fresh), ledger.ErrExists)
	}
	w.indexComplete()
	w.clean()
}

// The ids that have just left memory are looked for on disk, also the highest.
func TestTheHighestIDsAreFoundAgain(t *testing.T) {
	withSizes(t, but(func(s *ledger.Sizes) { s.SegmentFull, s.SegmentIdle = 4, 1<<30 }))
	w := newWorld(t)
	ids := w.people(2)
	high := transfer(ids[0], ids[1], 1) // of a time to come: higher than all that follow
	high.ID = idFrom(time.Now().Add(4 * time.Minute))
	w.do(high)
	for range 8 { // each pass moves the one before out of memory
		for range 5 {
			w.do(transfer(ids[0], ids[1], 1))
		}
		w.want(w.ledger.CatchUp(t.Context()), nil)
		w.want(w.submit(high), ledger.ErrExists)
	}
}

// A pass that is interrupted, after any slice, is done again with whatever
// sizes: what it left behind is no obstacle.
func TestAnInterruptedPass(t *testing.T) {
	withSizes(t, but(func(s *ledger.Sizes) { s.SegmentFull, s.SegmentIdle, s.SlicePerRow, s.SliceLeast = 40, 1<<30, 1, 3 }))
	w := newWorld(t)
	r := rand.New(rand.NewPCG(12, 0))
	ids := w.people(4)
	var chains []ledger.Chain
	for range 80 {
		chains = append(chains, movement(r, ids))
	}
	var left []string // databases as they were in the middle of a pass
	w.between(func(int) {
		if p := w.ledger.Pass(); p.Frozen > 0 && r.IntN(3) == 0 {
			left = append(left, w.asKilled(t))
		}
	}, chains...)
	if len(left) < 8 {
		t.Errorf("only %d moments of a pass", len(left))
	}
	w.want(w.db.Close(), nil)
	for _, path := range left {
		ledger.SetSizes(but(func(s *ledger.Sizes) { // this test's end sets the usual ones again
			s.SegmentFull, s.SegmentIdle, s.SliceLeast, s.SliceIdle = 1+r.IntN(60), 1+r.IntN(60), 1+r.IntN(10), 1+r.IntN(10)
		}))
		again := &world{t: t, path: path, usd: w.usd, eur: w.eur}
		again.open()
		again.sameHistory(r, ids...)
		for range 3 {
			again.do(movement(r, ids)...)
		}
		again.want(again.ledger.CatchUp(t.Context()), nil)
		again.sameHistory(r, ids[r.IntN(4)])
		again.indexComplete()
		again.clean()
		again.want(again.db.Close(), nil)
	}
}

// asKilled copies the database as it is now, the writer being between two
// batches, as a killed process would leave it. It returns where the copy is.
func (w *world) asKilled(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pochi.db")
	for _, ending := range []string{"", "-wal"} {
		content, err := os.ReadFile(w.path + ending)
		if err == nil {
			err = os.WriteFile(path+ending, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// CatchUp indexes all that was committed before it, whoever writes meanwhile.
func TestCatchUp(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(13, 0))
	ids := w.people(3)
	for range 20 {
		for range r.IntN(20) {
			w.do(movement(r, ids)...)
		}
		last := w.lastSeq()
		w.want(w.ledger.CatchUp(t.Context()), nil)
		if mark, err := w.ledger.Watermark(t.Context()); err != nil || mark < last {
			t.Errorf("indexed up to %d of %d, %v", mark, last, err)
		}
		w.indexComplete()
	}
	w.sameHistory(r, ids...)
	w.clean()
}

func TestCatchUpBesideWriters(t *testing.T) {
	const enough = 40_000 // transfers: a CatchUp that waits for the writers to rest would never return
	w := newWorld(t)
	ids := w.people(2)
	stop := make(chan struct{})
	var moved atomic.Int64
	var writers sync.WaitGroup
	for range 1500 { // more than come into a batch: there is always somebody who waits
		writers.Go(func() {
			for until(stop) {
				if err := w.submit(transfer(ids[0], ids[1], 1), transfer(ids[1], ids[0], 1)); err != nil {
					t.Error(err)
					return
				}
				moved.Add(2)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 3 {
		last, start := w.lastSeq(), moved.Load()
		done := make(chan error, 1)
		go func() { done <- w.ledger.CatchUp(ctx) }()
		for caught := false; !caught; {
			select {
			case err := <-done:
				caught = true
				w.want(err, nil)
			default:
				if moved.Load()-start > enough {
					t.Errorf("CatchUp has not returned after %d transfers of others", enough)
					cancel()
					<-done
					caught = true
				} else {
					w.lastSeq() // the readers' pool paces this loop
				}
			}
		}
		if ctx.Err() != nil {
			break
		}
		if mark, err := w.ledger.Watermark(t.Context()); err != nil || mark < last {
			t.Errorf("indexed up to %d of %d, %v", mark, last, err)
		}
	}
	close(stop)
	writers.Wait()
}

// A caller of CatchUp that goes away harms nobody.
func TestCatchUpIsCancelled(t *testing.T) {
	w := newWorld(t)
	ids := w.people(2)
	w.do(transfer(ids[0], ids[1], 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.want(w.ledger.CatchUp(ctx), context.Canceled)
	w.do(transfer(ids[0], ids[1], 1))
	w.want(w.ledger.CatchUp(t.Context()), nil)
	w.indexComplete()
}

// Rows of the index that nobody wrote: the writer stops at them, and nothing of
// the batch is committed.
func TestDamageInTheIndexStopsTheWriter(t *testing.T) {
	for name, damage := range map[string]string{
		"debits of a later line":   "INSERT INTO history SELECT debit, seq, 0, 0 FROM transfers ORDER BY seq DESC LIMIT 1",
		"credits of a later line":  "INSERT INTO history SELECT credit, seq, 0, 1 FROM transfers ORDER BY seq DESC LIMIT 1",
		"an id that is elsewhere":  "INSERT INTO transfer_ids SELECT id, 1 FROM transfers WHERE id IS NOT NULL ORDER BY seq DESC LIMIT 1",
		"an id that is to come":    "INSERT INTO transfer_ids SELECT id, seq + 7 FROM transfers WHERE id IS NOT NULL ORDER BY seq DESC LIMIT 1",
		"a watermark that is gone": "DELETE FROM indexed",
		"a watermark too far":      "UPDATE indexed SET seq = 1000000",
	} {
		t.Run(name, func(t *testing.T) {
			withSizes(t, noPasses)
			w := newWorld(t)
			r := rand.New(rand.NewPCG(14, 0))
			ids := w.people(3)
			w.want(w.ledger.CatchUp(t.Context()), nil)
			for range 10 {
				w.do(movement(r, ids)...)
			}
			w.do(transfer(ids[0], ids[1], 3))
			w.want(w.db.Write(t.Context(), func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), damage)
				return err
			}), nil)
			before, last := rows(t, w.db.Read, "SELECT seq FROM indexed"), w.lastSeq()
			done := make(chan error, 1)
			go func() { done <- w.ledger.CatchUp(t.Context()) }()
			if err := <-done; !errors.Is(err, db.ErrStopped) {
				t.Fatalf("got %v, want the writer to stop", err)
			}
			w.want(w.submit(transfer(ids[0], ids[1], 1)), db.ErrStopped)
			<-w.db.Writer.Done()
			if w.db.Writer.Err() == nil {
				t.Error("the writer has no reason")
			}
			if diff := cmp.Diff(before, rows(t, w.db.Read, "SELECT seq FROM indexed")); diff != "" || w.lastSeq() != last {
				t.Errorf("something was committed: %d, %s", w.lastSeq(), diff)
			}
		})
	}
}

// What a crash left above the watermark is ignored, whatever it says.
func TestRowsAboveTheWatermarkAreIgnored(t *testing.T) {
	withSizes(t, noPasses)
	w := newWorld(t)
	r := rand.New(rand.NewPCG(15, 0))
	ids := w.people(3)
	w.want(w.ledger.CatchUp(t.Context()), nil)
	for range 10 {
		w.do(movement(r, ids)...)
	}
	w.want(w.db.Write(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO history
			SELECT debit, seq, 7, 7 FROM transfers WHERE seq > (SELECT seq FROM indexed)
			UNION ALL SELECT credit, seq, 9, 9 FROM transfers WHERE seq > (SELECT seq FROM indexed)`)
		return err
	}), nil)
	w.sameHistory(r, ids...)
	w.reopen()
	w.sameHistory(r, ids...)
}

// An id is one transfer's, however many ask for it at once, and whatever the
// index does meanwhile.
func TestOneIDManyCallers(t *testing.T) {
	withSizes(t, tinyPasses)
	w := newWorld(t)
	ids := w.people(2)
	var old []ledger.Transfer
	for range 200 {
		moved := transfer(ids[0], ids[1], 1)
		if len(old)%2 == 0 {
			moved.ID = idFrom(time.Now().Add(-time.Hour))
		}
		old = append(old, moved)
	}
	posted := make([]atomic.Int32, len(old))
	var callers sync.WaitGroup
	for caller := range 8 {
		r := rand.New(rand.NewPCG(16, uint64(caller)))
		callers.Go(func() {
			for _, i := range r.Perm(len(old)) {
				switch err := w.submit(old[i]); {
				case err == nil:
					posted[i].Add(1)
				case !errors.Is(err, ledger.ErrExists):
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	for i := range posted {
		if n := posted[i].Load(); n != 1 {
			t.Errorf("transfer %d was posted %d times", i, n)
		}
	}
	w.balance(ids[1], 1_000_200, 1_000_200)
	if twice := rows(t, w.db.Read, "SELECT id FROM transfers WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1"); len(twice) > 0 {
		t.Errorf("%d ids are there twice", len(twice))
	}
	w.clean()
}

// No client's id is that of a transfer of packets.
func TestPacketsIDs(t *testing.T) {
	seen := map[ledger.ID]bool{}
	for _, batch := range []int64{1, 2, 1 << 20, 1<<48 - 1} {
		for _, seq := range []int64{1, 2, 1 << 20, 1<<62 - 1} {
			id := ledger.PacketsID(batch, seq)
			if id.Version() != 8 || id.Variant() != uuid.RFC4122 || seen[id] {
				t.Errorf("batch %d, transfer %d: %s", batch, seq, id)
			}
			seen[id] = true
		}
	}
}
