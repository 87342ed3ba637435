package ledger

import (
	"context"
	"errors"
	"time"

	"pochi/db"
)

// Break is a command with a bug: it changes an account behind the books.
type Break struct {
	ID     ID
	Change func(*Account)
}

func (c Break) apply(l *Ledger, tx db.Tx) error {
	account, err := l.known(tx, c.ID)
	if err != nil {
		return err
	}
	l.batch.touch(l, account)
	c.Change(&account.Account)
	return nil
}

// RecodeEntry decodes a log entry and encodes it again.
func RecodeEntry(kind int64, body []byte) (int64, []byte, error) {
	e, err := decodeEntry(kind, body)
	if err != nil {
		return 0, nil, err
	}
	return e.kind(), e.body(), nil
}

// Sizes of what stays in memory, and of the index's segments and slices.
type Sizes struct {
	Accounts, Holds                                int
	QuietAfter                                     int64
	SegmentFull, SegmentIdle                       int
	SlicePerRow, SliceLeast, SliceIdle, SliceCatch int
}

// SetSizes sets them for the ledgers that are opened from now on, and returns
// what they were. No ledger may be open.
func SetSizes(s Sizes) (before Sizes) {
	before = Sizes{accountsKept, holdsKept, quietAfter, segmentFull, segmentIdle, slicePerRow, sliceLeast, sliceAtIdle, sliceCatchUp}
	accountsKept, holdsKept, quietAfter = s.Accounts, s.Holds, s.QuietAfter
	segmentFull, segmentIdle = s.SegmentFull, s.SegmentIdle
	slicePerRow, sliceLeast, sliceAtIdle, sliceCatchUp = s.SlicePerRow, s.SliceLeast, s.SliceIdle, s.SliceCatch
	return before
}

// OpenAt is Open with another clock, and without the goroutine that waits for
// holds to expire: CloseExpired does its work when the test says so.
func OpenAt(ctx context.Context, d *db.DB, now func() time.Time) (*Ledger, error) {
	return open(ctx, d, now)
}

// CloseExpired closes the holds whose time is over.
func (l *Ledger) CloseExpired(ctx context.Context) error {
	err := l.db.Writer.Submit(ctx, db.Unit{Apply: l.closeExpired})
	if errors.Is(err, errNothingExpired) {
		return nil
	}
	return err
}

// errLooked ends a unit that only looked.
var errLooked = errors.New("nothing is to be written")

// look runs f on the writer's goroutine.
func (l *Ledger) look(ctx context.Context, f func()) error {
	err := l.db.Writer.Submit(ctx, db.Unit{Apply: func(db.Tx) (func(), error) {
		f()
		return nil, errLooked
	}})
	if errors.Is(err, errLooked) {
		return nil
	}
	return err
}

// InMemory counts the accounts and the holds in memory.
func (l *Ledger) InMemory(ctx context.Context) (accounts, holds int, err error) {
	err = l.look(ctx, func() { accounts, holds = len(l.accounts.byID), len(l.holds.byKey) })
	return accounts, holds, err
}

// IsInMemory tells whether an account is.
func (l *Ledger) IsInMemory(ctx context.Context, id ID) (here bool, err error) {
	err = l.look(ctx, func() { _, here = l.accounts.byID[id] })
	return here, err
}

// NextExpiry returns when the ledger means to look for expired holds, zero for
// never.
func (l *Ledger) NextExpiry(ctx context.Context) (at time.Time, err error) {
	err = l.look(ctx, func() {
		if l.expiry.next != 0 {
			at = time.UnixMicro(l.expiry.next)
		}
	})
	return at, err
}
