package ledger

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"math"
)

// bucketRows is how many holds, or transfers, have one sum. A variable, so that
// tests can make it small.
var bucketRows int64 = 1 << 10

func bucketOf(n int64) int64 { return (n - 1) / bucketRows }

// sums are what stands for rows that need not be kept.
type sums struct {
	key       maphash.Seed
	holds     map[int64]uint64 // of the closed ones, by bucket
	index     map[int64]*indexSums
	watermark int64            // the highest that was read
	settled   int64            // the last transfer that is in index
	fixed     bool             // settled stays: the index is being compared
	lookedUp  int64            // from settled up to this one they were looked up; those that follow are in recent
	recent    []recentSums     // by number
	ids       map[uint64]int64 // of recent transfers, to their numbers
	differ    wanted
}

// wanted are the buckets whose rows are to be named.
type wanted struct {
	holds, index map[int64]bool
	rows         map[int64][]indexedRow // of the replay, by bucket of the index
}

// wantedMost bounds what a second replay keeps: the buckets beyond it are named
// as a whole.
const wantedMost = 256

func newSums() *sums {
	return &sums{
		key: maphash.MakeSeed(), holds: map[int64]uint64{}, index: map[int64]*indexSums{},
		ids: map[uint64]int64{}, differ: wanted{holds: map[int64]bool{}, index: map[int64]bool{}, rows: map[int64][]indexedRow{}},
	}
}

// of returns a row's part of a sum: nobody who doesn't know the key can make
// rows that add up to the same.
func (s *sums) of(id ID, numbers ...int64) uint64 {
	var room [128]byte
	b := append(room[:0], id[:]...)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return maphash.Bytes(s.key, b)
}

func (s *sums) ofHold(n int64, k mirrorKey, h holdState) uint64 {
	flags := int64(0)
	if h.unreserved {
		flags |= 1
	}
	if h.closed {
		flags |= 2
	}
	return s.of(k.reference, n, k.debit, k.credit, h.reserved, h.inFlight, h.drawn, h.returned, h.toward, h.expires, flags)
}

// holdClosed is called when the replay closes a hold. On the second way it is
// kept when it is one of those to be named.
func (a *audit) holdClosed(n int64, h *mirrorHold) (keep bool) {
	if a.wanted != nil {
		return a.wanted.holds[bucketOf(n)]
	}
	a.sums.holds[bucketOf(n)] += a.sums.ofHold(n, h.key, h.holdState)
	return false
}

// compareHolds compares the open holds row by row, and the closed ones bucket by
// bucket.
func (a *audit) compareHolds(ctx context.Context) error {
	bucket := int64(0)
	return a.pages(ctx, func() (done bool, err error) {
		err = a.read(func(r reader) error {
			for rows := 0; rows < pageRows && !done; bucket++ {
				done = bucket >= bucketOf(max(a.mirror.lastHold, 1))
				n, err := a.compareBucket(r, bucket, done)
				if err != nil {
					return err
				}
				rows += max(n, int(bucketRows)) // looking for what is missing costs as much
			}
			return nil
		})
		return done, err
	})
}

// compareBucket compares the holds of a bucket. The first is also that of all
// numbers before, the last that of all that follow.
func (a *audit) compareBucket(r reader, bucket int64, last bool) (rows int, err error) {
	from, to := bucket*bucketRows+1, (bucket+1)*bucketRows
	first := from
	if bucket == 0 {
		from = beforeAll
	}
	if last {
		to = math.MaxInt64
	}
	var sum uint64
	var found []Defect
	note := func(name, format string, args ...any) { found = append(found, defectOf(name, format, args...)) }
	seen := map[int64]bool{}
	row := &mirrorHold{}
	c := holdRow(row)
	err = c.each(r, func(unreadable string) bool {
		rows++
		want := a.mirror.look(row.n)
		seen[row.n] = true
		switch {
		case unreadable != "":
			note(DefectUnreadable, "holds, n %d, %s: %s", row.n, row.key, unreadable)
		case want == nil && row.closed && a.wanted == nil:
			sum += a.sums.ofHold(row.n, row.key, row.holdState)
		case want == nil && (a.wanted != nil || row.n > a.mirror.lastHold):
			note(DefectHold, "%s, number %d, was never opened", row.key, row.n)
		case want != nil && (row.key != want.key || row.holdState != want.holdState):
			note(DefectHold, "%s, number %d, has %+v; log and transfers say %s, %+v", row.key, row.n, row.holdState, want.key, want.holdState)
		}
		return true
	}, `SELECT n, reference, debit, credit, reserved, in_flight, drawn, returned, toward, expires, unreserved, closed
		FROM holds WHERE n BETWEEN ? AND ? ORDER BY n`, from, to)
	a.compared += int64(rows)
	if err != nil {
		return rows, err
	}
	for n := first; n <= min(to, a.mirror.lastHold); n++ {
		if seen[n] {
			continue
		}
		if want := a.mirror.look(n); want != nil {
			note(DefectHold, "%s, number %d, is missing", want.key, n)
		}
	}
	if a.wanted == nil && sum != a.sums.holds[bucket] {
		a.sums.differ.holds[bucket] = true // the second way names them, and what was found here
		return rows, nil
	}
	for _, d := range found {
		a.defect(d.Name, "%s", d.Detail)
	}
	return rows, nil
}

func holdRow(row *mirrorHold) *columns {
	c := &columns{}
	c.int("n", &row.n)
	c.id("reference", &row.key.reference)
	c.int("debit", &row.key.debit)
	c.int("credit", &row.key.credit)
	c.atLeast(0, "reserved", &row.reserved)
	c.atLeast(0, "in_flight", &row.inFlight)
	c.atLeast(0, "drawn", &row.drawn)
	c.atLeast(0, "returned", &row.returned)
	c.number("toward", &row.toward)
	c.atLeast(0, "expires", &row.expires)
	c.flag("unreserved", &row.unreserved)
	c.flag("closed", &row.closed)
	return c
}
