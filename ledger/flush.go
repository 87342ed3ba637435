package ledger

import (
	"context"
	"fmt"
	"math"

	"pochi/db"
)

// Flush implements db.Participant: it asserts what the batch changed and
// writes it. An error stops the writer before COMMIT.
func (l *Ledger) Flush(ctx context.Context, tx db.Tx, b db.Batch) error {
	if err := l.assert(); err != nil {
		return err
	}
	if err := l.writeAccounts(ctx, tx, b); err != nil {
		return err
	}
	if err := l.writeHolds(ctx, tx, b); err != nil {
		return err
	}
	return l.writeTransfers(ctx, tx, b)
}

// Committed implements db.Participant.
func (l *Ledger) Committed() {
	for _, image := range l.batch.holdImages {
		if image.hold.closed {
			delete(l.holds, image.hold.key)
		}
	}
	l.batch.reset()
}

// firstImages returns each touched account with its state before the batch;
// one that the batch opened had no totals.
func (l *Ledger) firstImages() map[*Account]Account {
	first := map[*Account]Account{}
	for _, image := range l.batch.accountImages {
		if _, seen := first[image.account]; !seen {
			first[image.account] = image.before
		}
	}
	return first
}

// assert stops a batch that would break the ledger: a limit exceeded, or
// debits that differ from credits. No command may lead there; this is what
// stands between a bug and the disk.
func (l *Ledger) assert() error {
	type sums struct{ posted, pending int64 }
	byLedger := map[uint32]sums{}
	for account, before := range l.firstImages() {
		if max(account.DebitsPosted, account.CreditsPosted, account.DebitsPending, account.CreditsPending) > AmountMax ||
			account.DebitsPosted+account.DebitsPending > account.CreditsPosted+account.Limit {
			return fmt.Errorf("assertion: account %s exceeds its limit", account.ID)
		}
		s := byLedger[account.Ledger]
		s.posted += int64(account.DebitsPosted-before.DebitsPosted) - int64(account.CreditsPosted-before.CreditsPosted)
		s.pending += int64(account.DebitsPending-before.DebitsPending) - int64(account.CreditsPending-before.CreditsPending)
		byLedger[account.Ledger] = s
	}
	for ledger, s := range byLedger {
		if s != (sums{}) {
			return fmt.Errorf("assertion: ledger %d would not sum to zero: %+v", ledger, s)
		}
	}
	return nil
}

func (l *Ledger) writeAccounts(ctx context.Context, tx db.Tx, b db.Batch) error {
	for account := range l.firstImages() {
		_, err := tx.ExecContext(ctx, `INSERT INTO accounts
			(id, ledger, code, debit_limit, debits_pending, debits_posted, credits_pending, credits_posted, closed, batch)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET debits_pending = excluded.debits_pending, debits_posted = excluded.debits_posted,
			credits_pending = excluded.credits_pending, credits_posted = excluded.credits_posted, closed = excluded.closed`,
			account.ID[:], account.Ledger, account.Code, account.Limit, account.DebitsPending, account.DebitsPosted,
			account.CreditsPending, account.CreditsPosted, account.Closed, b.Seq)
		if err != nil {
			return fmt.Errorf("write account %s: %w", account.ID, err)
		}
	}
	return nil
}

func (l *Ledger) writeHolds(ctx context.Context, tx db.Tx, b db.Batch) error {
	written := map[*hold]bool{}
	for _, image := range l.batch.holdImages {
		h := image.hold
		if written[h] {
			continue
		}
		written[h] = true
		_, err := tx.ExecContext(ctx, `INSERT INTO holds
			(reference, debit, credit, reserved, in_flight, drawn, returned, closed, batch)
			VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET reserved = excluded.reserved, drawn = excluded.drawn,
			returned = excluded.returned, closed = excluded.closed`,
			h.key.reference[:], h.key.debit[:], h.key.credit[:], h.reserved, h.drawn, h.returned, h.closed, b.Seq)
		if err != nil {
			return fmt.Errorf("write hold %s: %w", h.key.reference, err)
		}
	}
	return nil
}

func (l *Ledger) writeTransfers(ctx context.Context, tx db.Tx, b db.Batch) error {
	if len(l.batch.transfers) == 0 && len(l.batch.newAccounts) == 0 {
		return nil
	}
	at := b.At.UnixMicro()
	hash := newChainHash(l.hash, b.Seq, at)
	sortAccounts(l.batch.newAccounts)
	for _, account := range l.batch.newAccounts {
		hash.account(*account)
	}
	for _, t := range l.batch.transfers {
		if l.seq == math.MaxInt64 {
			return fmt.Errorf("transfer numbers are used up")
		}
		l.seq++
		_, err := tx.ExecContext(ctx, `INSERT INTO transfers (seq, id, batch, debit, credit, amount, ledger, code, reference, drawn, at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			l.seq, t.ID[:], b.Seq, t.Debit[:], t.Credit[:], t.Amount, t.ledger, t.Code, t.Reference[:], t.drawn, at)
		if err != nil {
			return fmt.Errorf("write transfer %s: %w", t.ID, err)
		}
		hash.transfer(t)
	}
	l.hash = hash.sum()
	_, err := tx.ExecContext(ctx, "INSERT INTO batches (seq, at, transfers, hash) VALUES (?, ?, ?, ?)",
		b.Seq, at, len(l.batch.transfers), l.hash[:])
	if err != nil {
		return fmt.Errorf("write batch %d: %w", b.Seq, err)
	}
	return nil
}
