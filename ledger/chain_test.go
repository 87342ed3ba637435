package ledger_test

import (
	"context"
	"fmt"
	"testing"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

func TestAChainIsAllOrNothing(t *testing.T) {
	w := newWorld(t)
	ann, ben, cat := w.account(0, 100), w.account(0, 0), w.account(0, 0)
	w.do(transfer(ann, ben, 60), transfer(ben, cat, 60), transfer(cat, ann, 10)) // each lives on the one before
	w.balance(ann, 50, 50)
	w.balance(ben, 0, 0)
	w.balance(cat, 50, 50)
	w.unchanged(func() {
		w.refused(w.submit(transfer(ann, ben, 50), transfer(ben, cat, 50), transfer(cat, ann, 101)), 2, ledger.ErrInsufficient)
		w.refused(w.submit(transfer(ann, ben, 50), transfer(newID(), cat, 50), transfer(cat, ann, 1)), 1, ledger.ErrAccountUnknown)
	})
	w.do() // an empty chain is no chain
	w.clean()
}

func TestRowsCommitWithTheChain(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 100), w.account(0, 0)
	w.want(w.ledger.Submit(t.Context(), ledger.Chain{transfer(ann, ben, 10)}, note("a")), nil)
	w.want(w.ledger.Submit(t.Context(), nil, note("no chain")), nil)
	fresh := newID()
	w.unchanged(func() {
		w.want(w.ledger.Submit(t.Context(), ledger.Chain{
			transfer(ann, ben, 10), ledger.OpenAccount{ID: fresh, Ledger: w.usd}, ledger.CloseAccount{ID: fresh},
		}, func(tx db.Tx) error {
			w.want(note("b")(tx), nil)
			return errOwn
		}), errOwn)
		if err := w.ledger.Submit(t.Context(), ledger.Chain{transfer(ann, ben, 10)}, note("a")); err == nil {
			t.Error("the note was written twice")
		}
		w.refused(w.ledger.Submit(t.Context(), ledger.Chain{transfer(ann, ben, 91)}, func(db.Tx) error {
			t.Error("the rows of a refused chain were written")
			return nil
		}), 0, ledger.ErrInsufficient)
	})
	w.balance(ben, 10, 10)
	w.do(transfer(ann, ben, 90)) // memory was undone, too
	w.reopen()
	w.balance(ben, 100, 100)
	if diff := cmp.Diff([]string{"a", "no chain"}, rows(t, w.db.Read, "SELECT note FROM notes ORDER BY note")); diff != "" {
		t.Error(diff)
	}
	w.clean()
}

// Units of one batch that fail are undone among others that succeed, on the
// same accounts.
func TestFailingUnitsOfABatch(t *testing.T) {
	w := newWorld(t)
	house := ledger.HouseAccount(usd, ledger.CodeEquity)
	ann, ben, fresh := w.account(0, 100), w.account(0, 0), newID()
	fail := func(db.Tx) error { return errOwn }
	again := transfer(ann, ben, 5)
	hold := ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 20}
	end := ledger.CloseHold{Reference: hold.Reference, Debit: ann, Credit: ben}
	draw := func(amount uint64) ledger.Draw {
		return ledger.Draw{ID: newID(), Reference: hold.Reference, Debit: ann, Credit: ben, To: ben, Amount: amount}
	}
	opening := ledger.OpenAccount{ID: fresh, Ledger: w.usd}
	w.answered(w.together(
		unit{ledger.Chain{transfer(ann, ben, 10)}, note("1")},                     // ann 90, ben 10
		unit{ledger.Chain{again}, fail},                                           //
		unit{ledger.Chain{transfer(ann, ben, 90), transfer(ann, ben, 1)}, nil},    //
		unit{ledger.Chain{again}, note("2")},                                      // ann 85, ben 15
		unit{ledger.Chain{again}, note("never")},                                  //
		unit{ledger.Chain{opening, transfer(house, fresh, 7)}, fail},              //
		unit{ledger.Chain{transfer(ann, fresh, 1)}, nil},                          // it isn't there
		unit{ledger.Chain{opening, transfer(ann, fresh, 5)}, note("3")},           // ann 80, fresh 5
		unit{ledger.Chain{opening}, nil},                                          //
		unit{ledger.Chain{hold, draw(20)}, fail},                                  //
		unit{ledger.Chain{end}, nil},                                              //
		unit{ledger.Chain{hold, transfer(ann, ben, 61)}, nil},                     // 60 are left beside the hold
		unit{ledger.Chain{hold}, note("4")},                                       // ann 80, 20 held
		unit{ledger.Chain{draw(15), end}, fail},                                   //
		unit{ledger.Chain{draw(15)}, note("4")},                                   // the note exists
		unit{ledger.Chain{draw(15)}, nil},                                         // ann 65, 5 held, ben 30
		unit{ledger.Chain{draw(6)}, nil},                                          //
		unit{ledger.Chain{end, hold}, nil},                                        // closed means spent
		unit{ledger.Chain{end}, nil},                                              // ann 65
		unit{ledger.Chain{end}, nil},                                              //
		unit{ledger.Chain{draw(1)}, nil},                                          //
		unit{ledger.Chain{hold}, nil},                                             //
		unit{ledger.Chain{transfer(fresh, ann, 5), closing(fresh)}, fail},         //
		unit{ledger.Chain{transfer(fresh, ann, 5), closing(fresh)}, note("last")}, // ann 70
		unit{ledger.Chain{transfer(ann, fresh, 1)}, nil},                          //
	),
		nil, errOwn, ledger.ErrInsufficient, nil, ledger.ErrExists,
		errOwn, ledger.ErrAccountUnknown, nil, ledger.ErrAccountExists,
		errOwn, ledger.ErrHoldUnknown, ledger.ErrInsufficient, nil, errOwn, errAny, nil, ledger.ErrHoldExceeded,
		ledger.ErrHoldExists, nil, ledger.ErrHoldUnknown, ledger.ErrHoldUnknown, ledger.ErrHoldExists,
		errOwn, nil, ledger.ErrAccountClosed,
	)
	for range 2 {
		w.balance(ann, 70, 70)
		w.balance(ben, 30, 30)
		w.balance(fresh, 0, 0)
		if !w.find(fresh).Closed {
			t.Error("the account is open")
		}
		if diff := cmp.Diff([]string{"1", "2", "3", "4", "last"}, rows(t, w.db.Read, "SELECT note FROM notes ORDER BY note")); diff != "" {
			t.Error(diff)
		}
		if got := rows(t, w.db.Read, "SELECT reserved, drawn, returned, closed FROM holds"); !cmp.Equal(got, []string{"0 15 5 1"}) {
			t.Errorf("holds %v", got)
		}
		if got := rows(t, w.db.Read, "SELECT count(DISTINCT batch), count(*) FROM ledger_transfers WHERE debit = x'"+hexOf(ann)+"'"); !cmp.Equal(got, []string{"1 4"}) {
			t.Errorf("batches and transfers %v: they were not one batch", got)
		}
		w.clean()
		w.reopen()
	}
}

// errAny is wanted where SQLite words the error.
var errAny error = anyError{}

type anyError struct{}

func (anyError) Error() string { return "any error" }

func closing(id ledger.ID) ledger.Command { return ledger.CloseAccount{ID: id} }

func hexOf(id ledger.ID) string { return fmt.Sprintf("%x", id[:]) }

// A hold that was closed in this batch by a chain that failed is open again.
func TestAFailedCloseLeavesTheHoldOpen(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 100), w.account(0, 0)
	hold := ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 100}
	end := ledger.CloseHold{Reference: hold.Reference, Debit: ann, Credit: ben}
	w.do(hold)
	draw := ledger.Draw{ID: newID(), Reference: hold.Reference, Debit: ann, Credit: ben, To: ben, Amount: 100}
	w.answered(w.together(
		unit{ledger.Chain{end, transfer(ann, ben, 100)}, func(db.Tx) error { return errOwn }},
		unit{ledger.Chain{end, closing(newID())}, nil},
		unit{ledger.Chain{draw}, nil},
		unit{ledger.Chain{end}, nil},
	), errOwn, ledger.ErrAccountUnknown, nil, nil)
	w.balance(ann, 0, 0)
	w.balance(ben, 100, 100)
	w.clean()
}

func TestRepeatedChains(t *testing.T) {
	w := newWorld(t)
	house := ledger.HouseAccount(usd, ledger.CodeEquity)
	ann, ben, cat := w.account(0, 100), w.account(0, 0), w.account(0, 0)
	reference := newID()
	hold := ledger.OpenHold{Reference: reference, Debit: ann, Credit: house, Amount: 50}
	draw := ledger.Draw{ID: newID(), Reference: reference, Debit: ann, Credit: house, To: ben, Amount: 50, Code: 3}
	pay := transfer(ben, cat, 20)
	end := ledger.CloseHold{Reference: reference, Debit: ann, Credit: house}
	chain := ledger.Chain{hold, draw, pay, end} // none of these would be accepted a second time

	change := func(edit func(*ledger.Transfer)) ledger.Chain {
		other := pay
		edit(&other)
		return ledger.Chain{other}
	}
	repeats := []struct {
		name  string
		chain ledger.Chain
		index int
		want  error
	}{
		{"the same", chain, 1, ledger.ErrExists},
		{"another amount", change(func(t *ledger.Transfer) { t.Amount++ }), 0, ledger.ErrExistsDifferent},
		{"an amount of 0", change(func(t *ledger.Transfer) { t.Amount = 0 }), 0, ledger.ErrExistsDifferent},
		{"another debit", change(func(t *ledger.Transfer) { t.Debit = ann }), 0, ledger.ErrExistsDifferent},
		{"another credit", change(func(t *ledger.Transfer) { t.Credit = ann }), 0, ledger.ErrExistsDifferent},
		{"another code", change(func(t *ledger.Transfer) { t.Code++ }), 0, ledger.ErrExistsDifferent},
		{"another reference", change(func(t *ledger.Transfer) { t.Reference = newID() }), 0, ledger.ErrExistsDifferent},
		{"a transfer as a draw", ledger.Chain{ledger.Draw{
			ID: pay.ID, Reference: pay.Reference, Debit: pay.Debit, Credit: pay.Credit, To: pay.Credit, Amount: pay.Amount, Code: pay.Code,
		}}, 0, ledger.ErrExistsDifferent},
		{"a draw as a transfer", ledger.Chain{ledger.Transfer{
			ID: draw.ID, Debit: draw.Debit, Credit: draw.To, Amount: draw.Amount, Code: draw.Code, Reference: draw.Reference,
		}}, 0, ledger.ErrExistsDifferent},
		{"a draw from another hold", ledger.Chain{ledger.Draw{
			ID: draw.ID, Reference: reference, Debit: ann, Credit: cat, To: ben, Amount: 50, Code: 3,
		}}, 0, ledger.ErrExistsDifferent},
		{"with one more", append(chain[:len(chain):len(chain)], transfer(ann, ben, 1)), 1, ledger.ErrExistsDifferent},
		{"with a new one first", ledger.Chain{transfer(ann, ben, 1), pay}, 1, ledger.ErrExistsDifferent},
	}
	repeat := func() {
		for _, r := range repeats {
			err := w.ledger.Submit(context.Background(), r.chain, func(db.Tx) error { t.Errorf("%s: rows ran", r.name); return nil })
			t.Run(r.name, func(t *testing.T) { w.t = t; w.refused(err, r.index, r.want) })
		}
		w.t = t
	}

	units := []unit{{chain, note("once")}}
	want := []error{nil}
	for _, r := range repeats {
		units = append(units, unit{r.chain, note("never")})
		want = append(want, r.want)
	}
	w.answered(w.together(units...), want...) // in one batch
	w.unchanged(repeat)                       // later
	w.reopen()
	w.unchanged(repeat) // after a restart
	w.do(transfer(ben, ann, 30), closing(ben))
	w.unchanged(repeat) // when an account that it used is closed
	w.clean()
}

// An id twice in one chain can't mean that the chain was committed before.
func TestOneIDTwiceInAChain(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 100), w.account(0, 0)
	same := transfer(ann, ben, 10)
	other := same
	other.Amount = 20
	w.unchanged(func() {
		w.refused(w.submit(same, same), 1, ledger.ErrExistsDifferent)
		w.refused(w.submit(same, other), 1, ledger.ErrExistsDifferent)
	})
	w.do(same)
	w.clean()
}

// A transfer that failed left its id free.
func TestARefusedTransferMayBeTriedAgain(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 0), w.account(0, 100)
	pay := transfer(ann, ben, 10)
	w.refused(w.submit(pay), 0, ledger.ErrInsufficient)
	w.do(transfer(ben, ann, 10))
	w.do(pay)
	w.refused(w.submit(pay), 0, ledger.ErrExists)
	w.clean()
}
