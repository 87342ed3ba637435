package ledger_test

import (
	"errors"
	"math"
	"testing"

	"pochi/db"
	"pochi/ledger"
)

// Every refusal of every command, alone and at the end of a chain that is
// undone with it.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	house := ledger.HouseAccount(usd, ledger.CodeEquity)
	ann, ben, shut := w.account(0, 100), w.account(0, 0), w.account(0, 0)
	eve := newID()
	w.do(ledger.OpenAccount{ID: eve, Ledger: w.eur, Code: ledger.CodePerson})
	w.do(ledger.CloseAccount{ID: shut})
	full, other, rich := w.account(math.MaxInt64, 0), w.account(math.MaxInt64, 0), w.account(math.MaxInt64, 0)
	w.do(transfer(full, other, math.MaxInt64), transfer(other, full, math.MaxInt64)) // both totals of both are at the end
	open, closed, empty, huge := newID(), newID(), newID(), newID()
	hold := ledger.OpenHold{Reference: open, Debit: ann, Credit: ben, Amount: 30}
	w.do(hold)
	w.do(ledger.OpenHold{Reference: closed, Debit: ann, Credit: ben, Amount: 10})
	w.do(ledger.CloseHold{Reference: closed, Debit: ann, Credit: ben})
	w.do(ledger.OpenHold{Reference: empty, Debit: ann, Credit: ben, Amount: 5})
	drawn := ledger.Draw{ID: newID(), Reference: empty, Debit: ann, Credit: ben, To: ben, Amount: 5}
	w.do(drawn)
	w.do(ledger.OpenHold{Reference: huge, Debit: rich, Credit: ben, Amount: math.MaxInt64 - 30})
	moved := transfer(ben, ann, 1)
	w.do(moved)
	// ann: 96 posted, 30 held, 66 available

	draw := func(reference, debit, credit, to ledger.ID, amount uint64) ledger.Draw {
		return ledger.Draw{ID: newID(), Reference: reference, Debit: debit, Credit: credit, To: to, Amount: amount}
	}
	changed := moved
	changed.Amount++
	tests := []struct {
		name    string
		command ledger.Command
		want    error
	}{
		{"open: taken", ledger.OpenAccount{ID: ann, Ledger: w.usd}, ledger.ErrAccountExists},
		{"open: taken by a closed one", ledger.OpenAccount{ID: shut, Ledger: w.usd}, ledger.ErrAccountExists},
		{"open: no ledger", ledger.OpenAccount{ID: newID(), Ledger: 99}, ledger.ErrLedgerUnknown},
		{"open: limit", ledger.OpenAccount{ID: newID(), Ledger: w.usd, Limit: 1 << 63}, ledger.ErrAmount},

		{"close: unknown", ledger.CloseAccount{ID: newID()}, ledger.ErrAccountUnknown},
		{"close: closed", ledger.CloseAccount{ID: shut}, ledger.ErrAccountClosed},
		{"close: balance", ledger.CloseAccount{ID: ann}, ledger.ErrNotEmpty},
		{"close: debt", ledger.CloseAccount{ID: house}, ledger.ErrNotEmpty},
		{"close: debits pending", ledger.CloseAccount{ID: rich}, ledger.ErrNotEmpty},
		{"close: credits pending", ledger.CloseAccount{ID: ben}, ledger.ErrNotEmpty},

		{"limit: 2^63", ledger.SetLimit{ID: ann, Limit: 1 << 63}, ledger.ErrAmount},
		{"limit: unknown", ledger.SetLimit{ID: newID()}, ledger.ErrAccountUnknown},
		{"limit: closed", ledger.SetLimit{ID: shut, Limit: 5}, ledger.ErrAccountClosed},

		{"transfer: 0", transfer(ann, ben, 0), ledger.ErrAmount},
		{"transfer: 2^63", transfer(house, ben, 1<<63), ledger.ErrAmount},
		{"transfer: 2^64-1", transfer(house, ben, math.MaxUint64), ledger.ErrAmount},
		{"transfer: same account", transfer(ann, ann, 1), ledger.ErrSameAccount},
		{"transfer: debit unknown", transfer(newID(), ben, 1), ledger.ErrAccountUnknown},
		{"transfer: credit unknown", transfer(ann, newID(), 1), ledger.ErrAccountUnknown},
		{"transfer: debit closed", transfer(shut, ann, 1), ledger.ErrAccountClosed},
		{"transfer: credit closed", transfer(ann, shut, 1), ledger.ErrAccountClosed},
		{"transfer: ledgers", transfer(ann, eve, 1), ledger.ErrLedgerMismatch},
		{"transfer: more than is available", transfer(ann, ben, 67), ledger.ErrInsufficient},
		{"transfer: nothing there", transfer(eve, ledger.HouseAccount(eur, ledger.CodeEquity), 1), ledger.ErrInsufficient},
		{"transfer: credits overflow", transfer(ann, full, 1), ledger.ErrOverflow},
		{"transfer: debits overflow", transfer(full, ben, 1), ledger.ErrOverflow},
		{"transfer: again", moved, ledger.ErrExists},
		{"transfer: id of another", changed, ledger.ErrExistsDifferent},

		{"hold: 0", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben}, ledger.ErrAmount},
		{"hold: 2^63", ledger.OpenHold{Reference: newID(), Debit: house, Credit: ben, Amount: 1 << 63}, ledger.ErrAmount},
		{"hold: same account", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ann, Amount: 1}, ledger.ErrSameAccount},
		{"hold: debit unknown", ledger.OpenHold{Reference: newID(), Debit: newID(), Credit: ben, Amount: 1}, ledger.ErrAccountUnknown},
		{"hold: credit unknown", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: newID(), Amount: 1}, ledger.ErrAccountUnknown},
		{"hold: debit closed", ledger.OpenHold{Reference: newID(), Debit: shut, Credit: ben, Amount: 1}, ledger.ErrAccountClosed},
		{"hold: credit closed", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: shut, Amount: 1}, ledger.ErrAccountClosed},
		{"hold: ledgers", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: eve, Amount: 1}, ledger.ErrLedgerMismatch},
		{"hold: more than is available", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 67}, ledger.ErrInsufficient},
		{"hold: credits pending overflow", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 1}, ledger.ErrOverflow},
		{"hold: more than the limit", ledger.OpenHold{Reference: newID(), Debit: rich, Credit: house, Amount: 31}, ledger.ErrInsufficient},
		{"hold: again", hold, ledger.ErrHoldExists},
		{"hold: of a closed one", ledger.OpenHold{Reference: closed, Debit: ann, Credit: ben, Amount: 1}, ledger.ErrHoldExists},

		{"draw: 0", draw(open, ann, ben, ben, 0), ledger.ErrAmount},
		{"draw: 2^63", draw(huge, rich, ben, ben, 1<<63), ledger.ErrAmount},
		{"draw: to the payer", draw(open, ann, ben, ann, 1), ledger.ErrSameAccount},
		{"draw: to nobody", draw(open, ann, ben, newID(), 1), ledger.ErrAccountUnknown},
		{"draw: to a closed account", draw(open, ann, ben, shut, 1), ledger.ErrAccountClosed},
		{"draw: to another ledger", draw(open, ann, ben, eve, 1), ledger.ErrLedgerMismatch},
		{"draw: unknown reference", draw(newID(), ann, ben, ben, 1), ledger.ErrHoldUnknown},
		{"draw: another debit", draw(open, house, ben, ben, 1), ledger.ErrHoldUnknown},
		{"draw: another credit", draw(open, ann, house, ben, 1), ledger.ErrHoldUnknown},
		{"draw: closed", draw(closed, ann, ben, ben, 1), ledger.ErrHoldUnknown},
		{"draw: more than held", draw(open, ann, ben, ben, 31), ledger.ErrHoldExceeded},
		{"draw: from an empty one", draw(empty, ann, ben, ben, 1), ledger.ErrHoldExceeded},
		{"draw: credits overflow", draw(open, ann, ben, full, 1), ledger.ErrOverflow},
		{"draw: again", drawn, ledger.ErrExists},

		{"close hold: unknown", ledger.CloseHold{Reference: newID(), Debit: ann, Credit: ben}, ledger.ErrHoldUnknown},
		{"close hold: closed", ledger.CloseHold{Reference: closed, Debit: ann, Credit: ben}, ledger.ErrHoldUnknown},
		{"close hold: other account", ledger.CloseHold{Reference: open, Debit: ben, Credit: ann}, ledger.ErrHoldUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w.t = t
			w.unchanged(func() {
				w.refused(w.submit(test.command), 0, test.want)
				if errors.Is(test.want, ledger.ErrExists) || errors.Is(test.want, ledger.ErrExistsDifferent) {
					return // in a chain it is another matter: see TestRepeatedChains
				}
				fresh := newID()
				w.refused(w.submit(
					ledger.OpenAccount{ID: fresh, Ledger: w.eur},
					transfer(ledger.HouseAccount(eur, ledger.CodeEquity), fresh, 5),
					ledger.OpenHold{Reference: fresh, Debit: fresh, Credit: ledger.HouseAccount(eur, ledger.CodeEquity), Amount: 5},
					test.command,
				), 3, test.want)
			})
		})
	}
	w.t = t
	w.clean()
	w.reopen()
	w.clean()
}

// refused expects the index and the reason of a refused command.
func (w *world) refused(err error, index int, reason error) {
	w.t.Helper()
	var refusal *ledger.Error
	if !errors.As(err, &refusal) || refusal.Index != index || !errors.Is(err, reason) {
		w.t.Errorf("got error %v, want command %d refused: %v", err, index, reason)
	}
}

func TestLargestAmounts(t *testing.T) {
	w := newWorld(t)
	house := ledger.HouseAccount(usd, ledger.CodeEquity)
	ann, ben := w.account(math.MaxInt64, math.MaxInt64), w.account(math.MaxInt64, 0)
	w.balance(ann, math.MaxInt64, 2*math.MaxInt64) // its limit and its balance: no wrap
	w.balance(house, -math.MaxInt64, 0)
	w.refused(w.submit(transfer(house, ann, 1)), 0, ledger.ErrInsufficient)

	w.do(transfer(ann, ben, math.MaxInt64))
	w.refused(w.submit(transfer(ann, ben, 1)), 0, ledger.ErrOverflow)
	w.do(ledger.OpenHold{Reference: newID(), Debit: ben, Credit: house, Amount: math.MaxInt64})
	w.balance(ben, math.MaxInt64, math.MaxInt64)
	w.refused(w.submit(ledger.OpenHold{Reference: newID(), Debit: ben, Credit: ann, Amount: 1}), 0, ledger.ErrOverflow)
	w.do(transfer(ben, house, math.MaxInt64)) // out of its limit
	w.balance(ben, 0, 0)
	w.refused(w.submit(transfer(ben, house, 1)), 0, ledger.ErrInsufficient)
	w.reopen()
	w.balance(ben, 0, 0)
	w.clean()
}

func TestTheExactBalanceIsSpendable(t *testing.T) {
	w := newWorld(t)
	ann, ben, cat := w.account(0, 100), w.account(0, 0), w.account(50, 100)
	w.do(transfer(ann, ben, 100))
	w.balance(ann, 0, 0)
	w.refused(w.submit(transfer(ann, ben, 1)), 0, ledger.ErrInsufficient)

	hold := newID()
	w.do(ledger.OpenHold{Reference: hold, Debit: ben, Credit: ann, Amount: 100})
	w.refused(w.submit(transfer(ben, ann, 1)), 0, ledger.ErrInsufficient)
	w.do(ledger.Draw{ID: newID(), Reference: hold, Debit: ben, Credit: ann, To: cat, Amount: 100})
	w.balance(ben, 0, 0)

	w.do(transfer(cat, ann, 250)) // balance 200 and limit 50
	w.balance(cat, -50, 0)
	w.refused(w.submit(transfer(cat, ann, 1)), 0, ledger.ErrInsufficient)
	w.clean()
}

// A credit that is only pending can't be spent.
func TestPendingCreditsAreNotAvailable(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 100), w.account(0, 0)
	w.do(ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 100})
	w.balance(ben, 0, 0)
	w.refused(w.submit(transfer(ben, ann, 1)), 0, ledger.ErrInsufficient)
}

func TestOpenAndCloseAccounts(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(7, 100), w.account(0, 0)
	want := ledger.Account{ID: ben, Ledger: w.usd, Code: ledger.CodePerson}
	if got := w.find(ben); got != want {
		t.Errorf("a new account: %+v, want %+v", got, want)
	}
	_, err := ledger.Find(t.Context(), w.db.Read, newID())
	w.want(err, ledger.ErrAccountUnknown)
	w.do(transfer(ann, ben, 100), ledger.CloseAccount{ID: ann}) // emptied and closed in one chain
	w.reopen()
	want = ledger.Account{
		ID: ann, Ledger: w.usd, Code: ledger.CodePerson, Limit: 7, DebitsPosted: 100, CreditsPosted: 100, Closed: true,
	}
	if got := w.find(ann); got != want {
		t.Errorf("a closed account: %+v, want %+v", got, want)
	}
	w.refused(w.submit(transfer(ben, ann, 1)), 0, ledger.ErrAccountClosed)
	w.clean()
}

// A limit may be lowered below what is used: what is held can still be drawn,
// nothing more can be debited.
func TestSetLimit(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(100, 0), w.account(0, 50)
	hold := ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 40}
	w.do(transfer(ann, ben, 30), hold)
	limit := func(limit, available uint64) {
		t.Helper()
		w.do(ledger.SetLimit{ID: ann, Limit: limit})
		for range 2 { // before and after a restart
			if got := w.find(ann); got.Limit != limit || got.Available() != available {
				t.Errorf("limit %d: got %+v, %d available, want %d", limit, got, got.Available(), available)
			}
			w.refused(w.submit(transfer(ann, ben, available+1)), 0, ledger.ErrInsufficient)
			w.refused(w.submit(ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: available + 1}), 0, ledger.ErrInsufficient)
			w.clean()
			w.reopen()
		}
	}
	limit(71, 1)
	limit(70, 0)
	limit(10, 0)
	w.do(ledger.Draw{ID: newID(), Reference: hold.Reference, Debit: ann, Credit: ben, To: ben, Amount: 25})
	w.do(transfer(ben, ann, 5)) // paid back, and still above
	limit(50, 0)
	w.do(ledger.CloseHold{Reference: hold.Reference, Debit: ann, Credit: ben})
	limit(51, 1)
	limit(0, 0)
	limit(math.MaxInt64, math.MaxInt64-50)
	w.unchanged(func() { w.do(ledger.SetLimit{ID: ann, Limit: math.MaxInt64}) }) // nothing to log
}

// Debits and limits of one batch: what was accepted under the limit of its
// moment stays, whatever the batch ends with.
func TestSetLimitWithinABatch(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 10), w.account(0, 0)
	set := func(limit uint64) ledger.SetLimit { return ledger.SetLimit{ID: ann, Limit: limit} }
	w.answered(w.together(
		unit{ledger.Chain{transfer(ann, ben, 11)}, nil},
		unit{ledger.Chain{set(5), transfer(ann, ben, 15), set(0)}, nil},
		unit{ledger.Chain{set(6), transfer(ann, ben, 2)}, nil},
		unit{ledger.Chain{set(6), transfer(ann, ben, 1)}, func(db.Tx) error { return errOwn }},
		unit{ledger.Chain{transfer(ann, ben, 1)}, nil},
		unit{ledger.Chain{set(3)}, nil},
	), ledger.ErrInsufficient, nil, ledger.ErrInsufficient, errOwn, ledger.ErrInsufficient, nil)
	w.balance(ann, -5, 0)
	if got := w.find(ann).Limit; got != 3 {
		t.Errorf("limit %d", got)
	}
	w.clean()
}
