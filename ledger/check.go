package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
	DefectHash      = "hash-chain"     // a batch's hash is not that of its rows
	DefectTransfer  = "transfer"       // a transfer that could not have been posted
	DefectTotals    = "account-totals" // posted totals differ from the transfers
	DefectPending   = "pending-totals" // pending totals differ from the open holds
	DefectLimit     = "account-limit"  // debits exceed credits and limit
	DefectZeroSum   = "zero-sum"       // a ledger's debits differ from its credits
	DefectHold      = "hold"           // a hold's drawn part differs from its transfers
	DefectClosed    = "closed-account" // a closed account holds money
	DefectTimeOrder = "time-order"     // batches out of order
	DefectHead      = "head"           // the head row is behind the batches
)

// Report is what Check saw.
type Report struct {
	Accounts  int
	Transfers int
	Batches   int
	Defects   []Defect
}

type audit struct {
	report   Report
	accounts map[ID]*audited
	drawn    map[drawKey]drawn
	hash     [32]byte
	lastSeq  int64
	lastAt   int64
	seq      int64 // of the last transfer
}

type audited struct {
	Account
	batch                   int64
	debits, credits         uint64 // by the transfers
	heldDebits, heldCredits uint64 // by the open holds
}

type drawKey struct{ reference, debit ID }

// drawn is what was drawn from the holds of one reference and debit account.
type drawn struct{ transfers, holds uint64 }

// Check replays all transfers and compares every account, hold and batch with
// the outcome. tx must be one read transaction, so that a running wallet can
// be checked. An error means that it could not read, not that it found a
// defect.
func Check(ctx context.Context, tx db.Tx) (Report, error) {
	a := &audit{accounts: map[ID]*audited{}, drawn: map[drawKey]drawn{}}
	for _, step := range []func(context.Context, db.Tx) error{
		a.readAccounts, a.replayBatches, a.readHolds, a.compareHead,
	} {
		if err := step(ctx, tx); err != nil {
			return a.report, err
		}
	}
	a.compareHolds()
	a.compareAccounts()
	return a.report, nil
}

func (a *audit) defect(name, format string, args ...any) {
	a.report.Defects = append(a.report.Defects, Defect{name, fmt.Sprintf(format, args...)})
}

func (a *audit) readAccounts(ctx context.Context, tx db.Tx) error {
	return eachRow(ctx, tx, "SELECT "+accountColumns+", batch FROM accounts", func(row scanner) error {
		var b audited
		err := row.Scan(&b.ID, &b.Ledger, &b.Code, &b.Limit, &b.DebitsPending, &b.DebitsPosted,
			&b.CreditsPending, &b.CreditsPosted, &b.Closed, &b.batch)
		a.accounts[b.ID] = &b
		a.report.Accounts++
		return err
	})
}

// replayBatches walks batches and transfers side by side, in order.
func (a *audit) replayBatches(ctx context.Context, tx db.Tx) error {
	opened := map[int64][]*Account{}
	for _, account := range a.accounts {
		opened[account.batch] = append(opened[account.batch], &account.Account)
	}
	transfers, err := newTransferCursor(ctx, tx)
	if err != nil {
		return err
	}
	defer transfers.close()
	err = eachRow(ctx, tx, "SELECT seq, at, transfers, hash FROM batches ORDER BY seq", func(row scanner) error {
		var seq, at int64
		var count int
		var hash []byte
		if err := row.Scan(&seq, &at, &count, &hash); err != nil {
			return err
		}
		return a.replayBatch(seq, at, count, hash, opened, transfers)
	})
	if err != nil {
		return err
	}
	for transfers.more {
		a.replayTransfer(transfers.row, transfers.row.at)
		a.defect(DefectTransfer, "transfer %s belongs to no batch", transfers.row.ID)
		if err := transfers.next(); err != nil {
			return err
		}
	}
	for batch, accounts := range opened {
		a.defect(DefectHash, "account %s claims batch %d, which opened none", accounts[0].ID, batch)
	}
	return nil
}

func (a *audit) replayBatch(seq, at int64, count int, hash []byte, opened map[int64][]*Account, transfers *transferCursor) error {
	a.report.Batches++
	if seq <= a.lastSeq || at <= a.lastAt {
		a.defect(DefectTimeOrder, "batch %d at %d comes after batch %d at %d", seq, at, a.lastSeq, a.lastAt)
	}
	a.lastSeq, a.lastAt = seq, at
	chain := newChainHash(a.hash, seq, at)
	sortAccounts(opened[seq])
	for _, account := range opened[seq] {
		chain.account(*account)
	}
	delete(opened, seq)
	found := 0
	for transfers.more && transfers.row.batch <= seq {
		t := transfers.row
		a.replayTransfer(t, at)
		if t.batch < seq {
			a.defect(DefectTransfer, "transfer %s belongs to no batch", t.ID)
		} else {
			chain.transfer(t.postedTransfer)
			found++
		}
		if err := transfers.next(); err != nil {
			return err
		}
	}
	a.hash = chain.sum()
	if found != count || string(a.hash[:]) != string(hash) {
		a.defect(DefectHash, "batch %d is not what was committed (%d of %d transfers)", seq, found, count)
		copy(a.hash[:], hash) // name the batch that was changed, not all that follow
	}
	return nil
}

func (a *audit) replayTransfer(t transferRow, at int64) {
	a.report.Transfers++
	if t.seq != a.seq+1 || t.at != at {
		a.defect(DefectTransfer, "transfer %s has number %d after %d, or another time than its batch", t.ID, t.seq, a.seq)
	}
	a.seq = t.seq
	debit, credit := a.accounts[t.Debit], a.accounts[t.Credit]
	if debit == nil || credit == nil || debit.Ledger != t.ledger || credit.Ledger != t.ledger {
		a.defect(DefectTransfer, "transfer %s names an account that is not on ledger %d", t.ID, t.ledger)
		return
	}
	debit.debits += t.Amount
	credit.credits += t.Amount
	if t.drawn {
		key := drawKey{t.Reference, t.Debit}
		sum := a.drawn[key]
		sum.transfers += t.Amount
		a.drawn[key] = sum
	}
}

func (a *audit) readHolds(ctx context.Context, tx db.Tx) error {
	return eachRow(ctx, tx, "SELECT reference, debit, credit, reserved + in_flight, drawn FROM holds", func(row scanner) error {
		var key holdKey
		var pending, drawnAmount uint64
		if err := row.Scan(&key.reference, &key.debit, &key.credit, &pending, &drawnAmount); err != nil {
			return err
		}
		debit, credit := a.accounts[key.debit], a.accounts[key.credit]
		if debit == nil || credit == nil {
			a.defect(DefectHold, "hold %s names an account that does not exist", key.reference)
			return nil
		}
		debit.heldDebits += pending
		credit.heldCredits += pending
		sum := a.drawn[drawKey{key.reference, key.debit}]
		sum.holds += drawnAmount
		a.drawn[drawKey{key.reference, key.debit}] = sum
		return nil
	})
}

func (a *audit) compareHolds() {
	for key, sum := range a.drawn {
		if sum.holds != sum.transfers {
			a.defect(DefectHold, "hold %s says %d drawn, its transfers say %d", key.reference, sum.holds, sum.transfers)
		}
	}
}

func (a *audit) compareAccounts() {
	sums := map[uint32]int64{}
	for id, b := range a.accounts {
		if b.DebitsPosted != b.debits || b.CreditsPosted != b.credits {
			a.defect(DefectTotals, "account %s says %d debited and %d credited, its transfers say %d and %d",
				id, b.DebitsPosted, b.CreditsPosted, b.debits, b.credits)
		}
		if b.DebitsPending != b.heldDebits || b.CreditsPending != b.heldCredits {
			a.defect(DefectPending, "account %s says %d and %d pending, its holds say %d and %d",
				id, b.DebitsPending, b.CreditsPending, b.heldDebits, b.heldCredits)
		}
		if b.DebitsPosted+b.DebitsPending > b.CreditsPosted+b.Limit {
			a.defect(DefectLimit, "account %s is below its limit", id)
		}
		if b.Closed && (b.DebitsPosted != b.CreditsPosted || b.DebitsPending != 0 || b.CreditsPending != 0) {
			a.defect(DefectClosed, "account %s is closed and not empty", id)
		}
		sums[b.Ledger] += int64(b.DebitsPosted) - int64(b.CreditsPosted)
	}
	for ledger, sum := range sums {
		if sum != 0 {
			a.defect(DefectZeroSum, "ledger %d sums to %d", ledger, sum)
		}
	}
}

func (a *audit) compareHead(ctx context.Context, tx db.Tx) error {
	var seq, at int64
	err := tx.QueryRowContext(ctx, "SELECT seq, at FROM head").Scan(&seq, &at)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // without a row it is at 0
		return fmt.Errorf("read head: %w", err)
	}
	if seq < a.lastSeq || at < a.lastAt {
		a.defect(DefectHead, "head is at batch %d, the last is %d", seq, a.lastSeq)
	}
	return nil
}
