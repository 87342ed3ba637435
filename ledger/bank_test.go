package ledger_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"pochi/db"
	"pochi/ledger"
)

// Money that many callers move about is neither made nor lost, and nobody has
// less than nothing, in whatever moment one looks.
func TestBank(t *testing.T) {
	const accounts, balance, callers, moves = 8, 1000, 32, 60
	w := newWorld(t)
	var ids []ledger.ID
	for range accounts {
		ids = append(ids, w.account(0, balance))
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for until(stop) {
				var total, least int64
				err := w.db.Read.QueryRowContext(t.Context(), `SELECT sum(credits_posted - debits_posted),
					min(credits_posted - debits_posted - debits_pending) FROM accounts WHERE code = ?`, ledger.CodePerson).Scan(&total, &least)
				if err != nil || total != accounts*balance || least < 0 {
					t.Errorf("total %d, least %d, %v", total, least, err)
				}
			}
		})
	}
	beside, err := db.OpenReadOnly(t.Context(), "sqlite:"+w.path) // as another program does
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	readers.Go(func() {
		for until(stop) {
			if report := checkIn(t, beside); len(report.Defects) > 0 {
				t.Errorf("Check beside a running writer found %v", report.Defects)
			}
		}
	})
	var writers sync.WaitGroup
	for range callers {
		writers.Go(func() {
			for range moves {
				if err := randomMove(w, ids); err != nil && !errors.Is(err, ledger.ErrInsufficient) {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	w.reopen()
	report := w.clean()
	if report.Transfers < 100 {
		t.Errorf("only %d transfers", report.Transfers)
	}
	if got := rows(t, w.db.Read, fmt.Sprintf("SELECT sum(credits_posted - debits_posted), sum(debits_pending) FROM accounts WHERE code = %d", ledger.CodePerson)); got[0] != fmt.Sprint(accounts*balance, 0) {
		t.Errorf("total and pending %v", got)
	}
}

// until is true as long as stop is open.
func until(stop chan struct{}) bool {
	select {
	case <-stop:
		return false
	default:
		return true
	}
}

// randomMove moves an amount in one of the ways that there are.
func randomMove(w *world, ids []ledger.ID) error {
	order := rand.Perm(len(ids))
	from, via, to := ids[order[0]], ids[order[1]], ids[order[2]]
	amount := rand.Uint64N(400) + 1
	switch rand.IntN(3) {
	case 0:
		return w.submit(transfer(from, to, amount))
	case 1:
		return w.submit(transfer(from, via, amount), transfer(via, to, amount/2+1))
	}
	hold := ledger.OpenHold{Reference: newID(), Debit: from, Credit: via, Amount: amount}
	if err := w.submit(hold); err != nil {
		return err
	}
	return w.submit(
		ledger.Draw{ID: newID(), Reference: hold.Reference, Debit: from, Credit: via, To: to, Amount: amount/2 + 1},
		ledger.CloseHold{Reference: hold.Reference, Debit: from, Credit: via},
	)
}
