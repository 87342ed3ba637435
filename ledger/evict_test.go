package ledger_test

import (
	"math/rand/v2"
	"testing"

	"pochi/ledger"
)

// fewKept keeps few accounts and holds, and none for long.
func fewKept(s *ledger.Sizes) { s.Accounts, s.Holds, s.QuietAfter = 50, 20, 30 }

// Accounts leave memory and come back as they were: all totals are right, also
// of many that are used once in a while, and memory stays as small as it was
// told to, whether batches are small or large.
func TestThousandsOfAccounts(t *testing.T) {
	const people, perBatch, batches = 3000, 200, 80
	withSizes(t, but(fewKept))
	w := newWorld(t)
	r := rand.New(rand.NewPCG(31, 0))
	house := ledger.HouseAccount(usd, ledger.CodeEquity)
	ids, balances := make([]ledger.ID, people), make(map[ledger.ID]int64, people)
	for start := 0; start < people; start += perBatch {
		var units []unit
		for i := start; i < start+perBatch; i++ {
			ids[i] = newID()
			balances[ids[i]] = 100
			units = append(units, unit{chain: ledger.Chain{
				ledger.OpenAccount{ID: ids[i], Ledger: w.usd, Code: ledger.CodePerson}, transfer(house, ids[i], 100)}})
		}
		w.answered(w.together(units...), make([]error, perBatch)...)
	}
	for batch := range batches {
		n := 1 + r.IntN(3)
		if batch%2 == 0 {
			n = perBatch
		}
		var units []unit
		for range n {
			from, to := ids[r.IntN(people)], ids[r.IntN(people)]
			if amount := r.Uint64N(5) + 1; from != to && balances[from] >= int64(amount) {
				balances[from], balances[to] = balances[from]-int64(amount), balances[to]+int64(amount)
				units = append(units, unit{chain: ledger.Chain{transfer(from, to, amount)}})
			}
		}
		w.answered(w.together(units...), make([]error, len(units))...)
		// What a batch brought in may be there until it is over, and what is not
		// quiet yet: two accounts for each chain. The quiet ones are found by
		// chance: as many again may wait.
		const most = 50 + 2*30 + 2*perBatch
		accounts, _, err := w.ledger.InMemory(t.Context())
		if err != nil || accounts > 2*most {
			t.Fatalf("batch %d: %d accounts in memory, %d belong there, %v", batch, accounts, most, err)
		}
	}
	check := func() {
		for id, want := range balances {
			if a := w.find(id); int64(a.CreditsPosted-a.DebitsPosted) != want {
				t.Fatalf("account %s has %+v, want a balance of %d", id, a, want)
			}
		}
	}
	check()
	w.clean()
	w.reopen()
	check()
}

// Holds, too, leave memory and come back; accounts that open holds in memory
// name stay, so that there is one of each.
func TestHoldsLeaveMemory(t *testing.T) {
	withSizes(t, but(fewKept))
	w := newWorld(t)
	r := rand.New(rand.NewPCG(32, 0))
	ids := w.people(100)
	type open struct {
		key              ledger.CloseHold
		reserved, flying uint64
		toward           ledger.ID
	}
	var holds []*open
	pending, posted := map[ledger.ID]uint64{}, map[ledger.ID]int64{}
	for step := range 1500 {
		if len(holds) < 150 {
			order := r.Perm(len(ids))
			h := &open{key: ledger.CloseHold{Reference: newID(), Debit: ids[order[0]], Credit: ids[order[1]]}, reserved: 100, toward: ids[order[2]]}
			w.do(ledger.OpenHold{Reference: h.key.Reference, Debit: h.key.Debit, Credit: h.key.Credit, Amount: 100})
			pending[h.key.Debit] += 100
			holds = append(holds, h)
			continue
		}
		i := r.IntN(len(holds))
		h := holds[i]
		switch {
		case h.flying > 0 && r.IntN(2) == 0:
			w.do(ledger.Post{Reference: h.key.Reference, Debit: h.key.Debit, Credit: h.key.Credit, To: h.toward, Amount: h.flying})
			pending[h.key.Debit] -= h.flying
			posted[h.key.Debit] -= int64(h.flying)
			posted[h.toward] += int64(h.flying)
			h.flying = 0
		case h.flying > 0:
			w.do(ledger.Release{Reference: h.key.Reference, Debit: h.key.Debit, Credit: h.key.Credit, Amount: h.flying})
			h.reserved, h.flying = h.reserved+h.flying, 0
		case r.IntN(3) == 0 || h.reserved == 0:
			w.do(h.key)
			w.want(w.submit(h.key), ledger.ErrHoldUnknown)
			pending[h.key.Debit] -= h.reserved
			holds = append(holds[:i], holds[i+1:]...)
		case r.IntN(2) == 0:
			w.do(ledger.Draw{ID: newID(), Reference: h.key.Reference, Debit: h.key.Debit, Credit: h.key.Credit, To: h.toward, Amount: 1})
			pending[h.key.Debit]--
			h.reserved--
			posted[h.key.Debit]--
			posted[h.toward]++
		default:
			amount := r.Uint64N(h.reserved) + 1
			w.do(ledger.Take{Reference: h.key.Reference, Debit: h.key.Debit, Credit: h.key.Credit, Toward: h.toward, Amount: amount})
			h.reserved, h.flying = h.reserved-amount, amount
		}
		if step%100 > 0 {
			continue
		}
		_, inMemory, err := w.ledger.InMemory(t.Context())
		flying := 0
		for _, h := range holds {
			if h.flying > 0 {
				flying++
				for _, id := range []ledger.ID{h.key.Debit, h.key.Credit, h.toward} {
					if here, err := w.ledger.IsInMemory(t.Context(), id); err != nil || !here {
						t.Errorf("an account of a hold in flight is not in memory, %v", err)
					}
				}
			}
		}
		if most := 20 + 30 + 1 + flying; err != nil || inMemory > most {
			t.Errorf("step %d: %d holds in memory, at most %d belong there, %v", step, inMemory, most, err)
		}
		for _, id := range ids {
			if a := w.find(id); a.DebitsPending != pending[id] || int64(a.CreditsPosted-a.DebitsPosted) != 1_000_000+posted[id] {
				t.Fatalf("step %d: account %s is %+v, want %d pending and %d more than at first", step, id, a, pending[id], posted[id])
			}
		}
	}
	for _, h := range holds {
		if h.flying == 0 {
			w.do(h.key)
		}
	}
	w.clean()
}

// A chain that fails leaves nothing behind in what it loaded.
func TestAFailedChainOfAccountsFromDisk(t *testing.T) {
	withSizes(t, but(func(s *ledger.Sizes) { s.Accounts, s.Holds, s.QuietAfter = 1, 1, 1 }))
	w := newWorld(t)
	ids := w.people(40)
	for i := range 200 {
		a, b, c := ids[i%40], ids[(i+7)%40], ids[(i+13)%40]
		w.want(w.submit(transfer(a, b, 5), transfer(b, c, 1<<40)), ledger.ErrInsufficient)
		hold := ledger.OpenHold{Reference: newID(), Debit: a, Credit: b, Amount: 3}
		w.want(w.submit(hold, transfer(c, a, 1<<40)), ledger.ErrInsufficient)
		w.do(hold, ledger.CloseHold{Reference: hold.Reference, Debit: a, Credit: b})
	}
	for _, id := range ids {
		w.balance(id, 1_000_000, 1_000_000)
	}
	w.clean()
}

// Refused commands bring accounts into memory, too.
func TestRefusedCommandsDoNotFillMemory(t *testing.T) {
	withSizes(t, tiny)
	w := newWorld(t)
	ids := make([]ledger.ID, 400)
	var chain ledger.Chain
	for i := range ids {
		ids[i] = newID()
		chain = append(chain, ledger.OpenAccount{ID: ids[i], Ledger: w.usd, Code: ledger.CodePerson})
	}
	w.do(chain...)
	w.reopen()
	for i := 0; i < len(ids); i += 2 {
		w.refused(w.submit(transfer(ids[i], ids[i+1], 1)), 0, ledger.ErrInsufficient)
	}
	if accounts, _, err := w.ledger.InMemory(t.Context()); err != nil || accounts > 50 {
		t.Errorf("%d accounts in memory, %v", accounts, err)
	}
}
