package ledger

import (
	"cmp"
	"context"
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

// compareHistory compares the index by account: what is settled by sums, what
// comes later row by row.
func (a *audit) compareHistory(ctx context.Context) error {
	a.sums.fixed = true
	var forgotten []foundRow // rows of transfers of which nothing is kept: they were looked up, but these may be others
	account, seq := int64(beforeAll), int64(beforeAll)
	var debits, credits uint64
	c := &columns{}
	c.int("account", &account)
	c.int("seq", &seq)
	whole(c, "debits", &debits)
	whole(c, "credits", &credits)
	const query = "SELECT account, seq, debits, credits FROM history WHERE (account, seq) > (?, ?) ORDER BY account, seq LIMIT ?"
	key := func() []any { return []any{account, seq} }
	check := func(r reader) error {
		defer func() { forgotten = forgotten[:0] }()
		return a.lookBack(r, forgotten, func(row, t *foundRow) {
			if row.debit != t.debit && row.debit != t.credit {
				a.extraPoint(row.debit, row.seq)
			}
		})
	}
	return a.walkThen(ctx, c, query, key, check, func(unreadable string) {
		switch {
		case unreadable != "":
			a.defect(DefectUnreadable, "history, account %d, seq %d: %s", account, seq, unreadable)
		case seq < 1 || seq > a.seq:
			a.extraPoint(account, seq)
		case seq <= a.sums.settled:
			a.sums.bucket(seq).history -= a.sums.ofPoint(account, seq, debits, credits)
		case seq <= a.sums.lookedUp:
			forgotten = append(forgotten, foundRow{seq: seq, debit: account})
		default:
			t := a.sums.find(seq)
			sum := a.sums.ofPoint(account, seq, debits, credits)
			switch {
			case t == nil || account != t.debit && account != t.credit:
				a.extraPoint(account, seq)
			case account == t.debit && sum != t.ofDebit, account == t.credit && sum != t.ofCredit:
				a.otherPoint(account, seq)
			}
		}
	})
}

// compareIDs compares the index by id.
func (a *audit) compareIDs(ctx context.Context) error {
	var id []byte
	var seq int64
	c := &columns{}
	c.bytes("id", &id)
	c.int("seq", &seq)
	key := func() []any { return []any{id} }
	var forgotten []foundRow
	check := func(r reader) error {
		defer func() { forgotten = forgotten[:0] }()
		return a.lookBack(r, forgotten, func(row, t *foundRow) {
			if !t.named || row.id != t.id {
				a.extraID(row.id, row.seq)
			}
		})
	}
	const query = "SELECT id, seq FROM transfer_ids WHERE id > coalesce(?, x'') ORDER BY id LIMIT ?"
	return a.walkThen(ctx, c, query, key, check, func(unreadable string) {
		var whole ID
		fits := copy(whole[:], id) == len(id) && len(id) == len(whole)
		switch {
		case unreadable != "" || !fits:
			a.defect(DefectUnreadable, "transfer_ids, id x'%x': %s", id, unreadable)
		case seq < 1 || seq > a.seq:
			a.extraID(whole, seq)
		case seq <= a.sums.settled:
			a.sums.bucket(seq).ids -= a.sums.of(whole, seq)
		case seq <= a.sums.lookedUp:
			forgotten = append(forgotten, foundRow{seq: seq, id: whole})
		default:
			if t := a.sums.find(seq); t == nil || t.id != a.sums.of(whole) {
				a.extraID(whole, seq)
			}
		}
	})
}

// lookBack reads the transfers that rows of the index name.
func (a *audit) lookBack(r reader, rows []foundRow, compare func(row, t *foundRow)) error {
	for i := range rows {
		var t foundRow
		c := &columns{}
		c.optionalID("id", &t.id, &t.named)
		c.int("debit", &t.debit)
		c.int("credit", &t.credit)
		err := c.each(r, func(string) bool { return false }, "SELECT id, debit, credit FROM transfers WHERE seq = ?", rows[i].seq)
		if err != nil {
			return err
		}
		compare(&rows[i], &t)
	}
	return nil
}

func (a *audit) extraPoint(account, seq int64) {
	a.defect(DefectIndex, "history of account %d has transfer %d, which is not its", account, seq)
}

func (a *audit) otherPoint(account, seq int64) {
	a.defect(DefectIndex, "history of account %d says other totals after transfer %d than its transfers", account, seq)
}

func (a *audit) missingPoint(account, seq int64) {
	a.defect(DefectIndex, "history of account %d lacks transfer %d", account, seq)
}

func (a *audit) extraID(id ID, seq int64) {
	a.defect(DefectIndex, "transfer_ids says that %s is transfer %d, which it is not", id, seq)
}

// watermark reads how far the index reaches.
func (a *audit) watermark(r reader) (watermark int64, err error) {
	rows := 0
	c := &columns{}
	c.atLeast(0, "seq", &watermark)
	err = c.each(r, func(unreadable string) bool {
		if rows++; unreadable != "" {
			a.defect(DefectUnreadable, "indexed: %s", unreadable)
			watermark = 0
		}
		return true
	}, "SELECT seq FROM indexed")
	if err == nil && rows != 1 {
		a.defect(DefectIndex, "%d rows say how far the index reaches", rows)
	}
	if err == nil {
		err = a.countTransfers(r)
	}
	return watermark, err
}

// compareRest looks up the transfers that the watermark hasn't passed: the index
// may have some of their rows.
func (a *audit) compareRest(ctx context.Context) error {
	at := a.sums.lookedUp
	return a.pages(ctx, func() (done bool, err error) {
		err = a.read(func(r reader) error {
			watermark, err := a.watermark(r)
			if err != nil {
				return err
			}
			if watermark > max(a.seq, 0) {
				a.defect(DefectIndex, "the index reaches to transfer %d, the last one is %d", watermark, a.seq)
			}
			return a.compareRestPage(r, &at, a.seq, watermark)
		})
		return at >= a.seq, err
	})
}

// foundRow is a transfer beside what the index says of it.
type foundRow struct {
	seq                     int64
	id                      ID
	named                   bool
	debit, credit           int64
	debitThere, creditThere bool
	ofDebit, ofCredit       [2]uint64 // debits, credits
	idSeq                   int64     // 0: the id isn't there
}

// compareRestPage looks up some of the transfers after at, up to one. Up to the
// watermark the index must have them.
func (a *audit) compareRestPage(r reader, at *int64, upTo, watermark int64) error {
	var f foundRow
	c := &columns{}
	c.int("seq", &f.seq)
	c.optionalID("id", &f.id, &f.named)
	c.int("debit", &f.debit)
	c.int("credit", &f.credit)
	optionalWhole(c, "debits", &f.ofDebit[0], &f.debitThere)
	optionalWhole(c, "credits", &f.ofDebit[1], &f.debitThere)
	optionalWhole(c, "debits", &f.ofCredit[0], &f.creditThere)
	optionalWhole(c, "credits", &f.ofCredit[1], &f.creditThere)
	c.number("seq", &f.idSeq)
	most := max(pageRows/4, 1) // each row takes three look-ups
	rows := 0
	var others []foundRow
	err := c.each(r, func(unreadable string) bool {
		rows++
		*at = f.seq
		t := a.sums.find(f.seq)
		if unreadable != "" || t == nil {
			return true // it was named when it was replayed
		}
		due := f.seq <= watermark
		a.compareEnd(f.debit, f.seq, f.debitThere, due, a.sums.ofPoint(f.debit, f.seq, f.ofDebit[0], f.ofDebit[1]) == t.ofDebit)
		a.compareEnd(f.credit, f.seq, f.creditThere, due, a.sums.ofPoint(f.credit, f.seq, f.ofCredit[0], f.ofCredit[1]) == t.ofCredit)
		switch {
		case f.named && f.idSeq == 0 && due:
			a.defect(DefectIndex, "transfer_ids lacks %s, transfer %d", f.id, f.seq)
		case f.named && f.idSeq != 0 && f.idSeq != f.seq:
			others = append(others, f)
		}
		return true
	}, `SELECT t.seq, t.id, t.debit, t.credit, d.debits, d.credits, c.debits, c.credits, i.seq FROM transfers t
		LEFT JOIN history d ON d.account = t.debit AND d.seq = t.seq
		LEFT JOIN history c ON c.account = t.credit AND c.seq = t.seq
		LEFT JOIN transfer_ids i ON i.id = t.id WHERE t.seq > ? AND t.seq <= ? ORDER BY t.seq LIMIT ?`, *at, upTo, int64(most))
	a.compared += int64(rows)
	if rows < most {
		*at = max(*at, upTo)
	}
	if err != nil {
		return err
	}
	for _, f := range others {
		if err := a.nameOther(r, f.id, f.idSeq, f.seq); err != nil {
			return err
		}
	}
	return nil
}

// optionalWhole adds a column of a number that is not negative, or NULL.
func optionalWhole(c *columns, name string, into *uint64, there *bool) {
	c.value(name, func(src any) bool {
		v, ok := src.(int64)
		*into, *there = uint64(v), src != nil
		return src == nil || ok && v >= 0
	})
}

func (a *audit) compareEnd(account, seq int64, there, due, same bool) {
	switch {
	case !there && due:
		a.missingPoint(account, seq)
	case there && !same:
		a.otherPoint(account, seq)
	}
}

// nameOther tells a transfer with an id that another one has from an index that
// is wrong.
func (a *audit) nameOther(r reader, id ID, found, want int64) error {
	var other []byte
	c := &columns{}
	c.bytes("id", &other)
	err := c.each(r, func(string) bool { return false }, "SELECT id FROM transfers WHERE seq = ?", found)
	if err != nil {
		return err
	}
	if string(other) == string(id[:]) {
		a.defect(DefectDuplicate, "transfers %d and %d have the id %s", found, want, id)
		return nil
	}
	a.extraID(id, found)
	a.defect(DefectIndex, "transfer_ids lacks %s, transfer %d", id, want)
	return nil
}

// nameRest replays once more where sums differ, and names the rows.
func (a *audit) nameRest(ctx context.Context) error {
	w := &a.sums.differ
	for bucket, s := range a.sums.index {
		if *s != (indexSums{}) {
			w.index[bucket] = true
		}
	}
	if a.broken || len(w.holds)+len(w.index) == 0 {
		return nil
	}
	nameWhole(w.holds, func(from, to int64) { a.defect(DefectHold, "holds %d to %d differ from log and transfers", from, to) })
	nameWhole(w.index, func(from, to int64) {
		a.defect(DefectIndex, "the index of transfers %d to %d differs from them", from, to)
	})
	b := newAudit(a.conn, CheckOptions{})
	b.wanted, b.sums.settled, b.named, b.counts, b.quiet = w, a.sums.settled, a.named, a.counts, true
	if err := b.replay(ctx); err != nil {
		return err
	}
	b.quiet = false
	err := b.nameHolds(ctx)
	if err == nil {
		err = b.nameIndex(ctx)
	}
	a.report.Defects = append(a.report.Defects, b.report.Defects...)
	return err
}

// nameWhole names buckets that are too many to name their rows.
func nameWhole(buckets map[int64]bool, name func(from, to int64)) {
	for bucket := range buckets {
		if len(buckets) <= wantedMost {
			return
		}
		name(bucket*bucketRows+1, (bucket+1)*bucketRows)
		delete(buckets, bucket)
	}
}

func (a *audit) nameHolds(ctx context.Context) error {
	for bucket := range a.wanted.holds {
		before := len(a.report.Defects)
		err := a.snapshot(ctx, func() error {
			return a.read(func(r reader) error {
				_, err := a.compareBucket(r, bucket, bucket >= bucketOf(max(a.mirror.lastHold, 1)))
				return err
			})
		})
		if err != nil {
			return err
		}
		if len(a.report.Defects) == before {
			a.defect(DefectHold, "holds %d to %d differ from log and transfers", bucket*bucketRows+1, (bucket+1)*bucketRows)
		}
	}
	return nil
}

// nameIndex looks up each row of the buckets, and then for rows that should not
// be there.
func (a *audit) nameIndex(ctx context.Context) error {
	if len(a.wanted.index) == 0 {
		return nil
	}
	before := len(a.report.Defects)
	seqs := map[int64]indexedRow{}
	for bucket := range a.wanted.index {
		rows := a.wanted.rows[bucket]
		for _, row := range rows {
			seqs[row.seq] = row
		}
		err := a.snapshot(ctx, func() error {
			return a.read(func(r reader) error {
				for _, row := range rows {
					if err := a.lookUp(r, row); err != nil {
						return err
					}
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	if err := a.nameExtraPoints(ctx, seqs); err != nil {
		return err
	}
	if err := a.nameExtraIDs(ctx, seqs); err != nil {
		return err
	}
	if len(a.report.Defects) == before {
		for bucket := range a.wanted.index {
			a.defect(DefectIndex, "the index of transfers %d to %d differs from them", bucket*bucketRows+1, (bucket+1)*bucketRows)
		}
	}
	return nil
}

// lookUp compares what the index says of one transfer.
func (a *audit) lookUp(r reader, row indexedRow) error {
	for _, want := range []indexedEnd{row.debit, row.credit} {
		there := false
		var found indexedEnd
		c := &columns{}
		whole(c, "debits", &found.debits)
		whole(c, "credits", &found.credits)
		err := c.each(r, func(string) bool { there = true; return false },
			"SELECT debits, credits FROM history WHERE account = ? AND seq = ?", want.account, row.seq)
		if err != nil {
			return err
		}
		a.compareEnd(want.account, row.seq, there, true, found.debits == want.debits && found.credits == want.credits)
	}
	if !row.named {
		return nil
	}
	var found int64
	c := &columns{}
	c.int("seq", &found)
	err := c.each(r, func(string) bool { return false }, "SELECT seq FROM transfer_ids WHERE id = ?", row.id[:])
	switch {
	case err != nil:
		return err
	case found == 0:
		a.defect(DefectIndex, "transfer_ids lacks %s, transfer %d", row.id, row.seq)
	case found != row.seq:
		return a.nameOther(r, row.id, found, row.seq)
	}
	return nil
}

func (a *audit) nameExtraPoints(ctx context.Context, seqs map[int64]indexedRow) error {
	account, seq := int64(beforeAll), int64(beforeAll)
	c := &columns{}
	c.int("account", &account)
	c.int("seq", &seq)
	const query = "SELECT account, seq FROM history WHERE (account, seq) > (?, ?) ORDER BY account, seq LIMIT ?"
	return a.walk(ctx, c, query, func() []any { return []any{account, seq} }, func(string) {
		if seq < 1 || seq > a.sums.settled || !a.wanted.index[bucketOf(seq)] {
			return
		}
		if row := seqs[seq]; account != row.debit.account && account != row.credit.account {
			a.extraPoint(account, seq)
		}
	})
}

func (a *audit) nameExtraIDs(ctx context.Context, seqs map[int64]indexedRow) error {
	var id []byte
	var seq int64
	c := &columns{}
	c.bytes("id", &id)
	c.int("seq", &seq)
	key := func() []any { return []any{id} }
	const query = "SELECT id, seq FROM transfer_ids WHERE id > coalesce(?, x'') ORDER BY id LIMIT ?"
	return a.walk(ctx, c, query, key, func(string) {
		if seq < 1 || seq > a.sums.settled || !a.wanted.index[bucketOf(seq)] || len(id) != len(ID{}) {
			return
		}
		if row := seqs[seq]; !row.named || row.id != ID(id) {
			a.extraID(ID(id), seq)
		}
	})
}
