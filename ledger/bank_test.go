package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/db"
	"pochi/ledger"
)

// Money that many callers move about is neither made nor lost, and nobody has
// less than their limit allows, in whatever moment one looks.
func TestBank(t *testing.T) {
	const accounts, balance, limit, callers, moves = 8, 1000, 50, 32, 40
	withSizes(t, tinyPasses)
	w := newWorld(t)
	var ids []ledger.ID
	for i := range accounts {
		ids = append(ids, w.account(uint64(i%2*limit), balance))
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for until(stop) {
				if err := bankAt(t.Context(), w.db.Read, accounts*balance); err != nil {
					t.Error(err)
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
	if err := bankAt(t.Context(), w.db.Read, accounts*balance); err != nil {
		t.Error(err)
	}
	w.reopen()
	if report := w.clean(); report.Transfers < 100 {
		t.Errorf("only %d transfers", report.Transfers)
	}
	if got := rows(t, w.db.Read, "SELECT sum(debits_pending), sum(credits_pending) FROM accounts"); got[0] != "0 0" {
		t.Errorf("pending at the end: %v", got)
	}
}

// bankAt looks at one moment: what people have comes to total, all are within
// their limits, and what is pending is in holds.
func bankAt(ctx context.Context, pool *sql.DB, total int64) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // it only reads
	var sum, least, pending int64
	err = tx.QueryRowContext(ctx, `SELECT sum(credits_posted - debits_posted),
		min(credits_posted + debit_limit - debits_posted - debits_pending) FROM accounts WHERE code = ?`, ledger.CodePerson).Scan(&sum, &least)
	if err != nil {
		return err
	}
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM accounts a WHERE
		debits_pending <> (SELECT coalesce(sum(reserved + in_flight), 0) FROM holds WHERE debit = a.n) OR
		credits_pending <> (SELECT coalesce(sum(reserved + in_flight), 0) FROM holds WHERE credit = a.n)`).Scan(&pending)
	if err != nil {
		return err
	}
	if sum != total || least < 0 || pending != 0 {
		return fmt.Errorf("total %d, want %d; least available %d; %d accounts whose pending totals are not their holds'", sum, total, least, pending)
	}
	return nil
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
	amount := rand.Uint64N(400) + 2
	reference := newID()
	switch rand.IntN(5) {
	case 0:
		return w.submit(transfer(from, to, amount))
	case 1:
		return w.submit(transfer(from, via, amount), transfer(via, to, amount/2+1))
	case 2:
		return w.submit(ledger.Packet{Debit: from, Credit: to, Amount: amount, Code: 2, Reference: ledger.ID{1}})
	case 3:
		take := ledger.Take{Reference: reference, Debit: from, Credit: via, Toward: to, Amount: amount, Unreserved: true}
		if err := w.submit(take); err != nil {
			return err
		}
		return w.submit(
			ledger.Post{Reference: reference, Debit: from, Credit: via, To: to, Amount: amount - 1, Code: 2},
			ledger.Release{Reference: reference, Debit: from, Credit: via, Amount: 1})
	}
	if err := w.submit(ledger.OpenHold{Reference: reference, Debit: from, Credit: via, Amount: amount}); err != nil {
		return err
	}
	take := ledger.Take{Reference: reference, Debit: from, Credit: via, Toward: to, Amount: amount / 2}
	if err := w.submit(take); err != nil {
		return err
	}
	if err := w.submit(ledger.Draw{ID: newID(), Reference: reference, Debit: from, Credit: via, To: to, Amount: 1}); err != nil {
		return err
	}
	landed := ledger.Command(ledger.Post{Reference: reference, Debit: from, Credit: via, To: to, Amount: amount / 2, Code: 2})
	if rand.IntN(3) == 0 {
		landed = ledger.Release{Reference: reference, Debit: from, Credit: via, Amount: amount / 2}
	}
	return w.submit(landed, ledger.CloseHold{Reference: reference, Debit: from, Credit: via})
}

// However many draw, take, post, release and close at once: no more is spent
// than was reserved, what was taken can always be posted or released, the hold
// is closed once, and the rest comes back once.
func TestManyCallersOfOneHold(t *testing.T) {
	const reserved, callers = 600, 12
	withSizes(t, tinyPasses)
	w := newWorld(t)
	for round := range 6 {
		ann, ben, peer := w.account(0, 1000), w.account(0, 0), w.account(0, 0)
		reference := newID()
		w.do(ledger.OpenHold{Reference: reference, Debit: ann, Credit: ben, Amount: reserved})
		var drawn atomic.Uint64
		var closed atomic.Int32
		over := make(chan struct{})
		var all, reader sync.WaitGroup
		reader.Go(func() {
			for until(over) {
				w.each(fmt.Sprintf("SELECT reserved + in_flight + drawn + returned FROM holds WHERE reference = x'%x'", reference[:]),
					func(scan func(...any) error) error {
						var sum int64
						if err := scan(&sum); err != nil || sum != reserved {
							t.Errorf("round %d: the hold's parts come to %d, %v", round, sum, err)
						}
						return nil
					})
			}
		})
		for caller := range callers {
			all.Go(func() {
				for range 8 {
					amount := rand.Uint64N(30) + 1
					take := ledger.Take{Reference: reference, Debit: ann, Credit: ben, Toward: peer, Amount: amount}
					draw := ledger.Draw{ID: newID(), Reference: reference, Debit: ann, Credit: ben, To: peer, Amount: amount}
					switch (caller + rand.IntN(3)) % 3 {
					case 0:
						if err := w.submit(draw); err == nil {
							drawn.Add(amount)
						} else if !errors.Is(err, ledger.ErrHoldExceeded) && !errors.Is(err, ledger.ErrHoldUnknown) {
							t.Error(err)
						}
					case 1:
						err := w.submit(take)
						if errors.Is(err, ledger.ErrHoldExceeded) || errors.Is(err, ledger.ErrHoldUnknown) {
							continue
						}
						w.want(err, nil)
						if rand.IntN(2) == 0 {
							w.want(w.submit(ledger.Release{Reference: reference, Debit: ann, Credit: ben, Amount: amount}), nil)
							continue
						}
						w.want(w.submit(ledger.Post{Reference: reference, Debit: ann, Credit: ben, To: peer, Amount: amount}), nil)
						drawn.Add(amount)
					default:
						if rand.IntN(4) > 0 {
							continue
						}
						err := w.submit(ledger.CloseHold{Reference: reference, Debit: ann, Credit: ben})
						switch {
						case err == nil:
							closed.Add(1)
						case !errors.Is(err, ledger.ErrHoldUnknown) && !errors.Is(err, ledger.ErrHoldInFlight):
							t.Error(err)
						}
					}
				}
			})
		}
		all.Wait()
		err := w.submit(ledger.CloseHold{Reference: reference, Debit: ann, Credit: ben})
		if before := closed.Load(); before > 1 || (before == 0) != (err == nil) {
			t.Errorf("round %d: closed %d times, then %v", round, before, err)
		}
		close(over)
		reader.Wait()
		spent := drawn.Load()
		w.balance(ann, int64(1000-spent), 1000-spent)
		w.balance(peer, int64(spent), spent)
		if got := rows(t, w.db.Read, fmt.Sprintf("SELECT reserved, in_flight, drawn, returned, closed FROM holds WHERE reference = x'%x'", reference[:])); got[0] != fmt.Sprint(0, 0, spent, reserved-spent, 1) {
			t.Errorf("round %d: the hold is %v, %d were drawn", round, got, spent)
		}
	}
	w.clean()
}
