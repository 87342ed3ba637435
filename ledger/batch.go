package ledger

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"pochi/db"
)

// batch collects what the units of one transaction change. The images are
// states before a change, newest last: undoing walks them backwards.
type batch struct {
	accountImages []accountImage
	holdImages    []holdImage
	packetImages  []packetImage
	items         []item  // of suspense, opened or resolved
	assets        []Asset // that were opened
	transfers     []postedTransfer
	entries       []numberedEntry
	closings      []entry // of holds and accounts: they take effect after all else
	packets       []packets
	packetsOf     map[packetKey]int // their places
	ids           map[ID]int        // the transfers' places
}

type accountImage struct {
	account *account
	before  Account
	isNew   bool
}

type holdImage struct {
	hold   *hold
	before amounts
	isNew  bool
}

type packetImage struct {
	place  int
	before packets
}

// posting is a transfer as its command asks for it: Draw's is drawn from the
// hold with its reference, its debit account and the credit account hold;
// Transfer's is not.
type posting struct {
	Transfer
	drawn bool
	hold  ID
}

// postedTransfer is a posting with what it names. A transfer of packets has a
// count and no id.
type postedTransfer struct {
	posting
	debit, credit *account
	from          *hold // nil when it is drawn from none
	packets       int64
}

// numberedEntry has its place among the batch's entries and transfers, from 1.
type numberedEntry struct {
	n int64
	entry
}

type mark struct{ accounts, holds, packets, items, assets, transfers, entries, closings int }

// reset begins the next batch in the memory of the last.
func (b *batch) reset() {
	clear(b.packetsOf)
	clear(b.ids)
	if b.ids == nil {
		b.packetsOf, b.ids = map[packetKey]int{}, map[ID]int{}
	}
	b.accountImages, b.holdImages = emptied(b.accountImages), emptied(b.holdImages)
	b.packetImages, b.items = emptied(b.packetImages), emptied(b.items)
	b.assets, b.transfers, b.entries = emptied(b.assets), emptied(b.transfers), emptied(b.entries)
	b.closings, b.packets = emptied(b.closings), emptied(b.packets)
}

// emptied returns the slice without its elements, which may then be collected.
func emptied[T any](s []T) []T {
	clear(s)
	return s[:0]
}

func (b *batch) mark() mark {
	return mark{len(b.accountImages), len(b.holdImages), len(b.packetImages), len(b.items), len(b.assets),
		len(b.transfers), len(b.entries), len(b.closings)}
}

// touch keeps what an account was before the running chain.
func (b *batch) touch(l *Ledger, a *account) {
	if a.chain != l.chains {
		b.image(l, a)
	}
}

// image keeps what an account is now.
func (b *batch) image(l *Ledger, a *account) {
	a.chain = l.chains
	b.accountImages = append(b.accountImages, accountImage{account: a, before: a.Account})
}

func (b *batch) opened(l *Ledger, a *account) {
	l.accounts.last++
	a.n, a.chain, a.used = l.accounts.last, l.chains, l.chains
	l.accounts.byID[a.ID] = a
	l.loaded++
	b.accountImages = append(b.accountImages, accountImage{account: a, before: a.Account, isNew: true})
}

func (b *batch) touchHold(l *Ledger, h *hold) {
	if h.chain != l.chains {
		h.chain = l.chains
		b.holdImages = append(b.holdImages, holdImage{hold: h, before: h.amounts})
	}
}

func (b *batch) openedHold(l *Ledger, h *hold) {
	l.holds.last++
	h.n, h.chain, h.used = l.holds.last, l.chains, l.chains
	l.holds.add(h)
	l.loaded++
	b.holdImages = append(b.holdImages, holdImage{hold: h, isNew: true})
}

// effects is how many numbers are given away.
func (b *batch) effects() int64 { return int64(len(b.transfers) + len(b.entries)) }

func (b *batch) log(e entry) {
	b.entries = append(b.entries, numberedEntry{b.effects() + 1, e})
}

// closed logs the end of a hold or an account, after all else of the batch:
// what packets did before is only written at the end, and nothing touches it
// afterwards.
func (b *batch) closed(e entry) { b.closings = append(b.closings, e) }

func (b *batch) posted(t postedTransfer) {
	b.ids[t.ID] = len(b.transfers)
	b.transfers = append(b.transfers, t)
}

// packet adds a packet to the transfer of those like it.
func (b *batch) packet(key packetKey, amount uint64) {
	place, begun := b.packetsOf[key]
	if !begun {
		place = len(b.packets)
		b.packetsOf[key] = place
		b.packets = append(b.packets, packets{packetKey: key})
	}
	p := &b.packets[place]
	b.packetImages = append(b.packetImages, packetImage{place, *p})
	p.amount += amount
	p.count++
}

// rollBack restores all that was changed since m, newest first.
func (b *batch) rollBack(l *Ledger, m mark) {
	for i := len(b.packetImages) - 1; i >= m.packets; i-- {
		image := b.packetImages[i]
		b.packets[image.place] = image.before
		if image.before.count == 0 { // it began here, so it is the last
			delete(b.packetsOf, image.before.packetKey)
			b.packets = b.packets[:image.place]
		}
	}
	for i := len(b.holdImages) - 1; i >= m.holds; i-- {
		b.holdImages[i].undo(l)
	}
	for i := len(b.accountImages) - 1; i >= m.accounts; i-- {
		b.accountImages[i].undo(l)
	}
	for _, t := range b.transfers[m.transfers:] {
		delete(b.ids, t.ID)
	}
	for _, asset := range b.assets[m.assets:] {
		delete(l.assets, asset)
	}
	b.accountImages = b.accountImages[:m.accounts]
	b.holdImages = b.holdImages[:m.holds]
	b.packetImages = b.packetImages[:m.packets]
	b.items = b.items[:m.items]
	b.transfers = b.transfers[:m.transfers]
	b.assets = b.assets[:m.assets]
	b.entries = b.entries[:m.entries]
	b.closings = b.closings[:m.closings]
}

func (i accountImage) undo(l *Ledger) {
	i.account.Account = i.before
	if i.isNew {
		delete(l.accounts.byID, i.account.ID)
		l.accounts.last--
	}
}

func (i holdImage) undo(l *Ledger) {
	i.hold.fly(i.before.toward, i.before.inFlight)
	i.hold.amounts = i.before
	if i.isNew {
		l.holds.drop(i.hold)
		l.holds.last--
	}
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
		before, err := l.find(tx, now.ID)
		switch {
		case errors.Is(err, sql.ErrNoRows) && !l.usableID(now.ID):
			return &Error{Index: i, Command: command, Err: ErrID}
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

// aheadMost is how far in the future an id may be from.
const aheadMost = 5 * time.Minute

// usableID tells whether a new transfer may have an id: what has been posted is
// found quickly as long as ids grow with time.
func (l *Ledger) usableID(id ID) bool {
	if id.Version() != 7 {
		return false
	}
	milliseconds := int64(binary.BigEndian.Uint64(id[:]) >> 16)
	return milliseconds <= l.clock().Add(aheadMost).UnixMilli()
}

// find returns what was posted under an id, or sql.ErrNoRows.
func (l *Ledger) find(tx db.Tx, id ID) (posting, error) {
	if place, now := l.batch.ids[id]; now {
		return l.batch.transfers[place].posting, nil
	}
	seq, err := l.index.find(tx, id)
	if err != nil {
		return posting{}, err
	}
	return storedPosting(tx, seq)
}

func storedPosting(tx db.Tx, seq int64) (posting, error) {
	var p posting
	var hold []byte
	err := tx.QueryRowContext(context.Background(), `SELECT t.id, d.id, c.id, t.amount, t.code, t.reference, k.id
		FROM transfers t JOIN accounts d ON d.n = t.debit JOIN accounts c ON c.n = t.credit
		LEFT JOIN holds h ON h.n = t.hold LEFT JOIN accounts k ON k.n = h.credit WHERE t.seq = ?`, seq).
		Scan(&p.ID, &p.Debit, &p.Credit, &p.Amount, &p.Code, &p.Reference, &hold)
	if err != nil {
		return p, fmt.Errorf("transfer %d: %w", seq, err)
	}
	p.drawn = hold != nil
	copy(p.hold[:], hold)
	return p, nil
}
