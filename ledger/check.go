package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"

	"pochi/db"
)

// Defect is one way in which the database contradicts itself. Name is stable,
// for scripts; Detail says where.
type Defect struct {
	Name   string
	Detail string
}

// The defects that Check names.
const (
	DefectDatabase   = "database"       // the file, an index or a constraint is broken
	DefectForeignKey = "foreign-key"    // a row names one that is not there
	DefectUnreadable = "unreadable"     // a value is none that the program writes
	DefectHash       = "hash-chain"     // a batch's hash is not that of its entries and transfers
	DefectTransfer   = "transfer"       // a transfer that could not have been posted
	DefectLog        = "log"            // a log entry that could not have been accepted
	DefectDuplicate  = "duplicate-id"   // two transfers with one id
	DefectTimeOrder  = "time-order"     // batches out of order
	DefectHead       = "head"           // the head row is not what the writer left
	DefectEnd        = "end"            // the last batches are not those that were written last
	DefectAsset      = "asset"          // assets differ from the log
	DefectAccount    = "account"        // an account is not there, or is another than the log says
	DefectTotals     = "account-totals" // posted totals differ from the transfers
	DefectPending    = "pending-totals" // pending totals differ from the holds
	DefectLimit      = "account-limit"  // more was debited than the limit of that time allowed
	DefectClosed     = "closed-account" // a closed account holds money
	DefectHold       = "hold"           // a hold is not there, or differs from log and transfers
	DefectZeroSum    = "zero-sum"       // a ledger's debits differ from its credits
)

// Report is what Check saw.
type Report struct {
	Accounts  int
	Transfers int
	Entries   int // in the log, of other commands than transfers
	Batches   int
	Defects   []Defect
}

type audit struct {
	report Report
	mirror *mirror

	transfers *cursor[transferRow]
	entries   *cursor[entryRow]

	last batchRow // the last batch that was replayed
	seq  int64    // of the last transfer
}

type batchRow struct {
	seq, at            int64
	transfers, entries int64
	hash               [32]byte
	unreadable         string
}

// Check makes the ledger again from log and transfers and compares all that is
// stored with the outcome, row by row in both directions: assets, accounts,
// holds, the hash of each batch, and that they end where they did. What it can't
// read it names, and goes on. tx must be one read transaction, so that a running
// wallet can be checked: a snapshot that is open for the whole replay, during
// which the write-ahead log can't shrink. Memory grows with accounts and holds,
// not with transfers.
//
// An error means that the check itself failed, not that it found a defect.
func Check(ctx context.Context, tx db.Tx) (Report, error) {
	a := &audit{mirror: newMirror()}
	for _, step := range []func(context.Context, db.Tx) error{
		a.checkFile, a.checkForeignKeys, a.replay, a.checkIDs, a.checkHead, a.checkEnd,
		a.compareAssets, a.compareAccounts, a.compareHolds,
	} {
		err := step(ctx, tx)
		if err != nil && ctx.Err() == nil && a.found(DefectDatabase) {
			a.defect(DefectDatabase, "what follows can't be read: %v", err)
			continue
		}
		if err != nil {
			return a.report, err
		}
	}
	return a.report, nil
}

func (a *audit) defect(name, format string, args ...any) {
	a.report.Defects = append(a.report.Defects, Defect{name, fmt.Sprintf(format, args...)})
}

func (a *audit) found(name string) bool {
	for _, d := range a.report.Defects {
		if d.Name == name {
			return true
		}
	}
	return false
}

// replay walks batches, log and transfers side by side, in order.
func (a *audit) replay(ctx context.Context, tx db.Tx) error {
	a.transfers, a.entries = transferCursor(), entryCursor()
	defer a.transfers.close()
	defer a.entries.close()
	if err := a.transfers.open(ctx, tx, transfersInOrder); err != nil {
		return err
	}
	if err := a.entries.open(ctx, tx, entriesInOrder); err != nil {
		return err
	}
	var b batchRow
	var broken error
	c := &columns{}
	c.int("seq", &b.seq)
	c.int("at", &b.at)
	c.int("transfers", &b.transfers)
	c.int("entries", &b.entries)
	c.hash("hash", &b.hash)
	err := c.each(ctx, tx, "SELECT seq, at, transfers, entries, hash FROM batches ORDER BY seq", func(unreadable string) {
		b.unreadable = unreadable
		if broken == nil {
			broken = a.replayBatch(b)
		}
	})
	if err = errors.Join(err, broken); err != nil {
		return err
	}
	return a.orphans(math.MaxInt64)
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
			err = a.replayTransfer(chain, b.at)
		default:
			a.endBatch(b, chain.sum(), transfers, entries)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// endBatch compares a replayed batch with its row, and the accounts that it
// touched with their limits.
func (a *audit) endBatch(b batchRow, hash [32]byte, transfers, entries int64) {
	if b.unreadable != "" {
		b.hash = hash
	} else if b.hash != hash || b.transfers != transfers || b.entries != entries {
		a.defect(DefectHash, "batch %d is not what was committed (%d of %d transfers, %d of %d log entries)",
			b.seq, transfers, b.transfers, entries, b.entries)
	}
	a.last = b // its own hash: names the batch that was changed, not all that follow
	a.checkLimits(fmt.Sprintf("batch %d", b.seq))
}

func (a *audit) checkLimits(where string) {
	for account, span := range a.mirror.spans {
		if !span.holds(*account) {
			a.defect(DefectLimit, "account %s was debited beyond its limit in %s", account.ID, where)
		}
	}
	clear(a.mirror.spans)
}

// orphans replays entries and transfers up to a batch that has no row.
func (a *audit) orphans(batch int64) error {
	for a.entries.more && a.entries.row.batch <= batch {
		a.defect(DefectLog, "entry %d of batch %d belongs to no batch", a.entries.row.n, a.entries.row.batch)
		if err := a.replayEntry(newChainHash([32]byte{}, 0, 0)); err != nil {
			return err
		}
	}
	for a.transfers.more && a.transfers.row.batch <= batch {
		a.defect(DefectTransfer, "transfer %s belongs to no batch", a.transfers.row.ID)
		if err := a.replayTransfer(newChainHash([32]byte{}, 0, 0), a.transfers.row.at); err != nil {
			return err
		}
	}
	a.checkLimits("no batch")
	return nil
}

func (a *audit) replayEntry(chain chainHash) error {
	e := a.entries.row
	a.report.Entries++
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

func (a *audit) replayTransfer(chain chainHash, at int64) error {
	t := a.transfers.row
	a.report.Transfers++
	chain.transfer(t.postedTransfer)
	if t.seq != a.seq+1 {
		a.defect(DefectTransfer, "transfer %d comes after %d", t.seq, a.seq)
	}
	a.seq = t.seq
	if t.unreadable != "" {
		a.defect(DefectUnreadable, "transfers, seq %d: %s", t.seq, t.unreadable)
		return a.transfers.next()
	}
	if t.at != at {
		a.defect(DefectTransfer, "transfer %s has another time than its batch", t.ID)
	}
	if err := a.mirror.post(t.postedTransfer); err != nil {
		a.defect(DefectTransfer, "transfer %s: %v", t.ID, err)
	}
	return a.transfers.next()
}
