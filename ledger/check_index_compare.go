package ledger

import "context"

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
