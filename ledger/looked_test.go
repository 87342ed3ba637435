package ledger_test

import (
	"context"
	"sync"
	"testing"

	"pochi/ledger"
)

// Whoever looks at an account sees what was committed last, whoever else has
// looked before, and while others move money.
func TestFindShowsWhatIsCommitted(t *testing.T) {
	w := newWorld(t)
	a, b := w.account(0, 1000), w.account(0, 0)
	const times, lookers = 300, 4
	var wait sync.WaitGroup
	done, end := context.WithCancel(t.Context())
	for range lookers {
		wait.Go(func() {
			for last := uint64(0); done.Err() == nil; {
				got, err := w.ledger.Find(t.Context(), b)
				if err != nil || got.CreditsPosted < last {
					t.Errorf("after %d: %+v, %v", last, got, err)
					return
				}
				last = got.CreditsPosted
			}
		})
	}
	for i := range uint64(times) {
		w.do(ledger.Transfer{ID: newID(), Debit: a, Credit: b, Amount: 1})
		from, err := w.ledger.Find(t.Context(), a)
		to, err2 := w.ledger.Find(t.Context(), b)
		if err != nil || err2 != nil || from.Available() != 1000-i-1 || to.Available() != i+1 {
			t.Fatalf("after %d: %+v, %+v, %v, %v", i+1, from, to, err, err2)
		}
	}
	end()
	wait.Wait()
	_, err := w.ledger.Find(t.Context(), newID())
	w.want(err, ledger.ErrAccountUnknown)
}
