package ledger_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// openUntil reserves for a time.
func (f flight) openUntil(amount uint64, expires time.Time) ledger.OpenHold {
	return ledger.OpenHold{Reference: f.reference, Debit: f.debit, Credit: f.credit, Amount: amount, Expires: expires}
}

// expire lets time pass and the ledger notice.
func (w *world) expire(clock *clock, d time.Duration) {
	w.t.Helper()
	clock.pass(d)
	w.want(w.ledger.CloseExpired(context.Background()), nil)
}

// From its time on nothing more is taken from a hold, and what is left goes
// back.
func TestExpiry(t *testing.T) {
	w, clock := newTimedWorld(t)
	f, lasting := w.outgoing(100), w.outgoing(100)
	w.do(f.openUntil(60, clock.now().Add(time.Hour)), lasting.open(60))
	w.do(f.draw(5), f.take(5), f.post(5))
	w.expire(clock, time.Hour-time.Microsecond)
	w.do(f.draw(5), f.take(5), f.release(5))
	clock.pass(time.Microsecond)
	w.unchanged(func() { // the ledger has not noticed
		w.refused(w.submit(f.draw(5)), 0, ledger.ErrHoldExpired)
		w.refused(w.submit(f.take(5)), 0, ledger.ErrHoldExpired)
		w.refused(w.submit(f.takeUnreserved(5)), 0, ledger.ErrHoldExpired)
		w.refused(w.submit(f.open(5)), 0, ledger.ErrHoldExists)
	})
	w.balance(f.debit, 85, 40)
	w.expire(clock, 0)
	if diff := cmp.Diff([]string{"0 0 15 45 0 1"}, w.flying(f.reference)); diff != "" {
		t.Error(diff)
	}
	w.balance(f.debit, 85, 85)
	w.unchanged(func() {
		w.expire(clock, time.Hour) // once
		w.refused(w.submit(f.draw(5)), 0, ledger.ErrHoldUnknown)
		w.do(f.end()) // it has ended
		w.refused(w.submit(f.openUntil(5, clock.now().Add(time.Hour))), 0, ledger.ErrHoldExists)
		g := f
		g.reference = newID()
		w.refused(w.submit(g.openUntil(5, clock.now())), 0, ledger.ErrHoldExpired)
	})
	w.balance(lasting.debit, 100, 40)
	w.do(lasting.draw(60))
	w.clean()
}

// What is in flight when a hold expires lands as if it hadn't; the rest goes
// back with the last of it.
func TestExpiryInFlight(t *testing.T) {
	for _, ending := range []string{"posted", "released", "some of both", "in one batch", "undone"} {
		t.Run(ending, func(t *testing.T) {
			w, clock := newTimedWorld(t)
			f := w.outgoing(100)
			w.do(f.openUntil(60, clock.now().Add(time.Hour)))
			w.do(f.take(20))
			w.unchanged(func() {
				w.expire(clock, 2*time.Hour)
				w.refused(w.submit(f.take(1)), 0, ledger.ErrHoldExpired)
				w.refused(w.submit(f.draw(1)), 0, ledger.ErrHoldExpired)
				w.refused(w.submit(f.end()), 0, ledger.ErrHoldInFlight)
			})
			want := "0 0 20 40 0 1"
			switch ending {
			case "posted":
				w.do(f.post(15))
				if diff := cmp.Diff([]string{"40 5 15 0 1 0"}, w.flying(f.reference)); diff != "" {
					t.Error(diff)
				}
				w.do(f.post(5))
			case "released":
				w.do(f.release(20))
				want = "0 0 0 60 0 1"
			case "some of both":
				w.do(f.release(15))
				w.do(f.post(5))
				want = "0 0 5 55 0 1"
			case "in one batch":
				w.answered(w.atOnce(
					func(ctx context.Context) error { return w.ledger.Submit(ctx, ledger.Chain{f.post(20)}, nil) },
					w.ledger.CloseExpired,
					func(ctx context.Context) error { return w.ledger.Submit(ctx, ledger.Chain{f.end()}, nil) },
				), nil, nil, nil)
			case "undone":
				w.answered(w.together(
					unit{ledger.Chain{f.release(20)}, func(db.Tx) error { return errOwn }},
					unit{ledger.Chain{f.post(20), f.end()}, nil},
					unit{ledger.Chain{f.release(20)}, nil},
				), errOwn, nil, ledger.ErrHoldUnknown)
			}
			if diff := cmp.Diff([]string{want}, w.flying(f.reference)); diff != "" {
				t.Error(diff)
			}
			if got := rows(t, w.db.Read, "SELECT count(*) FROM ledger_log WHERE kind = 6"); got[0] != "1" {
				t.Errorf("closed %s times", got[0])
			}
			w.unchanged(func() { w.do(f.end()) })
			if a := w.find(f.debit); a.DebitsPending != 0 {
				t.Errorf("still pending: %+v", a)
			}
			w.clean()
		})
	}
}

// A hold may be closed between its time and the moment the ledger notices.
func TestCloseAnExpiredHold(t *testing.T) {
	w, clock := newTimedWorld(t)
	f := w.outgoing(100)
	w.do(f.openUntil(60, clock.now().Add(time.Hour)))
	clock.pass(2 * time.Hour)
	w.answered(w.atOnce(
		func(ctx context.Context) error { return w.ledger.Submit(ctx, ledger.Chain{f.end()}, nil) },
		w.ledger.CloseExpired,
	), nil, nil)
	if diff := cmp.Diff([]string{"0 0 0 60 0 1"}, w.flying(f.reference)); diff != "" {
		t.Error(diff)
	}
	w.balance(f.debit, 100, 100)
	w.clean()
}

// A hold that is opened in the batch in which others expire is not forgotten.
func TestAHoldThatIsOpenedWhileOthersExpire(t *testing.T) {
	w, clock := newTimedWorld(t)
	f := w.outgoing(100)
	hold := func(expires time.Duration) ledger.OpenHold {
		return ledger.OpenHold{Reference: newID(), Debit: f.debit, Credit: f.credit, Amount: 10, Expires: clock.now().Add(expires)}
	}
	first, second := hold(time.Hour), hold(3*time.Hour)
	w.do(first)
	clock.pass(2 * time.Hour)
	w.answered(w.atOnce(
		func(ctx context.Context) error { return w.ledger.Submit(ctx, ledger.Chain{second}, nil) },
		w.ledger.CloseExpired,
	), nil, nil)
	next, err := w.ledger.NextExpiry(t.Context())
	if err != nil || next.UnixMicro() != second.Expires.UnixMicro() {
		t.Errorf("the ledger means to wake up at %v, %v: want %v", next, err, second.Expires)
	}
}

// Many holds expire at once: all are closed, however many one batch takes.
func TestManyExpireAtOnce(t *testing.T) {
	w, clock := newTimedWorld(t)
	f := w.outgoing(10000)
	var chain ledger.Chain
	for range 150 {
		f.reference = newID()
		chain = append(chain, f.openUntil(1, clock.now().Add(time.Hour)))
	}
	w.do(chain...)
	w.balance(f.debit, 10000, 9850)
	w.expire(clock, time.Hour)
	for range 2 { // the ledger wakes itself up for the rest
		next, err := w.ledger.NextExpiry(t.Context())
		if err != nil || next.IsZero() || next.After(clock.now()) {
			t.Fatalf("next %v, %v", next, err)
		}
		w.expire(clock, 0)
	}
	if next, err := w.ledger.NextExpiry(t.Context()); err != nil || !next.IsZero() {
		t.Errorf("next %v, %v", next, err)
	}
	w.balance(f.debit, 10000, 10000)
	w.clean()
}

// Nobody has to ask: the ledger closes holds by itself, in the order in which
// they expire, those that were on disk too.
func TestTheLedgerClosesExpiredHoldsByItself(t *testing.T) {
	w := newWorld(t)
	f := w.outgoing(100)
	closed := func(want int) {
		t.Helper()
		for got := ""; got != fmt.Sprint(want); { // the test's time limit is the limit
			got = rows(t, w.db.Read, "SELECT count(*) FROM holds WHERE closed")[0]
		}
	}
	open := func(in time.Duration) {
		f.reference = newID()
		w.do(f.openUntil(10, time.Now().Add(in)))
	}
	open(time.Hour)
	open(50 * time.Millisecond)
	open(30 * time.Millisecond) // wakes up earlier than planned
	closed(2)
	open(20 * time.Millisecond)
	closed(3)
	open(300 * time.Millisecond)
	w.want(w.db.Close(), nil)
	w.open()
	closed(4)
	w.balance(f.debit, 100, 90)
	w.clean()
}

// What was in flight and expired before a restart is in suspense; the rest is
// back.
func TestExpiryOverARestart(t *testing.T) {
	w, clock := newTimedWorld(t)
	f, idle := w.outgoing(100), w.outgoing(100)
	w.do(f.openUntil(60, clock.now().Add(time.Hour)), idle.openUntil(60, clock.now().Add(time.Hour)), f.take(20))
	w.want(w.db.Close(), nil)
	clock.pass(2 * time.Hour)
	w.open()
	if diff := cmp.Diff([]string{"40 0 20 0 0 0"}, w.flying(f.reference)); diff != "" {
		t.Error(diff)
	}
	w.expire(clock, 0)
	if diff := cmp.Diff([]string{"0 0 20 40 0 1", "0 0 0 60 0 1"}, append(w.flying(f.reference), w.flying(idle.reference)...)); diff != "" {
		t.Error(diff)
	}
	w.balance(f.debit, 80, 80)
	w.balance(idle.debit, 100, 100)
	w.do(ledger.ResolveSuspense{Item: 1})
	w.balance(f.debit, 100, 100)
	w.clean()
}
