package ledger

import (
	"context"
	"fmt"

	"pochi/db"
)

// checkFile lets SQLite look at its pages, indexes and constraints.
func (a *audit) checkFile(ctx context.Context, tx db.Tx) error {
	var line string
	c := &columns{}
	c.text("line", &line)
	return c.each(ctx, tx, "PRAGMA quick_check", func(string) {
		if line != "ok" {
			a.defect(DefectDatabase, "%s", line)
		}
	})
}

func (a *audit) checkForeignKeys(ctx context.Context, tx db.Tx) error {
	var table, parent string
	var rowid any
	c := &columns{}
	c.text("table", &table)
	c.value("rowid", func(src any) bool { rowid = src; return true })
	c.text("parent", &parent)
	c.value("fkid", func(any) bool { return true })
	return c.each(ctx, tx, "PRAGMA foreign_key_check", func(string) {
		where := "a row"
		if rowid != nil { // a table WITHOUT ROWID has none
			where = fmt.Sprintf("row %v", rowid)
		}
		a.defect(DefectForeignKey, "%s: %s names nothing that is in %s", table, where, parent)
	})
}

// checkIDs looks for transfers that share an id, past the index that forbids it.
func (a *audit) checkIDs(ctx context.Context, tx db.Tx) error {
	var id []byte
	c := &columns{}
	c.bytes("id", &id)
	return c.each(ctx, tx, "SELECT id FROM transfers NOT INDEXED GROUP BY id HAVING count(*) > 1", func(string) {
		a.defect(DefectDuplicate, "several transfers have the id %x", id)
	})
}

// checkHead compares the head row with its seal and with the last batch: it may
// be ahead, because not every batch concerns the ledger.
func (a *audit) checkHead(ctx context.Context, tx db.Tx) error {
	var head db.Head
	var seal [32]byte
	rows := 0
	c := &columns{}
	c.int("seq", &head.Seq)
	c.int("epoch", &head.Epoch)
	c.int("at", &head.At)
	c.hash("seal", &seal)
	err := c.each(ctx, tx, "SELECT seq, epoch, at, seal FROM head", func(unreadable string) {
		rows++
		switch {
		case unreadable != "":
			a.defect(DefectUnreadable, "head: %s", unreadable)
		case seal != head.Seal():
			a.defect(DefectHead, "head is at batch %d, epoch %d, time %d, which no writer has sealed", head.Seq, head.Epoch, head.At)
		case head.Seq < a.last.seq || head.At < a.last.at || (head.Seq == a.last.seq) != (head.At == a.last.at):
			a.defect(DefectHead, "head is at batch %d, time %d, the last is %d, %d", head.Seq, head.At, a.last.seq, a.last.at)
		}
	})
	if err == nil && rows != 1 {
		a.defect(DefectHead, "there are %d head rows", rows)
	}
	return err
}

// checkEnd finds out whether batches were cut off or put on.
func (a *audit) checkEnd(ctx context.Context, tx db.Tx) error {
	var batch int64
	var seal [32]byte
	rows := 0
	c := &columns{}
	c.int("batch", &batch)
	c.hash("seal", &seal)
	err := c.each(ctx, tx, "SELECT batch, seal FROM ledger_end", func(unreadable string) {
		rows++
		switch {
		case unreadable != "":
			a.defect(DefectUnreadable, "ledger_end: %s", unreadable)
		case batch != a.last.seq:
			a.defect(DefectEnd, "the last batch is %d, the one that was written last is %d", a.last.seq, batch)
		case seal != sealOf(a.last.hash):
			a.defect(DefectEnd, "the last batch, %d, is another than was written last", batch)
		}
	})
	if err == nil && rows == 0 && a.report.Batches > 0 {
		a.defect(DefectEnd, "nothing says where the batches end")
	}
	return err
}

func (a *audit) compareAssets(ctx context.Context, tx db.Tx) error {
	var ledger uint32
	var asset Asset
	missing := a.mirror.assets
	c := &columns{}
	whole(c, "ledger", &ledger)
	c.text("code", &asset.Code)
	whole(c, "scale", &asset.Scale)
	err := c.each(ctx, tx, "SELECT ledger, code, scale FROM assets", func(unreadable string) {
		want, known := missing[ledger]
		delete(missing, ledger)
		switch {
		case unreadable != "":
			a.defect(DefectUnreadable, "assets, ledger %d: %s", ledger, unreadable)
		case !known:
			a.defect(DefectAsset, "ledger %d, %s, was never opened", ledger, asset)
		case asset != want:
			a.defect(DefectAsset, "ledger %d is %s, it was opened as %s", ledger, asset, want)
		}
	})
	if err != nil {
		return err
	}
	for ledger, asset := range missing {
		a.defect(DefectAsset, "ledger %d, %s, is missing", ledger, asset)
	}
	return nil
}

func (a *audit) compareAccounts(ctx context.Context, tx db.Tx) error {
	var row Account
	missing, sums := a.mirror.accounts, map[uint32]uint64{} // credits less debits, modulo 2^64
	c := &columns{}
	c.id("id", &row.ID)
	whole(c, "ledger", &row.Ledger)
	whole(c, "code", &row.Code)
	whole(c, "debit_limit", &row.Limit)
	whole(c, "debits_pending", &row.DebitsPending)
	whole(c, "debits_posted", &row.DebitsPosted)
	whole(c, "credits_pending", &row.CreditsPending)
	whole(c, "credits_posted", &row.CreditsPosted)
	c.flag("closed", &row.Closed)
	err := c.each(ctx, tx, "SELECT "+accountColumns+" FROM accounts", func(unreadable string) {
		a.report.Accounts++
		sums[row.Ledger] += row.CreditsPosted - row.DebitsPosted
		want, known := missing[row.ID]
		delete(missing, row.ID)
		switch {
		case unreadable != "":
			a.defect(DefectUnreadable, "accounts, id %s: %s", row.ID, unreadable)
		case !known:
			a.defect(DefectAccount, "account %s was never opened", row.ID)
		default:
			a.compareAccount(row, *want)
		}
	})
	if err != nil {
		return err
	}
	for id := range missing {
		a.defect(DefectAccount, "account %s is missing", id)
	}
	for ledger, sum := range sums {
		if sum != 0 {
			a.defect(DefectZeroSum, "ledger %d sums to %d", ledger, int64(sum))
		}
	}
	return nil
}

func (a *audit) compareAccount(row, want Account) {
	if row.Ledger != want.Ledger || row.Code != want.Code || row.Limit != want.Limit || row.Closed != want.Closed {
		a.defect(DefectAccount, "account %s has ledger %d, code %d, limit %d, closed %t; the log says %d, %d, %d, %t",
			row.ID, row.Ledger, row.Code, row.Limit, row.Closed, want.Ledger, want.Code, want.Limit, want.Closed)
	}
	if row.DebitsPosted != want.DebitsPosted || row.CreditsPosted != want.CreditsPosted {
		a.defect(DefectTotals, "account %s says %d debited and %d credited, its transfers say %d and %d",
			row.ID, row.DebitsPosted, row.CreditsPosted, want.DebitsPosted, want.CreditsPosted)
	}
	if row.DebitsPending != want.DebitsPending || row.CreditsPending != want.CreditsPending {
		a.defect(DefectPending, "account %s says %d and %d pending, its holds say %d and %d",
			row.ID, row.DebitsPending, row.CreditsPending, want.DebitsPending, want.CreditsPending)
	}
	if row.Closed && !row.empty() {
		a.defect(DefectClosed, "account %s is closed and not empty", row.ID)
	}
}

func (a *audit) compareHolds(ctx context.Context, tx db.Tx) error {
	var row hold
	var inFlight uint64
	missing := a.mirror.holds
	c := &columns{}
	c.id("reference", &row.key.reference)
	c.id("debit", &row.key.debit)
	c.id("credit", &row.key.credit)
	whole(c, "reserved", &row.reserved)
	whole(c, "in_flight", &inFlight)
	whole(c, "drawn", &row.drawn)
	whole(c, "returned", &row.returned)
	c.flag("closed", &row.closed)
	const query = "SELECT reference, debit, credit, reserved, in_flight, drawn, returned, closed FROM holds"
	err := c.each(ctx, tx, query, func(unreadable string) {
		want, known := missing[row.key]
		delete(missing, row.key)
		switch {
		case unreadable != "":
			a.defect(DefectUnreadable, "holds, %s: %s", row.key, unreadable)
		case !known:
			a.defect(DefectHold, "%s was never opened", row.key)
		case row != *want || inFlight != 0:
			a.defect(DefectHold, "%s has %d reserved, %d in flight, %d drawn, %d returned, closed %t; log and transfers say %d, 0, %d, %d, %t",
				row.key, row.reserved, inFlight, row.drawn, row.returned, row.closed, want.reserved, want.drawn, want.returned, want.closed)
		}
	})
	if err != nil {
		return err
	}
	for key := range missing {
		a.defect(DefectHold, "%s is missing", key)
	}
	return nil
}

// String names the hold, for Check.
func (k holdKey) String() string {
	return fmt.Sprintf("hold %s from %s to %s", k.reference, k.debit, k.credit)
}
