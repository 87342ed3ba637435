package ledger

import (
	"context"
	"errors"
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
	if l.batch.effects() == 0 {
		return nil
	}
	for _, write := range []func(context.Context, db.Tx, db.Batch) error{
		l.writeAssets, l.writeAccounts, l.writeHolds, l.writeEffects,
	} {
		if err := write(ctx, tx, b); err != nil {
			return err
		}
	}
	return nil
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

// span is an account's way through a batch: what it was, empty for one that the
// batch opened, and the highest limit that it had in the batch.
type span struct {
	before Account
	limit  uint64
}

// holds tells whether the account ended within its limit. It may end above when
// the limit was lowered, but then no more was debited than a limit of this
// batch allowed, or than was before.
func (s span) holds(after Account) bool { return after.owed() <= max(s.limit, s.before.owed()) }

// spans returns each touched account with its way through the batch.
func (l *Ledger) spans() map[*Account]span {
	spans := map[*Account]span{}
	for _, image := range l.batch.accountImages {
		s, seen := spans[image.account]
		if !seen {
			s = span{image.before, image.account.Limit}
		}
		s.limit = max(s.limit, image.before.Limit)
		spans[image.account] = s
	}
	return spans
}

// assert stops a batch that would break the ledger: a limit exceeded, debits
// that differ from credits, or a change that is not logged. No command may lead
// there; this is what stands between a bug and the disk.
func (l *Ledger) assert() error {
	type sums struct{ posted, pending int64 }
	byLedger := map[uint32]sums{}
	spans := l.spans()
	if (len(spans) > 0 || len(l.batch.holdImages) > 0) && l.batch.effects() == 0 {
		return errors.New("assertion: accounts or holds changed without a command")
	}
	for account, span := range spans {
		if max(account.DebitsPosted, account.CreditsPosted, account.DebitsPending, account.CreditsPending) > AmountMax ||
			!span.holds(*account) {
			return fmt.Errorf("assertion: account %s exceeds its limit", account.ID)
		}
		before, s := span.before, byLedger[account.Ledger]
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

func (l *Ledger) writeAssets(ctx context.Context, tx db.Tx, _ db.Batch) error {
	for _, asset := range l.batch.assets {
		_, err := tx.ExecContext(ctx, "INSERT INTO assets (ledger, code, scale) VALUES (?, ?, ?)",
			l.assets[asset], asset.Code, asset.Scale)
		if err != nil {
			return fmt.Errorf("write asset %s: %w", asset, err)
		}
	}
	return nil
}

func (l *Ledger) writeAccounts(ctx context.Context, tx db.Tx, _ db.Batch) error {
	for account := range l.spans() {
		_, err := tx.ExecContext(ctx, `INSERT INTO accounts
			(id, ledger, code, debit_limit, debits_pending, debits_posted, credits_pending, credits_posted, closed)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET debit_limit = excluded.debit_limit, debits_pending = excluded.debits_pending, debits_posted = excluded.debits_posted,
			credits_pending = excluded.credits_pending, credits_posted = excluded.credits_posted, closed = excluded.closed`,
			account.ID[:], account.Ledger, account.Code, account.Limit, account.DebitsPending, account.DebitsPosted,
			account.CreditsPending, account.CreditsPosted, account.Closed)
		if err != nil {
			return fmt.Errorf("write account %s: %w", account.ID, err)
		}
	}
	return nil
}

func (l *Ledger) writeHolds(ctx context.Context, tx db.Tx, _ db.Batch) error {
	written := map[*hold]bool{}
	for _, image := range l.batch.holdImages {
		h := image.hold
		if written[h] {
			continue
		}
		written[h] = true
		_, err := tx.ExecContext(ctx, `INSERT INTO holds
			(reference, debit, credit, reserved, in_flight, drawn, returned, closed)
			VALUES (?, ?, ?, ?, 0, ?, ?, ?)
			ON CONFLICT DO UPDATE SET reserved = excluded.reserved, drawn = excluded.drawn,
			returned = excluded.returned, closed = excluded.closed`,
			h.key.reference[:], h.key.debit[:], h.key.credit[:], h.reserved, h.drawn, h.returned, h.closed)
		if err != nil {
			return fmt.Errorf("write hold %s: %w", h.key.reference, err)
		}
	}
	return nil
}

// writeEffects writes the batch's row, its log and its transfers, and hashes
// both in the order they took effect.
func (l *Ledger) writeEffects(ctx context.Context, tx db.Tx, b db.Batch) error {
	at := b.At.UnixMicro()
	chain := newChainHash(l.hash, b.Seq, at)
	entries, transfers := l.batch.entries, l.batch.transfers
	for n := int64(1); n <= l.batch.effects(); n++ {
		var err error
		if len(entries) > 0 && entries[0].n == n {
			err = l.writeEntry(ctx, tx, b.Seq, entries[0], chain)
			entries = entries[1:]
		} else {
			err = l.writeTransfer(ctx, tx, b.Seq, at, transfers[0], chain)
			transfers = transfers[1:]
		}
		if err != nil {
			return err
		}
	}
	l.hash = chain.sum()
	_, err := tx.ExecContext(ctx, "INSERT INTO batches (seq, at, transfers, entries, hash) VALUES (?, ?, ?, ?, ?)",
		b.Seq, at, len(l.batch.transfers), len(l.batch.entries), l.hash[:])
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

func (l *Ledger) writeEntry(ctx context.Context, tx db.Tx, batch int64, e numberedEntry, chain chainHash) error {
	kind, body := e.kind(), e.body()
	chain.entry(kind, body)
	_, err := tx.ExecContext(ctx, "INSERT INTO ledger_log (batch, n, kind, body) VALUES (?, ?, ?, ?)", batch, e.n, kind, body)
	if err != nil {
		return fmt.Errorf("write entry %d of batch %d: %w", e.n, batch, err)
	}
	return nil
}

func (l *Ledger) writeTransfer(ctx context.Context, tx db.Tx, batch, at int64, t postedTransfer, chain chainHash) error {
	if l.seq == math.MaxInt64 {
		return errors.New("transfer numbers are used up")
	}
	l.seq++
	chain.transfer(t)
	var hold []byte // NULL
	if t.drawn {
		hold = t.hold[:]
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO transfers (seq, id, batch, debit, credit, amount, ledger, code, reference, hold, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		l.seq, t.ID[:], batch, t.Debit[:], t.Credit[:], t.Amount, t.ledger, t.Code, t.Reference[:], hold, at)
	if err != nil {
		return fmt.Errorf("write transfer %s: %w", t.ID, err)
	}
	return nil
}
