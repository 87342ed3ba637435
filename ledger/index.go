package ledger

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"

	"pochi/db"
)

// The index follows the transfers. Two tables find a transfer, by its id and by
// its accounts; kept up to date with every batch they would cost more than all
// the rest, because their rows are scattered. So what is committed and not yet
// indexed stays in memory as well, the tail. When enough has come together, or
// nothing else is to do, it becomes a segment: a goroutine sorts it, and the
// batches that follow insert it slice by slice, in the order of the tables. The
// watermark moves with the last slice. Readers take what is up to the
// watermark from the tables and the rest from the tail.

// Sizes of segments and slices. Variables, so that tests can make them small.
var (
	segmentFull  = 1 << 17 // transfers
	segmentIdle  = 1 << 12 // transfers, when nothing else is to do
	slicePerRow  = 4       // rows of the index for each transfer of the batch: it needs three
	sliceLeast   = 256     // rows, in any batch
	sliceAtIdle  = 1 << 12 // rows, when nothing else is to do
	sliceCatchUp = 1 << 14 // rows, when somebody waits for the index
	recentIDs    = 1 << 12 // of an indexed segment, that stay in memory
)

// tailEntry is a transfer that isn't indexed: its accounts by number, with
// their posted totals after it. One of packets has no id.
type tailEntry struct {
	seq           int64
	id            ID
	named         bool
	debit, credit endpoint
}

type endpoint struct {
	account         int64
	debits, credits uint64
}

// segment is a part of the tail.
type segment struct {
	entries []tailEntry
	ids     map[ID]int64      // their seqs
	of      map[int64][]int32 // the places of each account's entries

	// Once it is frozen:
	sorted  chan struct{} // closed when the goroutine has sorted it
	largest ID            // of the ids
	history []historyRow
	names   []nameRow
	done    int // rows that were inserted, of history and then of names
}

type historyRow struct {
	account, seq    int64
	debits, credits uint64
}

type nameRow struct {
	id  ID
	seq int64
}

func newSegment() *segment { return &segment{ids: map[ID]int64{}, of: map[int64][]int32{}} }

func (s *segment) add(entries []tailEntry) {
	for i := range entries {
		e, place := &entries[i], int32(len(s.entries))
		s.of[e.debit.account] = append(s.of[e.debit.account], place)
		s.of[e.credit.account] = append(s.of[e.credit.account], place)
		s.entries = append(s.entries, *e)
		if e.named {
			s.ids[e.id] = e.seq
		}
	}
}

// rows is how many rows the index gets.
func (s *segment) rows() int { return len(s.history) + len(s.names) }

// index is the tail and what is being indexed of it. The writer's goroutine
// changes it; readers hold the lock.
type index struct {
	mu     sync.RWMutex
	fresh  *segment // grows
	frozen *segment // is being indexed; nil when nothing is
	last   *segment // was indexed last: its ids are the recent ones
	newest int64    // the number of the last transfer that is here or in the tables

	wake    func() // has the writer look for a backlog
	values  []driver.Value
	highest ID    // of all ids that left memory: a larger one is either in memory or new
	indexed int64 // the number of the last transfer that is in the tables
	wanted  int64 // somebody waits until this one is
	pending bool  // the batch that is being written completes the frozen segment
}

func (x *index) init(highest ID, watermark int64, tail []tailEntry) {
	x.fresh, x.last, x.highest, x.newest, x.indexed = newSegment(), newSegment(), highest, watermark, watermark
	x.extend(tail)
}

// extend adds what was committed to the tail.
func (x *index) extend(written []tailEntry) {
	x.fresh.add(written)
	if len(written) > 0 {
		x.newest = written[len(written)-1].seq
	}
}

// recent returns the number of the transfer with an id, if it is in memory.
func (x *index) recent(id ID) (seq int64, here bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.inMemory(id)
}

// inMemory is recent for the writer's goroutine, which needs no lock.
func (x *index) inMemory(id ID) (seq int64, here bool) {
	for _, s := range []*segment{x.fresh, x.frozen, x.last} {
		if s == nil {
			continue
		}
		if seq, here := s.ids[id]; here {
			return seq, true
		}
	}
	return 0, false
}

// find returns the number of the transfer with an id, or sql.ErrNoRows.
func (x *index) find(tx db.Tx, id ID) (seq int64, err error) {
	if seq, here := x.inMemory(id); here {
		return seq, nil
	}
	if bytes.Compare(id[:], x.highest[:]) > 0 {
		return 0, sql.ErrNoRows
	}
	err = tx.QueryRowContext(context.Background(), "SELECT seq FROM transfer_ids WHERE id = ?", id[:]).Scan(&seq)
	return seq, err
}

// backlog tells whether there is something to index that should not wait for
// more.
func (x *index) backlog() bool {
	if x.frozen != nil {
		return x.ready()
	}
	return len(x.fresh.entries) >= segmentIdle || x.urgent()
}

// urgent tells whether somebody waits for something that is not indexed.
func (x *index) urgent() bool { return x.wanted > x.indexed }

// flush inserts a slice, in proportion to the batch's transfers.
func (x *index) flush(ctx context.Context, tx db.BatchTx, transfers int) error {
	if x.frozen == nil && (len(x.fresh.entries) >= segmentFull || x.urgent() || transfers == 0 && x.backlog()) {
		x.freeze()
	}
	if x.frozen == nil || !x.ready() {
		return nil
	}
	rows := max(slicePerRow*transfers, sliceLeast)
	switch {
	case x.urgent():
		rows = max(rows, sliceCatchUp)
	case transfers == 0:
		rows = sliceAtIdle
	}
	return x.insert(ctx, tx, rows)
}

// freeze begins to index the tail.
func (x *index) freeze() {
	s := x.fresh
	s.sorted = make(chan struct{})
	x.mu.Lock()
	x.frozen, x.fresh = s, newSegment()
	x.mu.Unlock()
	go func() {
		s.sort()
		x.wake()
	}()
}

// ready tells whether the frozen segment is sorted.
func (x *index) ready() bool {
	select {
	case <-x.frozen.sorted:
		return true
	default:
		return false
	}
}

const (
	// Rows that an interrupted pass left behind are the same as those that come
	// again. Others would be damage: 0 and -1 fail the tables' checks.
	sameHistory = `ON CONFLICT (account, seq) DO UPDATE SET
		debits = iif(debits = excluded.debits AND credits = excluded.credits, debits, -1)`
	sameName = "ON CONFLICT (id) DO UPDATE SET seq = iif(seq = excluded.seq, seq, 0)"
)

// sort lays the segment's rows out in the order of the two tables.
func (s *segment) sort() {
	defer close(s.sorted)
	s.history = make([]historyRow, 0, 2*len(s.entries))
	s.names = make([]nameRow, 0, len(s.ids))
	for i := range s.entries {
		e := &s.entries[i]
		for _, end := range []*endpoint{&e.debit, &e.credit} {
			s.history = append(s.history, historyRow{end.account, e.seq, end.debits, end.credits})
		}
		if e.named {
			s.names = append(s.names, nameRow{e.id, e.seq})
		}
	}
	slices.SortFunc(s.history, func(a, b historyRow) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.seq, b.seq))
	})
	slices.SortFunc(s.names, func(a, b nameRow) int { return bytes.Compare(a.id[:], b.id[:]) })
	if n := len(s.names); n > 0 {
		s.largest = s.names[n-1].id
	}
}

// insert writes the next rows of the frozen segment, and the watermark with the
// last.
func (x *index) insert(ctx context.Context, tx db.BatchTx, rows int) error {
	s := x.frozen
	history := s.history[min(s.done, len(s.history)):]
	history = history[:min(rows, len(history))]
	if err := x.insertHistory(tx, history); err != nil {
		return fmt.Errorf("index the history: %w", err)
	}
	s.done += len(history)
	names := s.names[max(s.done-len(s.history), 0):]
	names = names[:min(rows-len(history), len(names))]
	if err := x.insertNames(tx, names); err != nil {
		return fmt.Errorf("index the ids: %w", err)
	}
	s.done += len(names)
	if x.pending = s.done == s.rows(); !x.pending {
		return nil
	}
	return x.moveWatermark(ctx, tx, s.entries[len(s.entries)-1].seq)
}

// moveWatermark moves it from where this program left it: anywhere else is
// damage, and going on would hide that.
func (x *index) moveWatermark(ctx context.Context, tx db.BatchTx, to int64) error {
	res, err := tx.ExecContext(ctx, "UPDATE indexed SET seq = ? WHERE seq = ?", to, x.indexed)
	if err != nil {
		return fmt.Errorf("move the watermark: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("%w: the watermark is not at %d", ErrDamaged, x.indexed), err)
	}
	return nil
}

func (x *index) insertHistory(tx db.BatchTx, rows []historyRow) error {
	x.values = x.values[:0]
	for i := range rows {
		x.values = append(x.values, rows[i].account, rows[i].seq, int64(rows[i].debits), int64(rows[i].credits))
	}
	return tx.Insert("INSERT INTO history (account, seq, debits, credits)", sameHistory, 4, x.values)
}

func (x *index) insertNames(tx db.BatchTx, rows []nameRow) error {
	x.values = x.values[:0]
	for i := range rows {
		x.values = append(x.values, rows[i].id[:], rows[i].seq)
	}
	return tx.Insert("INSERT INTO transfer_ids (id, seq)", sameName, 2, x.values)
}

// committed adds what was written to the tail, and lets a segment go that is
// indexed.
func (x *index) committed(written []tailEntry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.extend(written)
	if !x.pending {
		return
	}
	x.left(x.last.largest)
	x.indexed = x.frozen.entries[len(x.frozen.entries)-1].seq
	x.last = x.remember(x.frozen.names)
	x.frozen, x.pending, x.values = nil, false, nil
}

// remember keeps the last of a segment's names, which are sorted: clients that have
// waited a moment with a transfer still find it new. The rest is on disk.
func (x *index) remember(names []nameRow) *segment {
	kept := newSegment()
	if n := len(names); n > 0 {
		kept.largest = names[n-1].id
	}
	if old := len(names) - recentIDs; old > 0 {
		x.left(names[old-1].id)
		names = names[old:]
	}
	for _, name := range names {
		kept.ids[name.id] = name.seq
	}
	return kept
}

// left says that an id isn't in memory any more.
func (x *index) left(id ID) {
	if bytes.Compare(id[:], x.highest[:]) > 0 {
		x.highest = id
	}
}

// end returns the number of the last transfer that readers find. What a batch
// has just committed may not be here yet, though the database shows it.
func (x *index) end() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.newest
}

// tail returns the newest entries of an account below a number, newest first,
// most at most.
func (x *index) tail(account, before int64, most int) (found []point) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, s := range []*segment{x.fresh, x.frozen} {
		if s == nil {
			continue
		}
		places := s.of[account]
		older := sort.Search(len(places), func(i int) bool { return s.entries[places[i]].seq >= before })
		for _, place := range slices.Backward(places[:older]) {
			if len(found) == most {
				return found
			}
			e := &s.entries[place]
			end := e.of(account)
			found = append(found, point{e.seq, end.debits, end.credits})
		}
	}
	return found
}

// of returns the account's side of the transfer.
func (e *tailEntry) of(account int64) *endpoint {
	if e.debit.account == account {
		return &e.debit
	}
	return &e.credit
}

// CatchUp returns when all that was committed before the call is indexed.
func (l *Ledger) CatchUp(ctx context.Context) error {
	end := l.index.end()
	for {
		var sorted <-chan struct{}
		err := l.db.Writer.Submit(ctx, db.Unit{Apply: func(db.Tx) (func(), error) {
			if l.index.indexed >= end {
				return nil, errIndexed
			}
			l.index.wanted = max(l.index.wanted, end)
			if l.index.frozen != nil {
				sorted = l.index.frozen.sorted
			}
			return func() {}, nil
		}})
		if errors.Is(err, errIndexed) {
			return nil
		}
		if err != nil {
			return err
		}
		if sorted != nil {
			select {
			case <-sorted:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

var errIndexed = errors.New("everything is indexed")

// wake has the writer look for a backlog.
func (l *Ledger) wake() {
	nothing := func(db.Tx) (func(), error) { return nil, errIndexed }
	_ = l.db.Writer.Submit(context.Background(), db.Unit{Apply: nothing}) // it fails in any case
}
