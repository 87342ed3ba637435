package ledger_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// authority is a ledger on which allowances, or caps, are counted like money:
// what was used of them is on one account.
type authority struct {
	number uint32
	code   uint16
	used   ledger.ID
}

// authority opens the ledger of dollars' allowances.
func (w *world) authority(t *testing.T, code uint16) authority {
	t.Helper()
	number, err := w.ledger.OpenAuthority(t.Context(), usd)
	if err != nil {
		t.Fatal(err)
	}
	return authority{number, code, ledger.HouseAccount(usd.Authority(), ledger.CodeUsed)}
}

// interval opens a new account with an allowance, unless it is there.
func (a authority) interval(allowance uint64) ledger.OpenAccount {
	return ledger.OpenAccount{ID: newID(), Ledger: a.number, Code: a.code, Limit: allowance, IfAbsent: true}
}

// use is a leg that draws on an allowance at once.
func (a authority) use(interval ledger.OpenAccount, amount uint64) ledger.Command {
	return ledger.Packet{Debit: interval.ID, Credit: a.used, Amount: amount}
}

// race has callers submit chains until none has one left, and counts those that
// were accepted. The others must be refused for want of money or allowance.
func (w *world) race(t *testing.T, callers, each int, chain func() ledger.Chain) (accepted int64) {
	t.Helper()
	var count atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				switch err := w.submit(chain()...); {
				case err == nil:
					count.Add(1)
				case !errors.Is(err, ledger.ErrInsufficient):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return count.Load()
}

// The first chain of an interval opens its account; however many race for the
// allowance, money and authority are used together, and no more than allowed.
func TestAnAllowanceIsNeverOverspent(t *testing.T) {
	for name, pay := range map[string]func(from, to ledger.ID) ledger.Command{
		"transfers": func(from, to ledger.ID) ledger.Command { return transfer(from, to, 7) },
		"packets":   func(from, to ledger.ID) ledger.Command { return ledger.Packet{Debit: from, Credit: to, Amount: 7} },
		"flights": func(from, to ledger.ID) ledger.Command {
			return ledger.Take{Reference: newID(), Debit: from, Credit: to, Toward: to, Amount: 7, Unreserved: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.authority(t, ledger.CodeAuthority)
			ann, shop := w.account(0, 10000), w.account(0, 0)
			interval := a.interval(100)
			accepted := w.race(t, 64, 3, func() ledger.Chain {
				return ledger.Chain{interval, pay(ann, shop), a.use(interval, 7)} // the money first: it is undone
			})
			if accepted != 14 {
				t.Errorf("%d chains of 7 for an allowance of 100", accepted)
			}
			w.balance(interval.ID, -98, 2)
			w.balance(a.used, 98, 98)
			if got := w.find(ann).Available(); got != 10000-98 {
				t.Errorf("%d left", got)
			}
			w.clean()
		})
	}
}

// Where the money is short, no allowance is used.
func TestAnAllowanceIsNotUsedWithoutMoney(t *testing.T) {
	w := newWorld(t)
	a := w.authority(t, ledger.CodeAuthority)
	ann, shop := w.account(0, 20), w.account(0, 0)
	interval := a.interval(100)
	w.unchanged(func() {
		w.refused(w.submit(interval, a.use(interval, 21), transfer(ann, shop, 21)), 2, ledger.ErrInsufficient)
		_, err := ledger.Find(t.Context(), w.db.Read, interval.ID)
		w.want(err, ledger.ErrAccountUnknown) // nor is the account there
	})
	w.do(interval, a.use(interval, 20), transfer(ann, shop, 20))
	w.balance(interval.ID, -20, 80)
	w.clean()
}

// A lowered allowance takes nothing back from what is in flight, and allows
// nothing more until enough has come back.
func TestAnAllowanceIsLoweredInFlight(t *testing.T) {
	w := newWorld(t)
	a := w.authority(t, ledger.CodeAuthority)
	interval := a.interval(100)
	leg := flight{newID(), interval.ID, a.used, a.used, a.used}
	w.do(interval, leg.takeUnreserved(80))
	lower := func(limit uint64) ledger.SetLimit { return ledger.SetLimit{ID: interval.ID, Limit: limit} }
	w.do(lower(50))
	w.unchanged(func() {
		w.refused(w.submit(interval, leg.takeUnreserved(1)), 1, ledger.ErrInsufficient) // the old allowance is not back
		w.refused(w.submit(interval, a.use(interval, 1)), 1, ledger.ErrInsufficient)
	})
	w.do(leg.post(20))
	w.do(leg.release(30)) // 20 posted, 30 in flight: 50
	w.refused(w.submit(leg.takeUnreserved(1)), 0, ledger.ErrInsufficient)
	w.answered(w.together( // in one batch
		unit{ledger.Chain{leg.release(10)}, nil},
		unit{ledger.Chain{leg.takeUnreserved(10)}, nil},
		unit{ledger.Chain{lower(45)}, nil},
		unit{ledger.Chain{leg.post(5), leg.release(5)}, nil},
		unit{ledger.Chain{leg.takeUnreserved(1)}, nil},
		unit{ledger.Chain{leg.release(1), leg.takeUnreserved(1)}, nil},
	), nil, nil, nil, nil, ledger.ErrInsufficient, nil)
	w.balance(interval.ID, -25, 0)
	w.do(leg.release(20))
	w.balance(interval.ID, -25, 20)
	w.clean()
}

// What comes back from a payment comes back to the interval that it left,
// though a new one has begun.
func TestARefundGoesBackToItsInterval(t *testing.T) {
	w := newWorld(t)
	a := w.authority(t, ledger.CodeAuthority)
	may, june := a.interval(100), a.interval(100)
	old, young := flight{newID(), may.ID, a.used, a.used, a.used}, flight{newID(), june.ID, a.used, a.used, a.used}
	w.do(may, old.open(90))
	w.do(old.take(90))
	w.do(june, young.takeUnreserved(100))
	w.do(old.post(20), old.release(70))
	w.do(old.end())
	w.balance(may.ID, -20, 80)
	w.balance(june.ID, 0, 0)
	w.do(young.release(60))
	w.balance(may.ID, -20, 80)
	w.balance(june.ID, 0, 60)
	w.clean()
}

// A capped incoming payment is never paid too much, whoever pays it at once.
func TestACapIsNeverOverpaid(t *testing.T) {
	w := newWorld(t)
	a := w.authority(t, ledger.CodeCap)
	incoming := a.interval(100)
	shop := w.account(0, 0)
	payers := []ledger.ID{w.account(0, 1000), w.peer(500, 0), w.account(0, 30)}
	var next atomic.Int64
	w.race(t, 64, 4, func() ledger.Chain {
		n := next.Add(1)
		amount := uint64(n%9) + 1
		return ledger.Chain{
			incoming, ledger.Packet{Debit: payers[n%3], Credit: shop, Amount: amount, Reference: incoming.ID}, a.use(incoming, amount),
		}
	})
	received := w.find(incoming.ID).DebitsPosted
	if received > 100 || received < 99 { // single units were left over
		t.Errorf("received %d of 100", received)
	}
	w.balance(shop, int64(received), received)
	w.clean()
}

// Intervals that are over leave memory, and are as they were when they are
// wanted again.
func TestQuietAccountsLeaveMemory(t *testing.T) {
	sizes := tiny
	sizes.Accounts, sizes.Holds, sizes.QuietAfter = 20, 10, 30
	withSizes(t, sizes)
	w := newWorld(t)
	a := w.authority(t, ledger.CodeAuthority)
	var intervals []ledger.OpenAccount
	var legs []flight
	for i := range 300 {
		interval := a.interval(100)
		leg := flight{newID(), interval.ID, a.used, a.used, a.used}
		w.do(interval, a.use(interval, uint64(i%50)+1), leg.open(40))
		w.do(leg.draw(10))
		intervals, legs = append(intervals, interval), append(legs, leg)
	}
	inFlight := legs[0]
	w.do(inFlight.take(5))
	for range 100 { // nothing happens to them
		w.do(transfer(ledger.HouseAccount(usd, ledger.CodeEquity), ledger.HouseAccount(usd, ledger.CodeExchange), 1))
	}
	accounts, holds, err := w.ledger.InMemory(t.Context())
	if err != nil || accounts > 60 || holds > 60 {
		t.Errorf("%d accounts and %d holds are in memory, %v", accounts, holds, err)
	}
	for _, id := range []ledger.ID{inFlight.debit, inFlight.credit} {
		if here, err := w.ledger.IsInMemory(t.Context(), id); err != nil || !here {
			t.Errorf("account %s has something in flight and left memory (%v)", id, err)
		}
	}
	for i, interval := range intervals {
		used := uint64(i%50) + 1
		w.refused(w.submit(interval, a.use(interval, 61-used)), 1, ledger.ErrInsufficient) // 60 less what was used
		if i > 0 {
			w.do(interval, a.use(interval, 60-used), legs[i].draw(30))
			w.refused(w.submit(legs[i].draw(1)), 0, ledger.ErrHoldExceeded)
		}
	}
	w.do(inFlight.post(5))
	if diff := cmp.Diff([]string{"25 0 15 0 0 0"}, w.flying(inFlight.reference)); diff != "" {
		t.Error(diff)
	}
	w.reopen()
	if got := rows(t, w.db.Read, fmt.Sprintf("SELECT count(*) FROM accounts WHERE code = %d AND debits_posted = 100 AND debits_pending = 0", ledger.CodeAuthority)); got[0] != "299" {
		t.Errorf("%s intervals are used up", got[0])
	}
	w.clean()
}
