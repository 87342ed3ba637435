package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// smallReads makes Check read a few rows at once, and leave little to SQLite.
func smallReads(t *testing.T) {
	t.Helper()
	before := ledger.SetCheckSizes(ledger.CheckSizes{PageRows: 40, BucketRows: 8, SmallFile: 0, SmallTable: 20})
	t.Cleanup(func() { ledger.SetCheckSizes(before) })
}

// smallSegments makes a ledger that is opened from now on index a few transfers
// at once.
func smallSegments(t *testing.T) {
	t.Helper()
	before := ledger.SetSizes(ledger.Sizes{
		Accounts: 8, Holds: 8, QuietAfter: 20, SegmentFull: 60, SegmentIdle: 30, SlicePerRow: 4, SliceLeast: 8, SliceIdle: 50, SliceCatch: 1000,
	})
	t.Cleanup(func() { ledger.SetSizes(before) })
}

// load is what writers do all the time while a wallet is checked.
type load struct {
	w      *world
	people []ledger.ID
	peer   ledger.ID
	stop   atomic.Bool
	done   sync.WaitGroup
	moves  atomic.Int64
}

// newLoad starts writers.
func newLoad(w *world, writers int) *load {
	l := &load{w: w, peer: newID()}
	for range 12 {
		l.people = append(l.people, w.account(1000, 100_000))
	}
	w.do(ledger.OpenAccount{ID: l.peer, Ledger: w.usd, Code: ledger.CodePeer, Limit: 1 << 40})
	for range writers {
		l.done.Go(func() {
			for !l.stop.Load() {
				l.move()
			}
		})
	}
	return l
}

func (l *load) end() {
	l.stop.Store(true)
	l.done.Wait()
}

// move does something of everything. What the ledger refuses is fine: writers
// spend what others need.
func (l *load) move() {
	order := rand.Perm(len(l.people))
	a, b, c := l.people[order[0]], l.people[order[1]], l.people[order[2]]
	ref := newID()
	l.try(transfer(a, b, 7), transfer(b, c, 3))
	l.try(ledger.OpenHold{Reference: ref, Debit: a, Credit: b, Amount: 100})
	l.try(ledger.Take{Reference: ref, Debit: a, Credit: b, Toward: l.peer, Amount: 60})
	l.try(ledger.Post{Reference: ref, Debit: a, Credit: b, To: l.peer, Amount: 20, Code: 1})
	l.try(ledger.Draw{ID: newID(), Reference: ref, Debit: a, Credit: b, To: c, Amount: 11})
	l.try(ledger.Release{Reference: ref, Debit: a, Credit: b, Amount: 40}, ledger.Packet{Debit: c, Credit: a, Amount: 1, Code: 2, Reference: ref})
	if rand.IntN(4) > 0 {
		l.try(ledger.CloseHold{Reference: ref, Debit: a, Credit: b})
	}
	l.try(ledger.Take{Reference: ref, Debit: l.peer, Credit: c, Toward: c, Amount: 9, Unreserved: true})
	l.try(ledger.Post{Reference: ref, Debit: l.peer, Credit: c, To: c, Amount: 9, Code: 1})
	l.try(ledger.SetLimit{ID: b, Limit: uint64(rand.IntN(2000))})
	id := newID()
	l.try(ledger.OpenAccount{ID: id, Ledger: l.w.usd, Code: 42}, transfer(a, id, 1))
	l.try(transfer(id, a, 1), ledger.CloseAccount{ID: id})
	l.moves.Add(1)
}

func (l *load) try(commands ...ledger.Command) {
	err := l.w.submit(commands...)
	if refused := (*ledger.Error)(nil); err != nil && !errors.As(err, &refused) {
		l.w.t.Errorf("%+v: %v", commands, err)
	}
}

// A running wallet is never said to be damaged.
func TestCheckBesideARunningWallet(t *testing.T) {
	smallReads(t)
	smallSegments(t)
	w := newWorld(t)
	l := newLoad(w, 4)
	beside, err := db.OpenReadOnly(t.Context(), "sqlite:"+w.path)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	for range 12 {
		report := checkIn(t, beside)
		if len(report.Defects) > 0 {
			t.Fatalf("Check found %v", report.Defects)
		}
	}
	l.end()
	if l.moves.Load() == 0 {
		t.Error("nobody wrote")
	}
	w.clean()
	w.want(w.ledger.CatchUp(t.Context()), nil)
	w.clean()
	w.reopen()
	w.clean()
}

// Between its pages a check holds nothing back: each time the whole write-ahead
// log can be given up, whatever was written since. And a page is small.
func TestCheckReadsShort(t *testing.T) {
	smallReads(t)
	smallSegments(t)
	w := newWorld(t)
	l := newLoad(w, 0)
	for range 40 {
		l.move()
	}
	other, err := sql.Open("sqlite3", "file:"+w.path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var last ledger.Progress
	calls := 0
	report, err := ledger.Check(t.Context(), w.db.Read, ledger.CheckOptions{Progress: func(p ledger.Progress) {
		if calls++; calls%10 == 1 && calls < 500 {
			l.move() // there is something to check in each of the tables
		}
		var busy, pages, moved int
		if err := other.QueryRow("PRAGMA wal_checkpoint(RESTART)").Scan(&busy, &pages, &moved); err != nil || busy != 0 || pages != moved {
			t.Fatalf("after %+v the log is held back: busy %d, %d of %d pages, %v", p, busy, moved, pages, err)
		}
		if p.Transfers < last.Transfers || p.Total < last.Total || p.Rows < last.Rows || p.Transfers > p.Total {
			t.Errorf("%+v comes after %+v", p, last)
		}
		if p.Transfers > last.Transfers+80 || p.Rows > last.Rows+80 {
			t.Errorf("from %+v to %+v in one read", last, p)
		}
		last = p
	}})
	w.want(err, nil)
	if len(report.Defects) > 0 {
		t.Errorf("Check found %v", report.Defects)
	}
	if last.Transfers != last.Total || last.Transfers != int64(report.Transfers) || calls < 20 {
		t.Errorf("it ended with %+v after %d reads, %d transfers", last, calls, report.Transfers)
	}
}

// Where sums differ the rows are named: those that were changed and no others.
func TestCheckNamesRowsBehindSums(t *testing.T) {
	smallReads(t)
	w := newWorld(t)
	ann, ben := w.account(0, 10_000), w.account(0, 0)
	for range 100 {
		hold := ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 10}
		w.do(hold, ledger.Draw{ID: newID(), Reference: hold.Reference, Debit: ann, Credit: ben, To: ben, Amount: 4})
		w.do(ledger.CloseHold{Reference: hold.Reference, Debit: ann, Credit: ben})
	}
	w.want(w.ledger.CatchUp(t.Context()), nil)
	w.clean()
	w.want(w.db.Close(), nil)
	original, err := os.ReadFile(w.path)
	w.want(err, nil)
	const hold, index = ledger.DefectHold, ledger.DefectIndex
	tests := map[string]struct {
		stmt string
		want map[string]int
	}{
		"a closed hold":                  {"UPDATE holds SET returned = 7 WHERE n = 33", map[string]int{hold: 1}},
		"two closed holds":               {"UPDATE holds SET drawn = 7 WHERE n IN (33, 77)", map[string]int{hold: 2}},
		"closed holds exchanged":         {"UPDATE holds SET n = 1000 WHERE n = 33; UPDATE holds SET n = 33 WHERE n = 34; UPDATE holds SET n = 34 WHERE n = 1000", map[string]int{hold: 2}},
		"a closed hold missing":          {"DELETE FROM holds WHERE n = 50", map[string]int{hold: 1}},
		"the last closed hold missing":   {"DELETE FROM holds WHERE n = 100", map[string]int{hold: 1}},
		"a closed hold too many":         {"INSERT INTO holds SELECT 1000, zeroblob(16), debit, credit, 0, 0, 4, 6, NULL, 0, 0, 1 FROM holds WHERE n = 1", map[string]int{hold: 1}},
		"a line":                         {"UPDATE history SET debits = debits + 1 WHERE seq = 40 AND debits > 0", map[string]int{index: 1}},
		"two lines in one transfer":      {"UPDATE history SET debits = debits + 1 WHERE seq = 40", map[string]int{index: 2}},
		"lines moved to another account": {"UPDATE history SET account = 1 WHERE seq = 40 AND debits > 0", map[string]int{index: 2}},
		"totals of two lines exchanged":  {"UPDATE history SET debits = 4 * (80 - seq) WHERE seq IN (40, 41) AND debits > 0", map[string]int{index: 2}},
		"an id":                          {"DELETE FROM transfer_ids WHERE seq = 40", map[string]int{index: 1}},
		"an id too many":                 {"INSERT INTO transfer_ids VALUES (zeroblob(16), 40)", map[string]int{index: 1}},
		"all of a kind":                  {"UPDATE holds SET returned = returned + 1", map[string]int{hold: 100}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "pochi.db")
			if err := os.WriteFile(path, original, 0o600); err != nil {
				t.Fatal(err)
			}
			tamper(t, path, test.stmt)
			ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
			if err != nil {
				t.Fatal(err)
			}
			defer ro.Close()
			report := checkIn(t, ro)
			got := map[string]int{}
			for _, d := range report.Defects {
				got[d.Name]++
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n%v", diff, report.Defects)
			}
		})
	}
}

// What is wrong a thousand times is not said more often.
func TestCheckNamesSoManyAndNoMore(t *testing.T) {
	w := newWorld(t)
	var chain ledger.Chain
	for range 1100 {
		chain = append(chain, ledger.OpenAccount{ID: newID(), Ledger: w.usd, Code: 42})
	}
	w.do(chain...)
	w.want(w.db.Close(), nil)
	tamper(t, w.path, "UPDATE accounts SET debit_limit = 3 WHERE code = 42")
	ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+w.path)
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	if report := checkIn(t, ro); len(report.Defects) != 1001 {
		t.Errorf("%d defects", len(report.Defects))
	}
}

// SQLite looks at everything when nobody writes, and at what is small otherwise.
func TestCheckLetsSQLiteLook(t *testing.T) {
	smallReads(t)
	path := history(t)
	// An index that lacks what the table has: only SQLite can tell.
	tamper(t, path, "CREATE TABLE spare (v INTEGER NOT NULL CHECK (v > 0)) STRICT; PRAGMA ignore_check_constraints = 1; "+
		"INSERT INTO spare WITH RECURSIVE s(v) AS (SELECT -50 UNION ALL SELECT v + 1 FROM s WHERE v < 0) SELECT v FROM s")
	ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	for alone, want := range map[bool]bool{true: true, false: false} {
		report, err := ledger.Check(t.Context(), ro.Read, ledger.CheckOptions{Alone: alone})
		if err != nil {
			t.Fatal(err)
		}
		broken := func(d ledger.Defect) bool { return d.Name == ledger.DefectDatabase }
		if got := slices.ContainsFunc(report.Defects, broken); got != want {
			t.Errorf("alone %t: %v", alone, report.Defects)
		}
	}
}

// followed is an Observer that sums up what it is told, for itself.
type followed struct {
	t      *testing.T
	totals map[int64][2]uint64
	pages  int
}

func (f *followed) Posted(p *ledger.Posted) {
	d, c := f.totals[p.DebitN], f.totals[p.CreditN]
	d[0] += p.Amount
	c[1] += p.Amount
	f.totals[p.DebitN], f.totals[p.CreditN] = d, c
}

func (f *followed) Resolved(ledger.Resolved) {}

func (f *followed) Compare(ctx context.Context, tx db.Tx) (defects []ledger.Defect, done bool, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT n, debits_posted, credits_posted FROM accounts")
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var found [2]uint64
		if err := rows.Scan(&n, &found[0], &found[1]); err != nil {
			return nil, false, err
		}
		if found != f.totals[n] {
			defects = append(defects, ledger.Defect{Name: "mine", Detail: fmt.Sprint(n, found, f.totals[n])})
		}
	}
	f.pages++
	return defects, f.pages == 20, rows.Err()
}

// An observer is told all that a snapshot shows, before it compares.
func TestCheckTellsObservers(t *testing.T) {
	smallReads(t)
	w := newWorld(t)
	l := newLoad(w, 3)
	defer l.end()
	f := &followed{t: t, totals: map[int64][2]uint64{}}
	report, err := ledger.Check(t.Context(), w.db.Read, ledger.CheckOptions{Observers: []ledger.Observer{f}})
	w.want(err, nil)
	if len(report.Defects) > 0 || f.pages != 20 {
		t.Errorf("%d pages, defects %v", f.pages, report.Defects)
	}
}

func TestCheckThatIsInterrupted(t *testing.T) {
	smallReads(t)
	w := newWorld(t)
	l := newLoad(w, 0)
	for range 10 {
		l.move()
	}
	var err error
	for after := 0; after == 0 || err != nil; after++ {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		_, err = ledger.Check(ctx, w.db.Read, ledger.CheckOptions{Progress: func(ledger.Progress) {
			if calls++; calls > after {
				cancel()
			}
		}})
		cancel()
		if err != nil {
			w.want(err, context.Canceled)
		} else if after < 10 {
			t.Errorf("%d reads were all", after)
		}
	}
	w.clean()
}

// However much is written beside a check, it keeps no more transfers than the
// index is behind.
func TestCheckKeepsWhatIsNotIndexed(t *testing.T) {
	smallReads(t)
	smallSegments(t)
	w := newWorld(t)
	l := newLoad(w, 0)
	for range 40 {
		l.move()
	}
	var most ledger.CheckState
	calls := 0
	report, err := ledger.CheckWatched(t.Context(), w.db.Read, func(s ledger.CheckState) {
		if calls++; calls < 150 {
			l.move() // in each of the check's phases
		}
		most.Total, most.Transfers, most.IDs = s.Total, max(most.Transfers, s.Transfers), max(most.IDs, s.IDs)
	})
	w.want(err, nil)
	if len(report.Defects) > 0 {
		t.Errorf("Check found %v", report.Defects)
	}
	if behind := 200; most.Total < 1000 || most.Transfers > behind || most.IDs > behind {
		t.Errorf("it kept %+v", most)
	}
}

// What is settled while the check goes on is compared nevertheless.
func TestCheckNamesWhatIsSettledMeanwhile(t *testing.T) {
	smallReads(t)
	smallSegments(t)
	for name, stmt := range map[string]string{
		"nothing":        "UPDATE history SET debits = debits WHERE seq = ?",
		"a line":         "UPDATE history SET debits = debits + 1 WHERE seq = ? AND debits > 0",
		"a line missing": "DELETE FROM history WHERE seq = ?",
		"a line more":    "INSERT INTO history SELECT 1000000, seq, 1, 1 FROM transfers WHERE seq = ?",
		"an id missing":  "DELETE FROM transfer_ids WHERE seq = ?",
		"an id more":     "INSERT INTO transfer_ids SELECT x'ffffffffffffffffffffffffffffffff', seq FROM transfers WHERE seq = ?",
	} {
		for _, comparing := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", name, comparing), func(t *testing.T) {
				w := newWorld(t)
				l := newLoad(w, 0)
				for range 12 {
					l.move()
				}
				other, err := sql.Open("sqlite3", "file:"+w.path+"?_busy_timeout=5000")
				if err != nil {
					t.Fatal(err)
				}
				defer other.Close()
				done := false
				report, err := ledger.CheckWatched(t.Context(), w.db.Read, func(s ledger.CheckState) {
					if done || s.ComparesTheIndex != comparing {
						return
					}
					done = true
					l.move()
					w.want(w.ledger.CatchUp(t.Context()), nil)
					var seq int64
					w.want(other.QueryRow("SELECT max(seq) FROM transfers WHERE id IS NOT NULL").Scan(&seq), nil)
					_, err := other.Exec(stmt, seq)
					w.want(err, nil)
				})
				w.want(err, nil)
				if got, want := len(report.Defects) > 0, name != "nothing"; got != want {
					t.Errorf("defects %v", report.Defects)
				}
				for _, d := range report.Defects {
					if d.Name != ledger.DefectIndex {
						t.Errorf("%+v", d)
					}
				}
			})
		}
	}
}
