package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/mattn/go-sqlite3"
)

// place is the last row of each table that was replayed.
type place struct{ batch, transfer, entryBatch, entry int64 }

type batchRow struct {
	seq, at            int64
	transfers, entries int64
	hash               [32]byte
	unreadable         string
}

// replay comes to the last batch.
func (a *audit) replay(ctx context.Context) error {
	return a.snapshot(ctx, func() error { return nil })
}

// snapshot runs look in a read transaction in which the replay is at its end. It
// replays page by page, in transactions before that. When the replay can't go on
// it does nothing.
func (a *audit) snapshot(ctx context.Context, look func() error) error {
	for ended := false; !ended && !a.broken; {
		err := a.transaction(ctx, func() (err error) {
			ended, err = a.replayPage()
			if err != nil {
				a.broken = true
				return err
			}
			if ended {
				err = look()
			}
			return err
		})
		if err != nil {
			return err
		}
		a.progress()
	}
	return nil
}

// pages calls page in snapshots of its own until it is done.
func (a *audit) pages(ctx context.Context, page func() (done bool, err error)) error {
	for done := false; !done && !a.broken; {
		err := a.snapshot(ctx, func() (err error) {
			done, err = page()
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// transaction runs f in a read transaction.
func (a *audit) transaction(ctx context.Context, f func() error) error {
	if _, err := a.conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	err := f()
	_, end := a.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	if err := errors.Join(err, end); err != nil {
		return err
	}
	return ctx.Err()
}

// read runs f on the driver's connection, in the current transaction.
func (a *audit) read(f func(r reader) error) error {
	return a.conn.Raw(func(driver any) error {
		c, ok := driver.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("a connection of go-sqlite3 is needed, this is a %T", driver)
		}
		return f(reader{c})
	})
}

// replayPage goes on from where the replay is. It stops at the end of a batch,
// and tells whether that was the last.
func (a *audit) replayPage() (ended bool, err error) {
	err = a.read(func(r reader) error {
		defer a.batches.close()
		defer a.transfers.close()
		defer a.entries.close()
		if err := a.countTransfers(r); err != nil {
			return err
		}
		if err := a.survive(a.settle(r)); err != nil {
			return err
		}
		if err := a.batches.open(r, batchesAfter, a.at.batch); err != nil {
			return err
		}
		if err := a.transfers.open(r, transfersAfter, a.at.transfer); err != nil {
			return err
		}
		if err := a.entries.open(r, entriesAfter, a.at.entryBatch, a.at.entry); err != nil {
			return err
		}
		until := a.report.Transfers + a.report.Entries + pageRows
		for ; a.batches.more; err = a.batches.next() {
			if err != nil || a.report.Transfers+a.report.Entries >= until {
				return err
			}
			if err := a.replayBatch(a.batches.row); err != nil {
				return err
			}
			a.at.batch = a.batches.row.seq
		}
		if err != nil {
			return err
		}
		ended = true
		return a.orphans(math.MaxInt64)
	})
	return ended, err
}

func (a *audit) countTransfers(r reader) error {
	c := &columns{}
	c.value("total", func(src any) bool {
		if total, ok := src.(int64); ok { // NULL without transfers
			a.total = max(a.total, total)
		}
		return true
	})
	return c.each(r, func(string) bool { return false }, "SELECT max(seq) FROM transfers")
}

func (a *audit) replayBatch(b batchRow) error {
	a.report.Batches++
	if b.unreadable != "" {
		a.defect(DefectUnreadable, "batches, seq %d: %s", b.seq, b.unreadable)
	}
	if err := a.orphans(b.seq - 1); err != nil {
		return err
	}
	if b.seq <= a.last.seq || b.at <= a.last.at {
		a.defect(DefectTimeOrder, "batch %d at %d comes after batch %d at %d", b.seq, b.at, a.last.seq, a.last.at)
	}
	a.mirror.begin(b.seq, b.at)
	chain := newChainHash(a.last.hash, b.seq, b.at)
	var transfers, entries int64
	for {
		entry := a.entries.more && a.entries.row.batch == b.seq
		transfer := a.transfers.more && a.transfers.row.batch == b.seq
		var err error
		switch {
		case entry && (!transfer || a.entries.row.n <= transfers+entries+1):
			entries++
			if a.entries.row.n != transfers+entries {
				a.defect(DefectLog, "entry %d of batch %d is in place %d", a.entries.row.n, b.seq, transfers+entries)
			}
			err = a.replayEntry(chain)
		case transfer:
			transfers++
			err = a.replayTransfer(chain)
		default:
			a.endBatch(b, chain.sum(), transfers, entries)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// endBatch compares a replayed batch with its row, and judges what it did.
func (a *audit) endBatch(b batchRow, hash [32]byte, transfers, entries int64) {
	if b.unreadable != "" {
		b.hash = hash
	} else if b.hash != hash || b.transfers != transfers || b.entries != entries {
		a.defect(DefectHash, "batch %d is not what was committed (%d of %d transfers, %d of %d log entries)",
			b.seq, transfers, b.transfers, entries, b.entries)
	}
	a.last = b // its own hash: names the batch that was changed, not all that follow
	a.mirror.judge(fmt.Sprintf("batch %d", b.seq), a.defect)
}

// orphans replays entries and transfers up to a batch that has no row.
func (a *audit) orphans(batch int64) error {
	for a.entries.more && a.entries.row.batch <= batch {
		a.defect(DefectLog, "entry %d of batch %d belongs to no batch", a.entries.row.n, a.entries.row.batch)
		a.mirror.begin(a.entries.row.batch, 0)
		if err := a.replayEntry(newChainHash([32]byte{}, 0, 0)); err != nil {
			return err
		}
	}
	for a.transfers.more && a.transfers.row.batch <= batch {
		a.defect(DefectTransfer, "transfer %s belongs to no batch", a.transfers.row.name())
		if err := a.replayTransfer(newChainHash([32]byte{}, 0, 0)); err != nil {
			return err
		}
	}
	a.mirror.judge("no batch", a.defect)
	return nil
}

func (a *audit) replayEntry(chain *chainHash) error {
	e := &a.entries.row
	a.report.Entries++
	a.at.entryBatch, a.at.entry = e.batch, e.n
	chain.entry(e.kind, e.body)
	if e.unreadable != "" {
		a.defect(DefectUnreadable, "ledger_log, batch %d, n %d: %s", e.batch, e.n, e.unreadable)
		return a.entries.next()
	}
	err := e.entry.replay(a.mirror)
	switch {
	case errors.Is(err, errNotEmpty):
		a.defect(DefectClosed, "entry %d of batch %d closes an account that holds money", e.n, e.batch)
	case err != nil:
		a.defect(DefectLog, "entry %d of batch %d, kind %d, body x'%x': %v", e.n, e.batch, e.kind, e.body, err)
	}
	return a.entries.next()
}

func (a *audit) replayTransfer(chain *chainHash) error {
	t := &a.transfers.row
	a.report.Transfers++
	chain.transfer(a.hashed(t))
	if t.seq != a.seq+1 {
		a.defect(DefectTransfer, "transfer %d comes after %d", t.seq, a.seq)
	}
	a.seq, a.at.transfer = t.seq, t.seq
	if t.unreadable != "" {
		a.defect(DefectUnreadable, "transfers, seq %d: %s", t.seq, t.unreadable)
		return a.transfers.next()
	}
	debit, credit, err := a.mirror.post(t)
	if err != nil {
		a.defect(DefectTransfer, "transfer %s, seq %d: %v", t.name(), t.seq, err)
	}
	if debit != nil {
		a.index(t, debit, credit)
		a.tell(t, debit, credit)
	}
	return a.transfers.next()
}

// hashed returns what the engine hashed of a transfer: the ids of what it names
// by number.
func (a *audit) hashed(t *transferRow) hashedTransfer {
	h := hashedTransfer{holdN: t.hold, packets: t.packets}
	h.Transfer = Transfer{ID: t.id, Amount: t.amount, Code: t.code, Reference: t.reference}
	if debit := a.mirror.account(t.debit); debit != nil {
		h.Debit, h.ledger = debit.ID, debit.Ledger
	}
	h.Credit = a.mirror.idOf(t.credit)
	if t.hold != 0 && t.packets == 0 {
		h.drawn = true
		if from := a.mirror.look(t.hold); from != nil {
			h.hold = a.mirror.idOf(from.key.credit)
		}
	}
	return h
}

// tell tells the observers of a transfer.
func (a *audit) tell(t *transferRow, debit, credit *mirrorAccount) {
	if len(a.Observers) == 0 {
		return
	}
	p := Posted{
		Seq: t.seq, Debit: &debit.Account, Credit: &credit.Account, DebitN: debit.n, CreditN: credit.n,
		Amount: t.amount, Code: t.code, Reference: t.reference, Hold: t.hold, Packets: t.packets,
	}
	for _, o := range a.Observers {
		o.Posted(&p)
	}
}
