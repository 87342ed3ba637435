package ledger

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"slices"

	"pochi/db"
)

// span is an account's way through a batch: what it was, empty for one that the
// batch opened, and the highest limit that it had in the batch.
type span struct {
	before Account
	limit  uint64
}

// holds tells whether the account ended within its limit: the highest that the
// batch allowed. It may end above when the limit was lowered before, but then
// nothing more was debited.
func (s span) holds(after Account) bool {
	return after.owed() <= s.limit || after.DebitsPosted+after.DebitsPending <= s.before.DebitsPosted+s.before.DebitsPending
}

// flusher writes a batch. Its slices are used again for the next.
type flusher struct {
	accounts  []*account // that the batch touched, by number
	spans     []span     // theirs
	holds     []*hold
	kept      []amounts        // what the holds were
	transfers []postedTransfer // in the order of their rows: those with ids, then those of packets
	entries   []numberedEntry
	written   []tailEntry
	values    []driver.Value
}

// Flush implements db.Participant: it asserts what the batch changed and
// writes it. An error stops the writer before COMMIT.
func (l *Ledger) Flush(ctx context.Context, tx db.BatchTx, b db.Batch) error {
	l.flusher.begin(&l.batch)
	defer l.flusher.end()
	for _, image := range l.batch.holdImages {
		image.hold.seen = false
	}
	if err := l.assert(); err != nil {
		return err
	}
	if len(l.flusher.transfers)+len(l.flusher.entries) > 0 {
		for _, write := range []func(context.Context, db.BatchTx, db.Batch) error{
			l.writeAssets, l.writeAccounts, l.writeHolds, l.writeItems, l.writeLog, l.writeTransfers, l.writeBatch,
		} {
			if err := write(ctx, tx, b); err != nil {
				return err
			}
		}
	}
	return l.index.flush(ctx, tx, len(l.flusher.transfers))
}

// Committed implements db.Participant.
func (l *Ledger) Committed() {
	for _, image := range l.batch.holdImages {
		if image.hold.net = 0; image.hold.closed && l.holds.byKey[image.hold.key] == image.hold {
			l.holds.drop(image.hold)
		}
	}
	l.looked.committed()
	l.index.committed(l.flusher.written)
	l.flusher.written = l.flusher.written[:0]
	l.batch.reset()
}

// Backlog implements db.Backlogged: there is something to index.
func (l *Ledger) Backlog() bool { return l.index.backlog() }

// begin finds out what the batch touched, and in which order its effects are
// numbered: entries and transfers as they came, then what holds took into
// flight, the transfers of packets, and the closings.
func (f *flusher) begin(b *batch) {
	for _, image := range b.accountImages {
		a := image.account
		if a.span == 0 {
			f.accounts, f.spans = append(f.accounts, a), append(f.spans, span{image.before, a.Limit})
			a.span = len(f.spans)
		}
		s := &f.spans[a.span-1]
		s.limit = max(s.limit, image.before.Limit)
	}
	f.leaveUnchanged()
	var moved holdsMoved
	for _, image := range b.holdImages {
		h := image.hold
		if h.seen {
			continue
		}
		if h.seen = true; h.amounts == image.before && !image.isNew {
			continue
		}
		f.holds, f.kept = append(f.holds, h), append(f.kept, image.before)
		if h.net != 0 || h.toward != nil && h.toward != image.before.toward {
			moved = append(moved, holdMoved{h.n, h.net, h.toward.number()})
		}
	}
	f.transfers = append(f.transfers, b.transfers...)
	for _, p := range b.packets {
		f.transfers = append(f.transfers, p.posted())
	}
	f.entries = append(f.entries, b.entries...)
	n := b.effects()
	for part := range slices.Chunk(moved, movedMost) {
		n++
		f.entries = append(f.entries, numberedEntry{n, part})
	}
	n += int64(len(b.packets))
	for _, e := range b.closings {
		n++
		f.entries = append(f.entries, numberedEntry{n, e})
	}
}

// leaveUnchanged leaves out the accounts that are again what they were.
func (f *flusher) leaveUnchanged() {
	changed := 0
	for i, a := range f.accounts {
		if a.span = 0; a.Account != f.spans[i].before || !a.written {
			f.accounts[changed], f.spans[changed] = a, f.spans[i]
			changed++
		}
	}
	clear(f.accounts[changed:])
	f.accounts, f.spans = f.accounts[:changed], f.spans[:changed]
}

// movedMost bounds an entry of moved holds: each takes 29 bytes at most.
const movedMost = 1024

// number returns an account's number, 0 for no account.
func (a *account) number() int64 {
	if a == nil {
		return 0
	}
	return a.n
}

func (p packets) posted() postedTransfer {
	t := postedTransfer{debit: p.debit, credit: p.credit, from: p.hold, packets: p.count}
	t.Transfer = Transfer{Debit: p.debit.ID, Credit: p.credit.ID, Amount: p.amount, Code: p.code, Reference: p.reference}
	return t
}

// end forgets the batch; what was written is kept for Committed.
func (f *flusher) end() {
	f.accounts, f.spans = emptied(f.accounts), emptied(f.spans)
	f.holds, f.kept = emptied(f.holds), emptied(f.kept)
	f.transfers, f.entries = emptied(f.transfers), emptied(f.entries)
}

// assert stops a batch that would break the ledger: a limit exceeded, debits
// that differ from credits, pending totals that differ from what holds hold, or a
// change without a command. No command may lead there; this is what stands
// between a bug and the disk.
func (l *Ledger) assert() error {
	f := &l.flusher
	type sums struct{ posted, pending int64 }
	byLedger := map[uint32]sums{}
	if (len(f.accounts) > 0 || len(f.holds) > 0) && len(f.transfers)+len(f.entries) == 0 {
		return errors.New("assertion: accounts or holds changed without a command")
	}
	for i, a := range f.accounts {
		if max(a.DebitsPosted, a.CreditsPosted, a.DebitsPending, a.CreditsPending) > AmountMax || !f.spans[i].holds(a.Account) {
			return fmt.Errorf("assertion: account %s exceeds its limit", a.ID)
		}
		before, s := f.spans[i].before, byLedger[a.Ledger]
		s.posted += int64(a.DebitsPosted-before.DebitsPosted) - int64(a.CreditsPosted-before.CreditsPosted)
		s.pending += int64(a.DebitsPending-before.DebitsPending) - int64(a.CreditsPending-before.CreditsPending)
		byLedger[a.Ledger] = s
	}
	for ledger, s := range byLedger {
		if s != (sums{}) {
			return fmt.Errorf("assertion: ledger %d would not sum to zero: %+v", ledger, s)
		}
	}
	if err := f.assertPending(); err != nil {
		return err
	}
	return f.assertLogged()
}

// assertLogged looks for the entries of what is no movement of money.
func (f *flusher) assertLogged() error {
	limits, closed := map[ID]uint64{}, map[ID]bool{}
	for _, numbered := range f.entries {
		switch e := numbered.entry.(type) {
		case limitSet:
			limits[e.id] = e.limit
		case accountClosed:
			closed[e.id] = true
		}
	}
	for i, a := range f.accounts {
		before := f.spans[i].before
		if limit, logged := limits[a.ID]; a.Limit != before.Limit && (!logged || limit != a.Limit) {
			return fmt.Errorf("assertion: the limit of account %s changed without a command", a.ID)
		}
		if a.Closed != before.Closed && !closed[a.ID] {
			return fmt.Errorf("assertion: account %s was closed without a command", a.ID)
		}
	}
	return nil
}

// assertPending compares the accounts' pending totals with the holds, both as
// far as the batch changed them.
func (f *flusher) assertPending() error {
	type pending struct{ debits, credits uint64 } // changes, modulo 2^64
	held := map[*account]pending{}
	for i, h := range f.holds {
		changed := h.reserved + h.inFlight - f.kept[i].reserved - f.kept[i].inFlight
		debit := held[h.debit]
		debit.debits += changed
		held[h.debit] = debit
		credit := held[h.credit]
		credit.credits += changed
		held[h.credit] = credit
	}
	for i, a := range f.accounts {
		before := f.spans[i].before
		if (held[a] != pending{a.DebitsPending - before.DebitsPending, a.CreditsPending - before.CreditsPending}) {
			return fmt.Errorf("assertion: what is pending on account %s differs from its holds", a.ID)
		}
		delete(held, a)
	}
	for a, changed := range held {
		if changed != (pending{}) {
			return fmt.Errorf("assertion: what is pending on account %s differs from its holds", a.ID)
		}
	}
	return nil
}

func (l *Ledger) writeAssets(ctx context.Context, tx db.BatchTx, _ db.Batch) error {
	for _, asset := range l.batch.assets {
		_, err := tx.ExecContext(ctx, "INSERT INTO assets (ledger, code, scale) VALUES (?, ?, ?)",
			l.assets[asset], asset.Code, asset.Scale)
		if err != nil {
			return fmt.Errorf("write asset %s: %w", asset, err)
		}
	}
	return nil
}

func (l *Ledger) writeAccounts(_ context.Context, tx db.BatchTx, _ db.Batch) error {
	f := &l.flusher
	slices.SortFunc(f.accounts, func(a, b *account) int { return int(a.n - b.n) })
	f.values = f.values[:0]
	l.looked.commit(f.accounts)
	for _, a := range f.accounts {
		a.written = true
		f.values = append(f.values, a.n, a.ID[:], int64(a.Ledger), int64(a.Code), int64(a.Limit), int64(a.DebitsPending),
			int64(a.DebitsPosted), int64(a.CreditsPending), int64(a.CreditsPosted), a.UserData[:], a.Closed)
	}
	err := tx.Insert(`INSERT INTO accounts (n, id, ledger, code, debit_limit, debits_pending, debits_posted,
		credits_pending, credits_posted, user_data, closed)`,
		`ON CONFLICT (n) DO UPDATE SET debit_limit = excluded.debit_limit, debits_pending = excluded.debits_pending,
		debits_posted = excluded.debits_posted, credits_pending = excluded.credits_pending,
		credits_posted = excluded.credits_posted, closed = excluded.closed`, 11, f.values)
	if err != nil {
		return fmt.Errorf("write accounts: %w", err)
	}
	return nil
}

func (l *Ledger) writeHolds(_ context.Context, tx db.BatchTx, _ db.Batch) error {
	f := &l.flusher
	slices.SortFunc(f.holds, func(a, b *hold) int { return int(a.n - b.n) })
	f.values = f.values[:0]
	for _, h := range f.holds {
		f.values = append(f.values, h.n, h.key.reference[:], h.debit.n, h.credit.n, int64(h.reserved), int64(h.inFlight),
			int64(h.drawn), int64(h.returned), orNull(h.toward.number()), h.expires, h.unreserved, h.closed)
	}
	err := tx.Insert(`INSERT INTO holds (n, reference, debit, credit, reserved, in_flight, drawn, returned, toward, expires,
		unreserved, closed)`,
		`ON CONFLICT (n) DO UPDATE SET reserved = excluded.reserved, in_flight = excluded.in_flight,
		drawn = excluded.drawn, returned = excluded.returned, toward = excluded.toward, closed = excluded.closed`, 12, f.values)
	if err != nil {
		return fmt.Errorf("write holds: %w", err)
	}
	return nil
}

// orNull is a number in the database, where none is NULL.
func orNull(n int64) driver.Value {
	if n == 0 {
		return nil
	}
	return n
}

func (l *Ledger) writeLog(_ context.Context, tx db.BatchTx, b db.Batch) error {
	f := &l.flusher
	f.values = f.values[:0]
	for _, e := range f.entries {
		f.values = append(f.values, b.Seq, e.n, e.kind(), e.body())
	}
	if err := tx.Insert("INSERT INTO ledger_log (batch, n, kind, body)", "", 4, f.values); err != nil {
		return fmt.Errorf("write the log of batch %d: %w", b.Seq, err)
	}
	return nil
}

func (l *Ledger) writeTransfers(_ context.Context, tx db.BatchTx, b db.Batch) error {
	f := &l.flusher
	if l.seq > math.MaxInt64-int64(len(f.transfers)) {
		return errors.New("transfer numbers are used up")
	}
	f.values, f.written = f.values[:0], f.written[:0]
	for i := range f.transfers {
		t := &f.transfers[i]
		l.seq++
		f.written = append(f.written, t.tail(l.seq))
		f.values = append(f.values, l.seq, t.storedID(), b.Seq, t.debit.n, t.credit.n, int64(t.Amount), int64(t.Code),
			t.Reference[:], orNull(t.from.number()), t.packets)
	}
	for _, a := range f.accounts {
		if a.writtenDebits != a.DebitsPosted || a.writtenCredits != a.CreditsPosted {
			return fmt.Errorf("assertion: account %s changed by other than its transfers", a.ID)
		}
	}
	err := tx.Insert("INSERT INTO transfers (seq, id, batch, debit, credit, amount, code, reference, hold, packets)", "", 10, f.values)
	if err != nil {
		return fmt.Errorf("write transfers: %w", err)
	}
	return nil
}

func (h *hold) number() int64 {
	if h == nil {
		return 0
	}
	return h.n
}

func (t *postedTransfer) storedID() driver.Value {
	if t.packets > 0 {
		return nil
	}
	return t.ID[:]
}

// tail adds the transfer to what is written of its accounts.
func (t *postedTransfer) tail(seq int64) tailEntry {
	t.debit.writtenDebits += t.Amount
	t.credit.writtenCredits += t.Amount
	return tailEntry{
		seq: seq, id: t.ID, named: t.packets == 0,
		debit:  endpoint{account: t.debit.n, debits: t.debit.writtenDebits, credits: t.debit.writtenCredits},
		credit: endpoint{account: t.credit.n, debits: t.credit.writtenDebits, credits: t.credit.writtenCredits},
	}
}

// writeBatch writes the batch's row, and where the chain ends.
func (l *Ledger) writeBatch(ctx context.Context, tx db.BatchTx, b db.Batch) error {
	f := &l.flusher
	at := b.At.UnixMicro()
	l.hash = l.hashOf(b.Seq, at)
	_, err := tx.ExecContext(ctx, "INSERT INTO batches (seq, at, transfers, entries, hash) VALUES (?, ?, ?, ?, ?)",
		b.Seq, at, len(f.transfers), len(f.entries), l.hash[:])
	if err != nil {
		return fmt.Errorf("write batch %d: %w", b.Seq, err)
	}
	seal := sealOf(l.hash)
	_, err = tx.ExecContext(ctx, `INSERT INTO ledger_end (id, batch, seal) VALUES (1, ?, ?)
		ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, seal = excluded.seal`, b.Seq, seal[:])
	if err != nil {
		return fmt.Errorf("write the end, batch %d: %w", b.Seq, err)
	}
	return nil
}

// hashOf hashes entries and transfers in the order of their numbers.
func (l *Ledger) hashOf(seq, at int64) [32]byte {
	chain := newChainHash(l.hash, seq, at)
	entries, transfers := l.flusher.entries, l.flusher.transfers
	for n := int64(1); len(entries)+len(transfers) > 0; n++ {
		if len(entries) > 0 && entries[0].n == n {
			chain.entry(entries[0].kind(), entries[0].body())
			entries = entries[1:]
		} else {
			t := &transfers[0]
			chain.transfer(hashedTransfer{t.posting, t.debit.Ledger, t.from.number(), t.packets})
			transfers = transfers[1:]
		}
	}
	return chain.sum()
}
