package ledger_test

import (
	"errors"
	"fmt"
	"testing"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// suspense lists the items: reference, bearer, counterparty, amount, group and
// state of each.
func (w *world) suspense(t *testing.T, onlyOpen bool) []ledger.SuspenseItem {
	t.Helper()
	items, err := ledger.Suspense(t.Context(), w.db.Read, onlyOpen)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		found, err := ledger.FindSuspense(t.Context(), w.db.Read, item.Item)
		if err != nil || found != item {
			t.Errorf("item %d: %+v, %v, want %+v", item.Item, found, err, item)
		}
	}
	return items
}

// waits expects what waits on an asset's suspense account.
func (w *world) waits(asset ledger.Asset, amount int64) {
	w.t.Helper()
	w.balance(ledger.HouseAccount(asset, ledger.CodeSuspense), amount, uint64(amount))
}

// What was in flight to a peer is in doubt after a crash; what was only
// reserved is not.
func TestSuspenseWithinACurrency(t *testing.T) {
	for _, pay := range []bool{false, true} {
		t.Run(fmt.Sprint("paid ", pay), func(t *testing.T) {
			w := newWorld(t)
			f, bare := w.outgoing(100), w.outgoing(50)
			bare.debit = f.debit
			w.do(f.open(60), f.take(25), f.post(5), bare.takeUnreserved(7))
			w.reopen()
			if diff := cmp.Diff([]string{"35 0 25 0 0 0", "0 0 7 0 0 0"}, append(w.flying(f.reference), w.flying(bare.reference)...)); diff != "" {
				t.Error(diff)
			}
			w.balance(f.debit, 68, 33)
			w.balance(f.to, 5, 5)
			w.waits(usd, 27)
			items := w.suspense(t, true)
			want := []ledger.SuspenseItem{
				{Item: 1, Reference: f.reference, Bearer: f.debit, Counterparty: f.toward, Asset: usd, Amount: 20, State: "open"},
				{Item: 2, Reference: bare.reference, Bearer: f.debit, Counterparty: bare.toward, Asset: usd, Amount: 7, State: "open"},
			}
			for i := range items {
				want[i].At, want[i].Group = items[0].At, items[i].Item // each has its own peer
			}
			if diff := cmp.Diff(want, items); diff != "" {
				t.Error(diff)
			}
			w.unchanged(w.reopen) // it is made good once
			w.clean()

			w.do(f.draw(10), f.end()) // the payment goes on
			w.do(ledger.ResolveSuspense{Item: 1, Pay: pay})
			w.waits(usd, 7)
			state, back := "released", int64(20)
			if pay {
				state, back = "paid", 0
			}
			w.balance(f.debit, 58+back, uint64(58+back))
			w.balance(f.to, 35-back, uint64(35-back))
			if got := w.suspense(t, false); got[0].State != state || got[1].State != "open" {
				t.Errorf("items %+v", got)
			}
			if got := w.suspense(t, true); len(got) != 1 || got[0].Item != 2 {
				t.Errorf("open items %+v", got)
			}
			w.unchanged(func() {
				w.refused(w.submit(ledger.ResolveSuspense{Item: 1, Pay: pay}), 0, ledger.ErrSuspenseResolved)
				w.refused(w.submit(ledger.ResolveSuspense{Item: 1, Pay: !pay}), 0, ledger.ErrSuspenseResolved)
				w.refused(w.submit(ledger.ResolveSuspense{Item: 2}, ledger.ResolveSuspense{Item: 2}), 1, ledger.ErrSuspenseResolved)
				w.refused(w.submit(ledger.ResolveSuspense{Item: 2}, ledger.ResolveSuspense{Item: 3}), 1, ledger.ErrSuspenseUnknown)
			})
			w.answered(w.together(
				unit{ledger.Chain{ledger.ResolveSuspense{Item: 2, Pay: true}}, func(db.Tx) error { return errOwn }},
				unit{ledger.Chain{ledger.ResolveSuspense{Item: 2}}, note("resolved")},
				unit{ledger.Chain{ledger.ResolveSuspense{Item: 2, Pay: true}}, nil},
			), errOwn, nil, ledger.ErrSuspenseResolved)
			w.waits(usd, 0)
			w.reopen()
			w.unchanged(func() {
				w.refused(w.submit(ledger.ResolveSuspense{Item: 2}), 0, ledger.ErrSuspenseResolved)
			})
			_, err := ledger.FindSuspense(t.Context(), w.db.Read, 3)
			w.want(err, ledger.ErrSuspenseUnknown)
			w.clean()
		})
	}
}

// A payment across currencies has two legs: they are resolved together.
func TestSuspenseAcrossCurrencies(t *testing.T) {
	for _, pay := range []bool{false, true} {
		t.Run(fmt.Sprint("paid ", pay), func(t *testing.T) {
			w := newWorld(t)
			dollars, euros := ledger.HouseAccount(usd, ledger.CodeExchange), ledger.HouseAccount(eur, ledger.CodeExchange)
			ann, peer := w.account(0, 100), w.accountOf(w.eur, ledger.CodePeer, 0, 0)
			reference := newID()
			in := flight{reference, ann, dollars, dollars, dollars}
			out := flight{reference, euros, peer, peer, peer}
			later := flight{newID(), ann, dollars, dollars, dollars}
			w.do(in.open(60))
			w.do(in.take(20), out.takeUnreserved(18), later.takeUnreserved(3))
			w.reopen()
			w.do(in.take(10), out.takeUnreserved(9)) // of the same payment, after the restart
			w.reopen()
			w.waits(usd, 33)
			w.waits(eur, 27)
			items := w.suspense(t, true)
			if len(items) != 5 || items[0].Group != items[1].Group || items[3].Group != items[4].Group || items[0].Group == items[3].Group {
				t.Fatalf("items %+v", items)
			}
			item := items[1]
			if item.Bearer != euros || item.Counterparty != peer || item.Amount != 18 || item.Asset != eur {
				t.Errorf("item %+v", item)
			}
			w.do(ledger.ResolveSuspense{Item: item.Item, Pay: pay})
			w.waits(usd, 13)
			w.waits(eur, 9)
			w.unchanged(func() {
				w.refused(w.submit(ledger.ResolveSuspense{Item: items[0].Item, Pay: pay}), 0, ledger.ErrSuspenseResolved)
			})
			if pay {
				w.balance(ann, 67, 37)
				w.balance(dollars, 20, 1020)
				w.balance(peer, 18, 18)
				w.balance(euros, -27, 973)
			} else {
				w.balance(ann, 87, 57)
				w.balance(dollars, 0, 1000)
				w.balance(peer, 0, 0)
				w.balance(euros, -9, 991)
			}
			if got := len(w.suspense(t, true)); got != 3 {
				t.Errorf("%d open items", got)
			}
			w.clean()
		})
	}
}

// From peer to peer: the one upstream owes nothing, since it got no
// fulfillment; what the one downstream may have got is the house's loss.
func TestSuspenseFromPeerToPeer(t *testing.T) {
	w := newWorld(t)
	equity := ledger.HouseAccount(usd, ledger.CodeEquity)
	up, down, ann := w.peer(100, 0), w.peer(0, 0), w.account(0, 0)
	through := flight{newID(), up, down, down, down}
	local := flight{newID(), up, ann, ann, ann}
	exchanged := flight{newID(), up, ledger.HouseAccount(usd, ledger.CodeExchange), ledger.HouseAccount(usd, ledger.CodeExchange), ann}
	w.do(through.takeUnreserved(40), local.takeUnreserved(30), exchanged.takeUnreserved(20))
	w.reopen()
	w.balance(up, 0, 100)
	w.balance(down, 0, 0)
	w.balance(ann, 0, 0)
	w.waits(usd, 40)
	if a := w.find(equity); a.DebitsPosted != 40 {
		t.Errorf("the house has %+v", a)
	}
	items := w.suspense(t, true)
	if len(items) != 1 || items[0].Bearer != equity || items[0].Counterparty != down || items[0].Reference != through.reference {
		t.Fatalf("items %+v", items)
	}
	w.clean()
	w.do(ledger.ResolveSuspense{Item: 1, Pay: true})
	w.balance(down, 40, 40)
	w.waits(usd, 0)
	w.do(through.takeUnreserved(40), through.post(10))
	w.reopen()
	w.do(ledger.ResolveSuspense{Item: 2})
	w.waits(usd, 0)
	w.balance(up, -10, 90)
	w.balance(down, 50, 50)
	w.clean()
}

// Authority stays used, and so does what an incoming payment may receive: the
// packet may have been paid.
func TestAuthorityStaysUsedAfterACrash(t *testing.T) {
	for _, code := range []uint16{ledger.CodeAuthority, ledger.CodeCap} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			w := newWorld(t)
			a := w.authority(t, code)
			interval := a.interval(100)
			leg := flight{newID(), interval.ID, a.used, a.used, a.used}
			pay := w.outgoing(100)
			w.do(interval, leg.takeUnreserved(30), pay.takeUnreserved(30))
			w.reopen()
			w.balance(interval.ID, -30, 70)
			w.balance(a.used, 30, 30)
			w.balance(pay.debit, 70, 70)
			if items := w.suspense(t, true); len(items) != 1 || items[0].Reference != pay.reference {
				t.Errorf("items %+v", items)
			}
			w.do(ledger.ResolveSuspense{Item: 1})
			w.balance(pay.debit, 100, 100)
			w.balance(interval.ID, -30, 70)
			w.clean()
		})
	}
}

// An account to which something may still come is not closed.
func TestAnAwaitedAccountStaysOpen(t *testing.T) {
	w := newWorld(t)
	f := w.outgoing(50) // toward a peer that is neither debit nor credit of the hold
	w.do(f.open(50), f.take(50))
	w.refused(w.submit(closing(f.toward)), 0, ledger.ErrNotEmpty)
	w.answered(w.together(
		unit{ledger.Chain{f.release(50)}, func(db.Tx) error { return errOwn }},
		unit{ledger.Chain{closing(f.toward)}, nil},
	), errOwn, ledger.ErrNotEmpty)
	w.reopen()
	w.balance(f.debit, 0, 0)
	w.refused(w.submit(closing(f.toward)), 0, ledger.ErrNotEmpty)
	w.refused(w.submit(closing(f.debit)), 0, ledger.ErrNotEmpty)
	w.do(f.end())
	w.unchanged(func() {
		w.refused(w.submit(ledger.ResolveSuspense{Item: 1, Pay: true}, transfer(f.toward, f.debit, 50), closing(f.toward)), 2, ledger.ErrNotEmpty)
	})
	w.do(ledger.ResolveSuspense{Item: 1, Pay: true})
	w.do(closing(f.debit))
	w.do(transfer(f.toward, ledger.HouseAccount(usd, ledger.CodeEquity), 50), closing(f.toward))
	w.clean()
}

// Whatever was done to the accounts that recovery needs: the wallet starts.
func TestRecoveryAlwaysStarts(t *testing.T) {
	equity, suspense := ledger.HouseAccount(usd, ledger.CodeEquity), ledger.HouseAccount(usd, ledger.CodeSuspense)
	tests := map[string]func(w *world, f flight){
		"the suspense account was to be closed": func(w *world, f flight) {
			w.do(f.takeUnreserved(5))
			w.reopen()
			w.do(ledger.ResolveSuspense{Item: 1})
			w.refused(w.submit(closing(suspense)), 0, ledger.ErrHouseAccount)
		},
		"the house may not go further": func(w *world, f flight) { w.submit(ledger.SetLimit{ID: equity}) },
		"a stranger would have the suspense account's id": func(w *world, f flight) {
			w.submit(ledger.OpenAccount{ID: suspense, Ledger: w.eur, Code: ledger.CodePerson})
		},
	}
	for name, before := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			f := w.outgoing(100)
			other := flight{newID(), w.peer(50, 0), f.toward, f.toward, f.toward}
			before(w, f)
			w.do(f.takeUnreserved(20), other.takeUnreserved(10))
			w.reopen()
			if open := w.suspense(t, true); len(open) != 2 || open[0].Amount != 20 || open[1].Amount != 10 {
				t.Errorf("items %+v", open)
			}
			w.clean()
		})
	}
}

// What went to two peers is for each of them to tell: their items are resolved
// apart, and so are those without a reference.
func TestItemsOfTwoPeersAreApart(t *testing.T) {
	w := newWorld(t)
	dollars, euros := ledger.HouseAccount(usd, ledger.CodeExchange), ledger.HouseAccount(eur, ledger.CodeExchange)
	ann, up := w.account(0, 100), w.peer(100, 0)
	a, b := w.accountOf(w.eur, ledger.CodePeer, 0, 0), w.accountOf(w.eur, ledger.CodePeer, 0, 0)
	reference := newID()
	in := flight{reference, ann, dollars, dollars, dollars}
	first, second := w.peer(0, 0), w.peer(0, 0)
	w.do(in.open(60))
	w.do(in.take(30), flight{reference, euros, a, a, a}.takeUnreserved(18), flight{reference, euros, b, b, b}.takeUnreserved(9),
		flight{ledger.ID{}, up, first, first, first}.takeUnreserved(4), flight{ledger.ID{}, up, second, second, second}.takeUnreserved(3))
	w.reopen()
	for _, item := range w.suspense(t, true) {
		if item.Group != item.Item {
			t.Errorf("item %d is resolved with item %d", item.Item, item.Group)
		}
		if item.Counterparty == a || item.Counterparty == first {
			w.do(ledger.ResolveSuspense{Item: item.Item, Pay: true})
		}
	}
	w.balance(a, 18, 18)
	w.balance(b, 0, 0)
	w.balance(first, 4, 4)
	w.balance(second, 0, 0)
	if open := w.suspense(t, true); len(open) != 3 {
		t.Errorf("%d items are open", len(open))
	}
	w.clean()
}

// A database has one ledger.
func TestASecondLedgerIsRefused(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 100), w.account(0, 0)
	if _, err := ledger.Open(t.Context(), w.db); !errors.Is(err, db.ErrJoined) {
		t.Errorf("a second one: %v", err)
	}
	w.do(transfer(ann, ben, 1))
	w.clean()
}
