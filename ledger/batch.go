package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"pochi/db"

	"github.com/google/uuid"
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
	assets        []Asset // that were opened
	transfers     []postedTransfer
	entries       []numberedEntry
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

// posting is a transfer as its command asks for it: Draw's is drawn from the
// hold with its reference, its debit account and the credit account hold;
// Transfer's is not.
type posting struct {
	Transfer
	drawn bool
	hold  ID
}

func (p posting) holdKey() holdKey { return holdKey{p.Reference, p.Debit, p.hold} }

type postedTransfer struct {
	posting
	ledger uint32
}

// numberedEntry has its place among the batch's entries and transfers, from 1.
type numberedEntry struct {
	n int64
	entry
}

type mark struct{ accounts, holds, assets, transfers, entries int }

func (b *batch) reset() { *b = batch{ids: map[ID]posting{}} }

func (b *batch) mark() mark {
	return mark{len(b.accountImages), len(b.holdImages), len(b.assets), len(b.transfers), len(b.entries)}
}

func (b *batch) touch(a *Account) {
	b.accountImages = append(b.accountImages, accountImage{account: a, before: *a})
}

func (b *batch) opened(a *Account) {
	b.accountImages = append(b.accountImages, accountImage{account: a, before: *a, isNew: true})
}

func (b *batch) touchHold(h *hold) {
	b.holdImages = append(b.holdImages, holdImage{hold: h, before: *h})
}

func (b *batch) openedHold(h *hold) {
	b.holdImages = append(b.holdImages, holdImage{hold: h, before: *h, isNew: true})
}

// effects is how many commands of the batch took effect.
func (b *batch) effects() int64 { return int64(len(b.transfers) + len(b.entries)) }

func (b *batch) log(e entry) {
	b.entries = append(b.entries, numberedEntry{b.effects() + 1, e})
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
	for _, asset := range b.assets[m.assets:] {
		delete(l.assets, asset)
	}
	b.accountImages = b.accountImages[:m.accounts]
	b.holdImages = b.holdImages[:m.holds]
	b.transfers = b.transfers[:m.transfers]
	b.assets = b.assets[:m.assets]
	b.entries = b.entries[:m.entries]
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
	var hold uuid.NullUUID
	err := tx.QueryRowContext(context.Background(),
		"SELECT id, debit, credit, amount, code, reference, hold FROM transfers WHERE id = ?", id[:]).
		Scan(&p.ID, &p.Debit, &p.Credit, &p.Amount, &p.Code, &p.Reference, &hold)
	p.drawn, p.hold = hold.Valid, hold.UUID
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
