package ledger

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"pochi/db"
)

// expiry wakes the engine when holds expire.
type expiry struct {
	next   int64         // unix microseconds; 0 when nothing expires
	wake   chan struct{} // next became earlier
	latest time.Time     // that the clock showed
}

func newExpiry() expiry { return expiry{wake: make(chan struct{}, 1)} }

// clock is now, and never goes back: what has expired stays so.
func (l *Ledger) clock() time.Time {
	if now := l.now(); now.After(l.expiry.latest) {
		l.expiry.latest = now
	}
	return l.expiry.latest
}

// expired tells whether a hold's time is over.
func (l *Ledger) expired(h *hold) bool {
	return h.expires > 0 && h.expires <= l.clock().UnixMicro()
}

// closeLanded ends the holds whose time is over and of which the last has landed
// in the chain that began at start, unless the chain has closed them itself.
func (l *Ledger) closeLanded(start mark) {
	for _, image := range l.batch.holdImages[start.holds:] {
		if h := image.hold; h.expires > 0 && image.before.inFlight > 0 && h.inFlight == 0 && !h.closed && l.expired(h) {
			l.closeHold(h)
		}
	}
}

// expiring is called on the writer's goroutine for each hold that is opened.
func (l *Ledger) expiring(at int64) {
	if at == 0 || l.expiry.next != 0 && l.expiry.next <= at {
		return
	}
	l.expiry.next = at
	select {
	case l.expiry.wake <- struct{}{}:
	default:
	}
}

// expire closes holds when their time is over, until the writer stops.
func (l *Ledger) expire() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-l.db.Writer.Done():
			return
		case <-timer.C:
		case <-l.expiry.wake:
		}
		var next int64
		err := l.db.Writer.Submit(context.Background(), db.Unit{Apply: func(tx db.Tx) (undo func(), err error) {
			undo, err = l.closeExpired(tx)
			next = l.expiry.next
			return undo, err
		}})
		switch {
		case errors.Is(err, db.ErrStopped):
			return
		case err != nil && !errors.Is(err, errNothingExpired):
			slog.Error("holds that have expired could not be closed", "error", err)
			timer.Reset(time.Minute)
		case next != 0:
			timer.Reset(max(time.UnixMicro(next).Sub(l.now()), time.Millisecond))
		}
	}
}

// errNothingExpired: there is nothing to write.
var errNothingExpired = errors.New("nothing has expired")

const expiredAtOnce = 64

// closeExpired closes the holds whose time is over and that have nothing in
// flight; those that have are closed when it lands. Its undo is for form's sake:
// nothing comes after it.
func (l *Ledger) closeExpired(tx db.Tx) (undo func(), err error) {
	l.chains++
	start := l.batch.mark()
	undo = func() { l.batch.rollBack(l, start) }
	var due []int64
	now := l.clock().UnixMicro()
	err = db.EachRow(context.Background(), tx, `SELECT n FROM holds WHERE closed = 0 AND expires BETWEEN 1 AND ? AND in_flight = 0
		ORDER BY expires LIMIT ?`, func(row db.Row) error {
		var n int64
		err := row.Scan(&n)
		due = append(due, n)
		return err
	}, now, expiredAtOnce)
	if err != nil {
		return nil, err
	}
	before := len(l.batch.closings)
	for _, n := range due {
		h, err := l.numberedHold(tx, n)
		if err != nil {
			undo()
			return nil, err
		}
		if !h.closed && h.inFlight == 0 {
			l.closeHold(h)
		}
	}
	err = tx.QueryRowContext(context.Background(),
		"SELECT coalesce(min(expires), 0) FROM holds WHERE closed = 0 AND expires > ?", now).Scan(&l.expiry.next)
	if err != nil {
		undo()
		return nil, err
	}
	if len(due) == expiredAtOnce { // there may be more
		l.expiry.next = now
	}
	for _, image := range l.batch.holdImages { // not on disk yet
		if at := image.hold.expires; image.isNew && at > 0 && (l.expiry.next == 0 || at < l.expiry.next) {
			l.expiry.next = at
		}
	}
	if len(l.batch.closings) == before {
		return nil, errNothingExpired
	}
	return undo, nil
}
