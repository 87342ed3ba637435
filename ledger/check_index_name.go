package ledger

import "context"

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
