// Package ledger is the Accounts service: assets, accounts, transfers and
// holds, double-entry, durable when a call returns.
//
// A ledger is an asset: transfers stay within one, and the debits of all its
// accounts equal the credits. Crossing assets is a chain of two transfers
// through two exchange accounts. A Chain of commands succeeds or fails as one,
// and the caller's own rows commit with it, so there is one truth after a
// crash. The package knows no people and no payments: a 16-byte reference says
// for what money moved.
//
// Balances are checked in memory, on the writer's goroutine, and written with
// the batch they belong to. Reads go to the database, which shows what is
// committed; accounts that are often looked at are remembered as that (see Find).
//
// What finds a transfer, by its id and by its accounts, is not written with the
// batch. The rows of those tables are scattered; a plain loop that inserts
// nothing but transfers writes 270,000 to 460,000 a second on two cores, with
// the index in each batch of 1,000 48,000 to 61,000, with the index sorted and
// inserted once for 131,072 of them 154,000 to 158,000. So transfers that are
// not indexed yet stay in memory as well, and the index follows them slice by
// slice, in its own order (see index). History, Statement and the check for
// repeated ids look at both, so they show what was committed last.
//
// The truth is the transfers and a log of all other commands, in the order they
// took effect, under a chain of hashes; accounts, holds and assets are what
// they come to. Check makes them again from nothing and compares. Whoever edits
// the file is found out unless they compute the hashes again from their change
// to the end: then only a copy of the last hash that is kept elsewhere tells.
package ledger

import (
	"context"
	"fmt"
	"math"
	"time"

	"pochi/db"

	"github.com/google/uuid"
)

// AmountMax is the largest amount and the largest total: the databases hold
// signed 64-bit integers.
const AmountMax uint64 = math.MaxInt64

// ID names an account or a transfer. Transfers have time-ordered ids (UUIDv7)
// chosen by the client: they are the idempotency keys.
type ID = uuid.UUID

// Sizes of what stays in memory. Variables, so that tests can make them small.
var (
	accountsKept = 1 << 20        // accounts; more leave when they are quiet
	holdsKept    = 1 << 18        // holds
	quietAfter   = int64(1 << 16) // chains since an account or a hold was used
)

// Ledger checks chains in memory and writes them through the one Writer.
type Ledger struct {
	db  *db.DB
	now func() time.Time

	// All below belongs to the writer's goroutine.
	assets   map[Asset]uint32 // their ledgers
	accounts accounts
	holds    holds
	suspense int64    // the number of the last item
	hash     [32]byte // of the last batch
	seq      int64    // of the last transfer
	chains   int64    // how many were applied since the start
	loaded   int      // how many accounts and holds have come into memory since the last look for quiet ones
	batch    batch
	flusher  flusher
	index    index
	expiry   expiry

	looked looked // everybody's
}

// Open loads what a start needs and makes good what a crash left: what was in
// flight then is released or goes to suspense. The database must be open for
// writing. ErrDamaged: the last batches are not those that were written.
func Open(ctx context.Context, d *db.DB) (*Ledger, error) {
	l, err := open(ctx, d, time.Now)
	if err != nil {
		return nil, err
	}
	go l.expire()
	return l, nil
}

func open(ctx context.Context, d *db.DB, now func() time.Time) (*Ledger, error) {
	l := &Ledger{
		db: d, now: now, assets: map[Asset]uint32{},
		accounts: accounts{byID: map[ID]*account{}, most: accountsKept},
		holds:    holds{byKey: map[holdKey]*hold{}, most: holdsKept},
		expiry:   newExpiry(),
		looked:   looked{byID: map[ID]Account{}},
	}
	l.index.wake = l.wake
	l.batch.reset()
	err := d.Writer.Join(ctx, l, func(tx db.Tx) error {
		if err := l.load(tx); err != nil {
			return fmt.Errorf("load: %w", err)
		}
		if err := l.recover(tx); err != nil {
			return fmt.Errorf("recover what was in flight: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	return l, nil
}

// Submit applies the chain, all of it or nothing, and commits the caller's
// rows with it (rows may be nil; it runs on the writer's goroutine and must do
// no other I/O). It returns when both are durable. A refused command comes
// back as *Error; an error of rows undoes the chain and comes back as it is.
//
// A chain that was committed before is recognised by its transfers' ids, before
// anything else is checked: ErrExists, and rows does not run again. When only
// some of its transfers were posted, or one has another body, it is another
// chain: ErrExistsDifferent.
func (l *Ledger) Submit(ctx context.Context, chain Chain, rows func(db.Tx) error) error {
	return l.db.Writer.Submit(ctx, db.Unit{
		Apply: func(tx db.Tx) (func(), error) { return l.Apply(tx, chain) },
		Rows:  rows,
	})
}

// Apply applies the chain as a part of a caller's own db.Unit, for those who
// keep more state in memory with it: it is to be called in the unit's Apply and
// nowhere else, at most once. Its errors are Submit's. Undo restores what the
// chain changed; the unit's own undo has to call it.
func (l *Ledger) Apply(tx db.Tx, chain Chain) (undo func(), err error) {
	for i, command := range chain {
		if !isValue(command) {
			return nil, &Error{Index: i, Command: command, Err: ErrCommand}
		}
	}
	l.evict()
	if err := l.unseen(tx, chain); err != nil {
		return nil, err
	}
	l.chains++
	start := l.batch.mark()
	undo = func() { l.batch.rollBack(l, start) }
	for i, command := range chain {
		if err := command.apply(l, tx); err != nil {
			undo()
			return nil, &Error{Index: i, Command: command, Err: err}
		}
	}
	l.closeLanded(start)
	return undo, nil
}

// evict lets quiet accounts and holds leave memory, when a batch begins: nothing
// of it names them yet. It looks at more than have come in since.
func (l *Ledger) evict() {
	if l.batch.mark() != (mark{}) || l.loaded == 0 {
		return
	}
	since, looks := l.chains-quietAfter, sampled+2*l.loaded
	l.holds.evict(since, looks)
	l.accounts.evict(since, looks)
	l.loaded = 0
}
