package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// but returns the usual sizes with a change.
func but(change func(*ledger.Sizes)) ledger.Sizes {
	s := ledger.CurrentSizes()
	change(&s)
	return s
}

var (
	// tinyPasses index a few transfers at a time, in many slices.
	tinyPasses = but(func(s *ledger.Sizes) {
		s.SegmentFull, s.SegmentIdle, s.SlicePerRow, s.SliceLeast, s.SliceIdle, s.SliceCatch = 24, 12, 1, 5, 7, 11
	})
	// noPasses leave everything in the tail.
	noPasses = but(func(s *ledger.Sizes) { s.SegmentFull, s.SegmentIdle = 1<<30, 1<<30 })
)

// scan adds an account's history up from nothing but the transfers, newest
// first.
func (w *world) scan(account ledger.ID) (lines []ledger.Line) {
	w.t.Helper()
	var debits, credits uint64
	query := fmt.Sprintf(`SELECT seq, id, batch, at, debit, credit, amount, code, reference, packets FROM ledger_transfers
		WHERE x'%s' IN (debit, credit) ORDER BY seq`, hexOf(account))
	w.each(query, func(scan func(...any) error) error {
		var t ledger.Line
		var id []byte
		var batch, at int64
		if err := scan(&t.Seq, &id, &batch, &at, &t.Debit, &t.Credit, &t.Amount, &t.Code, &t.Reference, &t.Packets); err != nil {
			return err
		}
		if t.ID = ledger.PacketsID(batch, t.Seq); id != nil {
			copy(t.ID[:], id)
		}
		if t.Debit == account {
			debits += t.Amount
		} else {
			credits += t.Amount
		}
		t.At, t.Debits, t.Credits = time.UnixMicro(at).UTC(), debits, credits
		lines = append(lines, t)
		return nil
	})
	slices.Reverse(lines)
	return lines
}

// pages reads a whole history, limit lines at a time.
func (w *world) pages(account ledger.ID, limit int) []ledger.Line {
	w.t.Helper()
	var all []ledger.Line
	for before := int64(0); ; {
		page, err := w.ledger.History(context.Background(), account, before, limit)
		if err != nil {
			w.t.Fatalf("history: %v", err)
		}
		all = append(all, page...)
		if len(page) < limit {
			return all
		}
		before = page[limit-1].Seq
	}
}

// sameHistory expects History to show what a scan of the transfers does, page
// by page and from any depth, and Statement what can be added up.
func (w *world) sameHistory(r *rand.Rand, accounts ...ledger.ID) {
	w.t.Helper()
	for _, account := range accounts {
		want := w.scan(account)
		if diff := cmp.Diff(want, w.pages(account, 1+r.IntN(min(len(want)+2, ledger.LinesMost)))); diff != "" {
			w.t.Fatalf("history of %s, page by page: %s", account, diff)
		}
		for range 3 {
			before, limit := r.Int64N(w.lastSeq()+2)+1, 1+r.IntN(20)
			deep := slices.DeleteFunc(slices.Clone(want), func(l ledger.Line) bool { return l.Seq >= before })
			deep = deep[:min(limit, len(deep))]
			got, err := w.ledger.History(context.Background(), account, before, limit)
			if diff := cmp.Diff(deep, got[:len(got):len(got)]); err != nil || diff != "" && len(deep)+len(got) > 0 {
				w.t.Fatalf("%d lines before %d: %v, %s", limit, before, err, diff)
			}
		}
		w.sameStatement(r, account, want)
	}
}

// sameStatement expects a statement between two of the ledger's moments, or
// just beside them, to say what the lines of an account add up to.
func (w *world) sameStatement(r *rand.Rand, account ledger.ID, lines []ledger.Line) {
	w.t.Helper()
	var times []time.Time
	var last []int64 // the last transfer of each batch
	var latest int64
	w.each(`SELECT b.at, coalesce(t.last, 0) FROM batches b
		LEFT JOIN (SELECT batch, max(seq) AS last FROM transfers GROUP BY batch) t ON t.batch = b.seq ORDER BY b.seq`,
		func(scan func(...any) error) error {
			var at, seq int64
			err := scan(&at, &seq)
			latest = max(latest, seq)
			times, last = append(times, time.UnixMicro(at).UTC()), append(last, latest)
			return err
		})
	moment := func() time.Time {
		return times[r.IntN(len(times))].Add(time.Duration(r.IntN(3)-1) * time.Microsecond)
	}
	before := func(t time.Time) (seq int64, debits, credits uint64) {
		for i, at := range times {
			if at.Before(t) {
				seq = last[i]
			}
		}
		for _, line := range lines {
			if line.Seq <= seq {
				return seq, line.Debits, line.Credits
			}
		}
		return seq, 0, 0
	}
	for range 3 {
		from, to := moment(), moment()
		if to.Before(from) {
			from, to = to, from
		}
		var want ledger.Statement
		want.First, want.OpeningDebits, want.OpeningCredits = before(from)
		want.First++
		want.Last, want.ClosingDebits, want.ClosingCredits = before(to)
		got, err := w.ledger.Statement(context.Background(), account, from, to)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			w.t.Fatalf("statement from %s to %s: %v, %s", from, to, err, diff)
		}
	}
}

func (w *world) lastSeq() (seq int64) {
	w.t.Helper()
	w.each("SELECT coalesce(max(seq), 0) FROM transfers", func(scan func(...any) error) error { return scan(&seq) })
	return seq
}

// movement is a chain of one to three transfers, packets or drawings between
// some of the accounts.
func movement(r *rand.Rand, accounts []ledger.ID) (chain ledger.Chain) {
	for range 1 + r.IntN(3) {
		order := r.Perm(len(accounts))
		from, via, to := accounts[order[0]], accounts[order[1]], accounts[order[2]]
		amount := r.Uint64N(5) + 1
		reference := newID()
		switch r.IntN(4) {
		case 0:
			chain = append(chain, ledger.Packet{Debit: from, Credit: to, Amount: amount, Code: 3, Reference: ledger.ID{1}})
		case 1:
			chain = append(chain,
				ledger.OpenHold{Reference: reference, Debit: from, Credit: via, Amount: amount + 1},
				ledger.Draw{ID: newID(), Reference: reference, Debit: from, Credit: via, To: to, Amount: 1},
				ledger.Take{Reference: reference, Debit: from, Credit: via, Toward: to, Amount: amount},
				ledger.Post{Reference: reference, Debit: from, Credit: via, To: to, Amount: amount, Code: 4},
				ledger.CloseHold{Reference: reference, Debit: from, Credit: via})
		default:
			chain = append(chain, transfer(from, to, amount))
		}
	}
	return chain
}

// people opens accounts that have enough for any test.
func (w *world) people(n int) (ids []ledger.ID) {
	w.t.Helper()
	for range n {
		ids = append(ids, w.account(0, 1_000_000))
	}
	return ids
}

// between writes each chain in a batch of its own and calls look after each,
// while the writer waits.
func (w *world) between(look func(i int), chains ...ledger.Chain) {
	w.t.Helper()
	release := func() {}
	defer func() { release() }() // also when look ends the test
	var answers []chan error
	for i := range len(chains) + 1 { // the last unit only makes the writer wait
		u := unit{}
		if i < len(chains) {
			u.chain = chains[i]
		}
		started, released, answer := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		u.rows = func(db.Tx) error { close(started); <-released; return nil }
		ctx := &queuedContext{Context: context.Background(), queued: make(chan struct{})}
		go func() { answer <- w.ledger.Submit(ctx, u.chain, u.rows) }()
		<-ctx.queued
		release()
		select {
		case <-started:
		case err := <-answer:
			w.t.Fatalf("chain %d: %v", i, err)
		}
		release = sync.OnceFunc(func() { close(released) })
		answers = append(answers, answer)
		if i > 0 {
			look(i - 1)
		}
	}
	release()
	for i, answer := range answers {
		if err := <-answer; err != nil {
			w.t.Fatalf("chain %d: %v", i, err)
		}
	}
}

// Whatever has been indexed: history and statements are what a scan of all
// transfers shows, after each slice of each pass.
func TestHistoryAtEachSlice(t *testing.T) {
	withSizes(t, tinyPasses)
	w := newWorld(t)
	r := rand.New(rand.NewPCG(1, 2))
	ids := w.people(4)
	var chains []ledger.Chain
	for range 70 {
		chains = append(chains, movement(r, ids))
	}
	seen := map[string]int{}
	w.between(func(int) {
		p := w.ledger.Pass()
		switch {
		case p.Frozen == 0:
			seen["between passes"]++
		case p.Names > 0:
			seen["among the ids"]++
		case p.History > 0:
			seen["amid the history"]++
		default:
			seen["before the first slice"]++
		}
		w.sameHistory(r, ids[r.IntN(len(ids))])
	}, chains...)
	if len(seen) < 4 {
		t.Errorf("not all moments of a pass were seen: %v", seen)
	}
	w.clean()
}

// A reader between COMMIT and the moment when the ledger hears of it sees one
// state: a statement that ends with a transfer counts it.
func TestAStatementAtTheMomentOfCommit(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(3, 4))
	ids := w.people(3)
	w.want(w.db.Close(), nil)
	g := &gate{}
	w.openWith(g)
	g.committed = func() {
		for _, id := range ids {
			s, err := w.ledger.Statement(context.Background(), id, time.Time{}, time.Now().Add(time.Hour))
			page, err2 := w.ledger.History(context.Background(), id, s.Last+1, 1)
			if err := errors.Join(err, err2); err != nil || len(page) != 1 {
				t.Errorf("%v, %d lines", err, len(page))
				return
			}
			if page[0].Debits != s.ClosingDebits || page[0].Credits != s.ClosingCredits {
				t.Errorf("a statement up to %d ends with %d and %d, the history says %d and %d at %d",
					s.Last, s.ClosingDebits, s.ClosingCredits, page[0].Debits, page[0].Credits, page[0].Seq)
			}
			lines := w.scan(id)
			if i := slices.IndexFunc(lines, func(l ledger.Line) bool { return l.Seq <= s.Last }); i < 0 ||
				lines[i].Debits != s.ClosingDebits || lines[i].Credits != s.ClosingCredits {
				t.Errorf("a statement up to %d ends with %d and %d; the transfers up to there come to others",
					s.Last, s.ClosingDebits, s.ClosingCredits)
			}
		}
	}
	for range 5 {
		w.do(movement(r, ids)...)
	}
}

// gate is a participant that the writer calls beside the ledger: it stops the
// world between a flush, COMMIT and what comes after.
type gate struct {
	flush, committed func()
}

// Flush implements db.Participant.
func (g *gate) Flush(context.Context, db.BatchTx, db.Batch) error {
	if g.flush != nil {
		g.flush()
	}
	return nil
}

// Committed implements db.Participant.
func (g *gate) Committed() {
	if g.committed != nil {
		g.committed()
	}
}

// openWith opens the world with a gate that is called before the ledger is.
func (w *world) openWith(g *gate) {
	w.t.Helper()
	d, err := db.Open(context.Background(), db.Options{URL: "sqlite:" + w.path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatalf("open: %v", err)
	}
	w.db = d
	w.want(d.Writer.Join(context.Background(), g, func(db.Tx) error { return nil }), nil)
	if w.ledger, err = ledger.Open(context.Background(), d); err != nil {
		w.t.Fatalf("open the ledger: %v", err)
	}
}

// acknowledged are the transfers of an account that were answered.
type acknowledged struct {
	mu  sync.Mutex
	ids []ledger.ID
}

func (a *acknowledged) add(id ledger.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids = append(a.ids, id)
}

func (a *acknowledged) list() []ledger.ID {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.ids)
}

// Readers see everything that was acknowledged before they asked, newest first,
// each transfer once, with totals that follow from line to line, while others
// write and the index is behind.
func TestHistoryBesideWriters(t *testing.T) {
	const writers, each = 6, 60
	withSizes(t, tinyPasses)
	w := newWorld(t)
	ids := w.people(4)
	acked := make([]acknowledged, len(ids))
	stop := make(chan struct{})
	var readers, running sync.WaitGroup
	for reader := range 3 {
		r := rand.New(rand.NewPCG(5, uint64(reader)))
		readers.Go(func() {
			for until(stop) {
				i := r.IntN(len(ids))
				before := acked[i].list()
				w.consecutive(ids[i], w.pages(ids[i], 1+r.IntN(400)), before)
				w.pastStatement(ids[i])
			}
		})
	}
	readers.Go(func() { // whose quick looks meet the ends of passes
		for until(stop) {
			for _, id := range ids {
				page, err := w.ledger.History(t.Context(), id, 0, 60)
				if err != nil || len(page) == 0 {
					t.Errorf("%d lines, %v", len(page), err)
				} else if len(page) == 60 {
					w.consecutive(id, page, nil)
				}
			}
		}
	})
	for writer := range writers {
		r := rand.New(rand.NewPCG(6, uint64(writer)))
		running.Go(func() {
			for range each {
				chain := movement(r, ids)
				if err := w.submit(chain...); err != nil {
					t.Error(err)
					return
				}
				for _, command := range chain {
					if moved, named := command.(ledger.Transfer); named {
						acked[slices.Index(ids, moved.Debit)].add(moved.ID)
						acked[slices.Index(ids, moved.Credit)].add(moved.ID)
					}
				}
			}
		})
	}
	running.Wait()
	close(stop)
	readers.Wait()
	w.sameHistory(rand.New(rand.NewPCG(7, 0)), ids...)
	w.want(w.ledger.CatchUp(t.Context()), nil)
	w.sameHistory(rand.New(rand.NewPCG(8, 0)), ids...)
	w.indexComplete()
	w.clean()
}

// consecutive expects an account's lines, newest first and without a gap: each
// is the one before it and a transfer. Without
// acknowledged transfers they may be a page of more.
func (w *world) consecutive(account ledger.ID, lines []ledger.Line, acked []ledger.ID) {
	w.t.Helper()
	shown := map[ledger.ID]bool{}
	for i, line := range lines {
		debits, credits := line.Debits, line.Credits
		if line.Debit == account {
			debits -= line.Amount
		} else {
			credits -= line.Amount
		}
		var older ledger.Line
		if i+1 < len(lines) {
			older = lines[i+1]
		} else if len(acked) == 0 {
			break // a page
		}
		if older.Seq >= line.Seq || older.Debits != debits || older.Credits != credits {
			w.t.Errorf("line %d of %s is %+v, the next %+v", i, account, line, older)
			return
		}
		if shown[line.ID] {
			w.t.Errorf("%s is shown twice", line.ID)
		}
		shown[line.ID] = true
	}
	for _, id := range acked {
		if !shown[id] {
			w.t.Errorf("transfer %s was acknowledged and isn't shown", id)
		}
	}
}

// pastStatement expects that a statement up to a moment that is over ends with
// what the line of that moment says.
func (w *world) pastStatement(account ledger.ID) {
	w.t.Helper()
	page, err := w.ledger.History(context.Background(), account, 0, 1)
	if err != nil || len(page) == 0 {
		w.t.Errorf("%d lines, %v", len(page), err)
		return
	}
	newest := page[0]
	s, err := w.ledger.Statement(context.Background(), account, time.Time{}, newest.At.Add(time.Microsecond))
	if err != nil || s.OpeningDebits+s.OpeningCredits != 0 || s.First != 1 || s.Last < newest.Seq ||
		s.ClosingDebits != newest.Debits || s.ClosingCredits != newest.Credits {
		w.t.Errorf("statement %+v, %v; the newest line was %+v", s, err, newest)
	}
}

func TestBadPages(t *testing.T) {
	w := newWorld(t)
	ann := w.account(0, 10)
	for limit, want := range map[int]error{0: ledger.ErrLimit, -1: ledger.ErrLimit, 1: nil, ledger.LinesMost: nil, ledger.LinesMost + 1: ledger.ErrLimit} {
		_, err := w.ledger.History(t.Context(), ann, 0, limit)
		w.want(err, want)
	}
	_, err := w.ledger.History(t.Context(), newID(), 0, 1)
	w.want(err, ledger.ErrAccountUnknown)
	_, err = w.ledger.Statement(t.Context(), newID(), time.Time{}, time.Now())
	w.want(err, ledger.ErrAccountUnknown)
	page, err := w.ledger.History(t.Context(), ledger.HouseAccount(eur, ledger.CodeEquity), 0, 1)
	if err != nil || len(page) != 0 {
		t.Errorf("a quiet account's history is %v, %v", page, err)
	}
}
