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

// holds reads what the holds of a reference say.
func (w *world) holds(reference ledger.ID) []string {
	w.t.Helper()
	return rows(w.t, w.db.Read, "SELECT reserved, drawn, returned, closed FROM holds WHERE reference = x'"+hexOf(reference)+
		"' ORDER BY debit, credit")
}

func TestALifeOfAHold(t *testing.T) {
	w := newWorld(t)
	outgoing := ledger.HouseAccount(usd, ledger.CodeOutgoing)
	ann, ben := w.account(0, 100), w.account(0, 0)
	reference := newID()
	draw := func(amount uint64) ledger.Command {
		return ledger.Draw{ID: newID(), Reference: reference, Debit: ann, Credit: outgoing, To: ben, Amount: amount}
	}
	steps := []struct {
		name      string
		command   ledger.Command
		posted    int64
		available uint64
		pending   uint64
		hold      string
	}{
		{"open", ledger.OpenHold{Reference: reference, Debit: ann, Credit: outgoing, Amount: 90}, 100, 10, 90, "90 0 0 0"},
		{"draw a part", draw(30), 70, 10, 60, "60 30 0 0"},
		{"draw again", draw(50), 20, 10, 10, "10 80 0 0"},
		{"close", ledger.CloseHold{Reference: reference, Debit: ann, Credit: outgoing}, 20, 20, 0, "0 80 10 1"},
	}
	for _, step := range steps {
		w.do(step.command)
		for range 2 { // before and after a restart
			w.balance(ann, step.posted, step.available)
			w.balance(ben, 100-step.posted, uint64(100-step.posted))
			if got := w.find(outgoing); got.CreditsPending != step.pending || got.CreditsPosted != 0 {
				t.Errorf("%s: the hold's credit account has %+v", step.name, got)
			}
			if got := w.find(ann).DebitsPending; got != step.pending {
				t.Errorf("%s: %d pending, want %d", step.name, got, step.pending)
			}
			if diff := cmp.Diff([]string{step.hold}, w.holds(reference)); diff != "" {
				t.Errorf("%s: %s", step.name, diff)
			}
			w.clean()
			w.reopen()
		}
	}
	w.unchanged(func() {
		w.refused(w.submit(steps[3].command), 0, ledger.ErrHoldUnknown)
		w.refused(w.submit(draw(1)), 0, ledger.ErrHoldUnknown)
		w.refused(w.submit(steps[0].command), 0, ledger.ErrHoldExists)
	})
}

// A hold that was drawn to the end doesn't keep its accounts open, and can be
// closed after them.
func TestCloseAHoldOfClosedAccounts(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 10), w.account(0, 0)
	house := ledger.HouseAccount(usd, ledger.CodeEquity)
	hold := ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 10}
	w.do(hold, ledger.Draw{ID: newID(), Reference: hold.Reference, Debit: ann, Credit: ben, To: house, Amount: 10})
	w.do(closing(ann), closing(ben))
	w.clean()
	w.do(ledger.CloseHold{Reference: hold.Reference, Debit: ann, Credit: ben})
	if diff := cmp.Diff([]string{"0 10 0 1"}, w.holds(hold.Reference)); diff != "" {
		t.Error(diff)
	}
	w.clean()
}

// Holds with one reference and debit account, and transfers that carry the
// same reference, are told apart.
func TestHoldsThatShareAReference(t *testing.T) {
	w := newWorld(t)
	ann, ben, cat := w.account(0, 100), w.account(0, 0), w.account(0, 0)
	reference := newID()
	fee := transfer(ann, cat, 5)
	fee.Reference = reference
	w.do(
		ledger.OpenHold{Reference: reference, Debit: ann, Credit: ben, Amount: 30},
		ledger.OpenHold{Reference: reference, Debit: ann, Credit: cat, Amount: 40},
		ledger.Draw{ID: newID(), Reference: reference, Debit: ann, Credit: ben, To: cat, Amount: 20},
		ledger.Draw{ID: newID(), Reference: reference, Debit: ann, Credit: cat, To: cat, Amount: 1},
		fee,
		ledger.CloseHold{Reference: reference, Debit: ann, Credit: ben},
	)
	w.balance(ann, 74, 35)
	w.balance(cat, 26, 26)
	got := w.holds(reference) // in the order of their random accounts
	if want := []string{"0 20 10 1", "39 1 0 0"}; !cmp.Equal(got, want) && !cmp.Equal(got, []string{want[1], want[0]}) {
		t.Errorf("holds %v, want %v", got, want)
	}
	w.clean()
}

// However many draw and close at once, no more is drawn than was reserved, and
// the rest comes back once.
func TestConcurrentDrawAndClose(t *testing.T) {
	w := newWorld(t)
	for round := range 10 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			w.t = t
			ann, ben := w.account(0, 100), w.account(0, 0)
			reference := newID()
			w.do(ledger.OpenHold{Reference: reference, Debit: ann, Credit: ben, Amount: 60})
			end := ledger.CloseHold{Reference: reference, Debit: ann, Credit: ben}
			var drawn atomic.Int64
			var closed atomic.Int32
			var wg sync.WaitGroup
			for caller := range 8 {
				wg.Go(func() {
					for i := range 12 { // 96 draws for 60
						amount := uint64(i%2) + 1
						err := w.submit(ledger.Draw{ID: newID(), Reference: reference, Debit: ann, Credit: ben, To: ben, Amount: amount})
						switch {
						case err == nil:
							drawn.Add(int64(amount))
						case !errors.Is(err, ledger.ErrHoldExceeded) && !errors.Is(err, ledger.ErrHoldUnknown):
							t.Error(err)
						}
						if (caller == 0 || caller == 5) && i == round {
							if err := w.submit(end); err == nil {
								closed.Add(1)
							} else if !errors.Is(err, ledger.ErrHoldUnknown) {
								t.Error(err)
							}
						}
					}
				})
			}
			wg.Wait()
			if drawn.Load() > 60 || closed.Load() != 1 {
				t.Errorf("%d drawn of 60, closed %d times", drawn.Load(), closed.Load())
			}
			w.balance(ann, 100-drawn.Load(), uint64(100-drawn.Load()))
			w.balance(ben, drawn.Load(), uint64(drawn.Load()))
			if diff := cmp.Diff([]string{fmt.Sprint(0, drawn.Load(), 60-drawn.Load(), 1)}, w.holds(reference)); diff != "" {
				t.Error(diff)
			}
		})
	}
	w.t = t
	w.clean()
}
