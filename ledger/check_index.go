package ledger

import (
	"cmp"
	"slices"
)

// indexSums are sums over what the replay says of a bucket of transfers, less
// what the tables say. They are zero when both say the same.
type indexSums struct{ ids, history uint64 }

// recentSums stand for the rows of one transfer that was not indexed when it was
// replayed.
type recentSums struct {
	seq           int64
	debit, credit int64  // the accounts
	id            uint64 // without its number, to find it twice; 0 when it has none
	idRow         uint64
	ofDebit       uint64
	ofCredit      uint64
}

// indexedRow is a transfer as the index should have it.
type indexedRow struct {
	seq           int64
	id            ID
	named         bool
	debit, credit indexedEnd
}

// indexedEnd is one of a transfer's two accounts, with its posted totals after it.
type indexedEnd struct {
	account         int64
	debits, credits uint64
}

func (s *sums) ofPoint(account, seq int64, debits, credits uint64) uint64 {
	return s.of(ID{}, account, seq, int64(debits), int64(credits))
}

func (s *sums) bucket(seq int64) *indexSums {
	b := s.index[bucketOf(seq)]
	if b == nil {
		b = &indexSums{}
		s.index[bucketOf(seq)] = b
	}
	return b
}

// index notes what the index should say of a transfer. debit and credit are as
// they are after it.
func (a *audit) index(t *transferRow, debit, credit *mirrorAccount) {
	if a.wanted != nil {
		if t.seq <= a.sums.settled && a.wanted.index[bucketOf(t.seq)] {
			a.wanted.rows[bucketOf(t.seq)] = append(a.wanted.rows[bucketOf(t.seq)], indexedRow{
				t.seq, t.id, t.named, indexedEnd{debit.n, debit.DebitsPosted, debit.CreditsPosted},
				indexedEnd{credit.n, credit.DebitsPosted, credit.CreditsPosted},
			})
		}
		return
	}
	s := a.sums
	ofDebit := s.ofPoint(debit.n, t.seq, debit.DebitsPosted, debit.CreditsPosted)
	ofCredit := s.ofPoint(credit.n, t.seq, credit.DebitsPosted, credit.CreditsPosted)
	r := recentSums{seq: t.seq, debit: debit.n, credit: credit.n, ofDebit: ofDebit, ofCredit: ofCredit}
	if t.named {
		r.id, r.idRow = s.of(t.id), s.of(t.id, t.seq)
	}
	if t.seq <= s.settled {
		s.add(&r)
		return
	}
	if t.named {
		if other, twice := s.ids[r.id]; twice {
			a.defect(DefectDuplicate, "transfers %d and %d have the id %s", other, t.seq, t.id)
		}
		s.ids[r.id] = t.seq
	}
	s.recent = append(s.recent, r)
}

// add adds a transfer that is indexed to the sums.
func (s *sums) add(r *recentSums) {
	b := s.bucket(r.seq)
	b.history += r.ofDebit + r.ofCredit
	b.ids += r.idRow
}

// find returns what is kept of a recent transfer, nil for nothing.
func (s *sums) find(seq int64) *recentSums {
	at, there := slices.BinarySearchFunc(s.recent, seq, func(r recentSums, seq int64) int { return cmp.Compare(r.seq, seq) })
	if !there {
		return nil
	}
	return &s.recent[at]
}

// forget lets go of the recent transfers up to one, after a last look at each.
func (s *sums) forget(upTo int64, last func(r *recentSums)) {
	n := 0
	for ; n < len(s.recent) && s.recent[n].seq <= upTo; n++ {
		r := &s.recent[n]
		last(r)
		if s.ids[r.id] == r.seq {
			delete(s.ids, r.id)
		}
	}
	s.recent = append(s.recent[:0], s.recent[n:]...)
}

// settle lets go of the transfers that the watermark has passed since the last
// page: what the index says of them no longer changes. Until it is compared they
// come into the sums; later, when some of their rows would no longer be seen,
// they are looked up, some at a time.
func (a *audit) settle(r reader) error {
	if a.wanted != nil {
		return nil
	}
	s := a.sums
	watermark, err := a.watermark(r)
	if err != nil {
		return err
	}
	if watermark < s.watermark {
		a.defect(DefectIndex, "the index reaches to transfer %d, it reached %d before", watermark, s.watermark)
	}
	s.watermark = max(s.watermark, watermark)
	upTo := min(s.watermark, a.total)
	if !s.fixed {
		s.settled = max(s.settled, upTo)
		s.lookedUp = s.settled
		s.forget(s.settled, s.add)
		return nil
	}
	if upTo = min(upTo, a.seq); upTo <= s.lookedUp {
		return nil
	}
	err = a.compareRestPage(r, &s.lookedUp, upTo, s.watermark)
	s.forget(s.lookedUp, func(*recentSums) {})
	return err
}
