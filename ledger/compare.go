package ledger

import (
	"context"
	"fmt"
	"math"

	"pochi/db"
)

// walk reads a table in the order of its key, a page in each snapshot. query
// takes the key of the last row, which key returns, and how many rows at most.
func (a *audit) walk(ctx context.Context, c *columns, query string, key func() []any, visit func(unreadable string)) error {
	return a.walkThen(ctx, c, query, key, func(reader) error { return nil }, visit)
}

// walkThen is walk with something to do after each page.
func (a *audit) walkThen(ctx context.Context, c *columns, query string, key func() []any, then func(reader) error,
	visit func(unreadable string),
) error {
	return a.pages(ctx, func() (done bool, err error) {
		rows, from := 0, key()
		err = a.read(func(r reader) error {
			err := c.each(r, func(unreadable string) bool {
				rows++
				visit(unreadable)
				return true
			}, query, append(from, int64(pageRows))...)
			if err != nil {
				return err
			}
			return then(r)
		})
		a.compared += int64(rows)
		// Without its key a table could lead back to where it began.
		return rows < pageRows || fmt.Sprint(from) == fmt.Sprint(key()), err
	})
}

// checkEnds compares the head row and the end with the last batch.
func (a *audit) checkEnds(ctx context.Context) error {
	return a.snapshot(ctx, func() error {
		return a.read(func(r reader) error {
			if err := a.checkHead(r); err != nil {
				return err
			}
			return a.checkEnd(r)
		})
	})
}

// checkHead compares the head row with its seal and with the last batch: it may
// be ahead, because not every batch concerns the ledger.
func (a *audit) checkHead(r reader) error {
	var head db.Head
	var seal [32]byte
	rows := 0
	c := &columns{}
	c.int("seq", &head.Seq)
	c.int("epoch", &head.Epoch)
	c.int("at", &head.At)
	c.hash("seal", &seal)
	err := c.each(r, func(unreadable string) bool {
		rows++
		switch {
		case unreadable != "":
			a.defect(DefectUnreadable, "head: %s", unreadable)
		case seal != head.Seal():
			a.defect(DefectHead, "head is at batch %d, epoch %d, time %d, which no writer has sealed", head.Seq, head.Epoch, head.At)
		case head.Seq < a.last.seq || head.At < a.last.at || (head.Seq == a.last.seq) != (head.At == a.last.at):
			a.defect(DefectHead, "head is at batch %d, time %d, the last is %d, %d", head.Seq, head.At, a.last.seq, a.last.at)
		}
		return true
	}, "SELECT seq, epoch, at, seal FROM head")
	if err == nil && rows != 1 {
		a.defect(DefectHead, "there are %d head rows", rows)
	}
	return err
}

// checkEnd finds out whether batches were cut off or put on.
func (a *audit) checkEnd(r reader) error {
	var batch int64
	var seal [32]byte
	rows := 0
	c := &columns{}
	c.int("batch", &batch)
	c.hash("seal", &seal)
	err := c.each(r, func(unreadable string) bool {
		rows++
		switch {
		case unreadable != "":
			a.defect(DefectUnreadable, "ledger_end: %s", unreadable)
		case batch != a.last.seq:
			a.defect(DefectEnd, "the last batch is %d, the one that was written last is %d", a.last.seq, batch)
		case seal != sealOf(a.last.hash):
			a.defect(DefectEnd, "the last batch, %d, is another than was written last", batch)
		}
		return true
	}, "SELECT batch, seal FROM ledger_end")
	if err == nil && rows == 0 && a.report.Batches > 0 {
		a.defect(DefectEnd, "nothing says where the batches end")
	}
	return err
}

func (a *audit) compareAssets(ctx context.Context) error {
	return a.snapshot(ctx, func() error { return a.read(a.compareAssetsNow) })
}

func (a *audit) compareAssetsNow(r reader) error {
	var ledger uint32
	var asset Asset
	seen := map[uint32]bool{}
	c := &columns{}
	whole(c, "ledger", &ledger)
	c.text("code", &asset.Code)
	whole(c, "scale", &asset.Scale)
	err := c.each(r, func(unreadable string) bool {
		want, known := a.mirror.assets[ledger]
		seen[ledger] = true
		switch {
		case unreadable != "":
			a.defect(DefectUnreadable, "assets, ledger %d: %s", ledger, unreadable)
		case !known:
			a.defect(DefectAsset, "ledger %d, %s, was never opened", ledger, asset)
		case asset != want:
			a.defect(DefectAsset, "ledger %d is %s, it was opened as %s", ledger, asset, want)
		}
		return true
	}, "SELECT ledger, code, scale FROM assets")
	if err != nil {
		return err
	}
	for ledger, asset := range a.mirror.assets {
		if !seen[ledger] {
			a.defect(DefectAsset, "ledger %d, %s, is missing", ledger, asset)
		}
	}
	return nil
}

// compareAccounts also sums up the ledgers: what rows have more or less than
// the replay, in which they are zero.
func (a *audit) compareAccounts(ctx context.Context) error {
	var row Account
	at := int64(beforeAll)
	next := int64(1)            // the first number that wasn't seen
	sums := map[uint32]uint64{} // credits less debits, modulo 2^64
	missing := func(before int64) {
		for ; next < before && next <= int64(len(a.mirror.accounts)); next++ {
			want := a.mirror.account(next)
			sums[want.Ledger] -= want.CreditsPosted - want.DebitsPosted
			a.defect(DefectAccount, "account %s, number %d, is missing", want.ID, next)
		}
	}
	c := &columns{}
	c.int("n", &at)
	c.id("id", &row.ID)
	whole(c, "ledger", &row.Ledger)
	whole(c, "code", &row.Code)
	c.id("user_data", &row.UserData)
	whole(c, "debit_limit", &row.Limit)
	whole(c, "debits_pending", &row.DebitsPending)
	whole(c, "debits_posted", &row.DebitsPosted)
	whole(c, "credits_pending", &row.CreditsPending)
	whole(c, "credits_posted", &row.CreditsPosted)
	c.flag("closed", &row.Closed)
	err := a.walk(ctx, c, "SELECT n, "+accountColumns+" FROM accounts WHERE n > ? ORDER BY n LIMIT ?",
		func() []any { return []any{at} }, func(unreadable string) {
			a.report.Accounts++
			missing(at)
			next = max(next, at+1)
			sums[row.Ledger] += row.CreditsPosted - row.DebitsPosted
			want := a.mirror.account(at)
			if want != nil {
				sums[want.Ledger] -= want.CreditsPosted - want.DebitsPosted
			}
			switch {
			case unreadable != "":
				a.defect(DefectUnreadable, "accounts, n %d, id %s: %s", at, row.ID, unreadable)
			case want == nil:
				a.defect(DefectAccount, "account %s, number %d, was never opened", row.ID, at)
			default:
				a.compareAccount(row, want)
			}
		})
	if err != nil || a.broken {
		return err
	}
	missing(math.MaxInt64)
	for ledger, sum := range sums {
		if sum != 0 {
			a.defect(DefectZeroSum, "ledger %d sums to %d", ledger, int64(sum))
		}
	}
	return nil
}

func (a *audit) compareAccount(row Account, want *mirrorAccount) {
	if row.ID != want.ID || row.UserData != want.UserData {
		a.defect(DefectAccount, "account number %d is %s, user data %s; the log says %s, %s",
			want.n, row.ID, row.UserData, want.ID, want.UserData)
	}
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
			row.ID, row.DebitsPending, row.CreditsPending, int64(want.DebitsPending), int64(want.CreditsPending))
	}
	if row.Closed && holdsMoney(row) {
		a.defect(DefectClosed, "account %s is closed and not empty", row.ID)
	}
}

func (a *audit) compareSuspense(ctx context.Context) error {
	var at int64 = beforeAll
	var row mirrorItem
	next := int64(1)
	missing := func(before int64) {
		for ; next < before && next <= int64(len(a.mirror.items)); next++ {
			a.defect(DefectSuspense, "item %d is missing", next)
		}
	}
	c := &columns{}
	c.int("n", &at)
	c.id("reference", &row.reference)
	c.int("bearer", &row.bearer)
	c.int("counterparty", &row.counterparty)
	whole(c, "amount", &row.amount)
	c.int("batch", &row.batch)
	c.int("together", &row.together)
	c.value("state", func(src any) bool {
		v, ok := src.(int64)
		row.state = suspenseState(v)
		return ok && v >= 0 && v <= int64(suspensePaid)
	})
	const query = "SELECT n, reference, bearer, counterparty, amount, batch, together, state FROM suspense WHERE n > ? ORDER BY n LIMIT ?"
	err := a.walk(ctx, c, query, func() []any { return []any{at} }, func(unreadable string) {
		missing(at)
		next = max(next, at+1)
		switch {
		case unreadable != "":
			a.defect(DefectUnreadable, "suspense, n %d: %s", at, unreadable)
		case at < 1 || at > int64(len(a.mirror.items)):
			a.defect(DefectSuspense, "item %d never was in suspense", at)
		case row != a.mirror.items[at-1]:
			a.defect(DefectSuspense, "item %d is %s; the log says %s", at, row, a.mirror.items[at-1])
		}
	})
	if err == nil && !a.broken {
		missing(math.MaxInt64)
	}
	return err
}

// String shows the item, for Check.
func (i mirrorItem) String() string {
	return fmt.Sprintf("%d of account %d, to %d, for %s, batch %d, with %d, %s",
		i.amount, i.bearer, i.counterparty, i.reference, i.batch, i.together, i.state)
}
