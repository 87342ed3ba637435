package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"pochi/db"
)

type holdKey struct{ reference, debit, credit ID }

// hold is one durable row per (reference, debit, credit): what is reserved,
// what was drawn and what came back.
type hold struct {
	key                       holdKey
	reserved, drawn, returned uint64
	closed                    bool
}

// batch collects what the units of one transaction change. The images are
// states before a change, newest last: undoing walks them backwards.
type batch struct {
	accountImages []accountImage
	holdImages    []holdImage
	transfers     []postedTransfer
	newAccounts   []*Account
	ids           map[ID]posting
}

type accountImage struct {
	account *Account
	before  Account
	isNew   bool
}

type holdImage struct {
	hold   *hold
	before hold
	isNew  bool
}

// posting is a transfer as its command asks for it: Draw's is drawn from a
// hold, Transfer's is not.
type posting struct {
	Transfer
	drawn bool
}

type postedTransfer struct {
	posting
	ledger uint32
}

type mark struct{ accounts, holds, transfers, newAccounts int }

func (b *batch) reset() { *b = batch{ids: map[ID]posting{}} }

func (b *batch) mark() mark {
	return mark{len(b.accountImages), len(b.holdImages), len(b.transfers), len(b.newAccounts)}
}

func (b *batch) touch(a *Account) {
	b.accountImages = append(b.accountImages, accountImage{account: a, before: *a})
}

func (b *batch) opened(a *Account) {
	b.accountImages = append(b.accountImages, accountImage{account: a, before: *a, isNew: true})
	b.newAccounts = append(b.newAccounts, a)
}

func (b *batch) touchHold(h *hold) {
	b.holdImages = append(b.holdImages, holdImage{hold: h, before: *h})
}

func (b *batch) openedHold(h *hold) {
	b.holdImages = append(b.holdImages, holdImage{hold: h, before: *h, isNew: true})
}

func (b *batch) posted(p posting, ledger uint32) {
	b.transfers = append(b.transfers, postedTransfer{p, ledger})
	b.ids[p.ID] = p
}

// rollBack restores all that was changed since m, newest first.
func (b *batch) rollBack(l *Ledger, m mark) {
	for i := len(b.accountImages) - 1; i >= m.accounts; i-- {
		image := b.accountImages[i]
		*image.account = image.before
		if image.isNew {
			delete(l.accounts, image.account.ID)
		}
	}
	for i := len(b.holdImages) - 1; i >= m.holds; i-- {
		image := b.holdImages[i]
		*image.hold = image.before
		if image.isNew {
			delete(l.holds, image.hold.key)
		}
	}
	for _, t := range b.transfers[m.transfers:] {
		delete(b.ids, t.ID)
	}
	b.accountImages = b.accountImages[:m.accounts]
	b.holdImages = b.holdImages[:m.holds]
	b.transfers = b.transfers[:m.transfers]
	b.newAccounts = b.newAccounts[:m.newAccounts]
}

// unseen refuses a chain that was committed before, in this batch or on disk:
// ErrExists when all its transfers were, ErrExistsDifferent when only some
// were or one has another body.
func (l *Ledger) unseen(tx db.Tx, chain Chain) error {
	var repeated *Error
	seen, fresh := 0, 0
	for i, command := range chain {
		now, posts := postingOf(command)
		if !posts {
			continue
		}
		before, err := l.batch.find(tx, now.ID)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			fresh++
			continue
		case err != nil:
			return fmt.Errorf("look up transfer %s: %w", now.ID, err)
		case before != now:
			return &Error{Index: i, Command: command, Err: ErrExistsDifferent}
		}
		seen++
		if repeated == nil {
			repeated = &Error{Index: i, Command: command, Err: ErrExists}
		}
	}
	if seen == 0 {
		return nil
	}
	if fresh > 0 {
		repeated.Err = ErrExistsDifferent
	}
	return repeated
}

// find returns what was posted under an id, or sql.ErrNoRows.
func (b *batch) find(tx db.Tx, id ID) (posting, error) {
	if p, seen := b.ids[id]; seen {
		return p, nil
	}
	var p posting
	err := tx.QueryRowContext(context.Background(),
		"SELECT id, debit, credit, amount, code, reference, drawn FROM transfers WHERE id = ?", id[:]).
		Scan(&p.ID, &p.Debit, &p.Credit, &p.Amount, &p.Code, &p.Reference, &p.drawn)
	return p, err
}

// holdUnseen refuses a hold whose key was used before, closed ones included.
func (l *Ledger) holdUnseen(tx db.Tx, key holdKey) error {
	if _, known := l.holds[key]; known {
		return ErrHoldExists
	}
	var one int
	err := tx.QueryRowContext(context.Background(),
		"SELECT 1 FROM holds WHERE reference = ? AND debit = ? AND credit = ?",
		key.reference[:], key.debit[:], key.credit[:]).Scan(&one)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("look up hold %s: %w", key.reference, err)
	}
	return ErrHoldExists
}

func ledgerExists(tx db.Tx, ledger uint32) error {
	var one int
	err := tx.QueryRowContext(context.Background(), "SELECT 1 FROM assets WHERE ledger = ?", ledger).Scan(&one)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrLedgerUnknown
	case err != nil:
		return fmt.Errorf("look up ledger %d: %w", ledger, err)
	}
	return nil
}
