package ledger_test

import (
	"strings"
	"testing"

	"pochi/db"
	"pochi/ledger"
)

// Whatever bug a command has: a batch that would break the ledger stops the
// writer, and nothing of it reaches the disk.
func TestABrokenBatchIsNotWritten(t *testing.T) {
	tests := map[string]struct {
		want   string
		change func(*ledger.Account)
	}{
		"money from nowhere":              {"sum to zero", func(a *ledger.Account) { a.CreditsPosted++ }},
		"money lost":                      {"sum to zero", func(a *ledger.Account) { a.DebitsPosted++ }},
		"pending":                         {"sum to zero", func(a *ledger.Account) { a.DebitsPending++ }},
		"overspent":                       {"limit", func(a *ledger.Account) { a.DebitsPosted += 101; a.CreditsPosted -= 101 }},
		"overreserved":                    {"limit", func(a *ledger.Account) { a.DebitsPending += 101; a.CreditsPending += 101 }},
		"beyond a limit that was lowered": {"limit", func(a *ledger.Account) { a.DebitsPosted += 31; a.CreditsPosted -= 70; a.Limit = 0 }},
		"pending without a hold":          {"holds", func(a *ledger.Account) { a.DebitsPending += 50; a.CreditsPending += 50 }},
		"too much":                        {"limit", func(a *ledger.Account) { a.DebitsPosted += 1 << 63; a.CreditsPosted += 1 << 63 }},
		"too much pending":                {"limit", func(a *ledger.Account) { a.CreditsPending += 1 << 63 }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ann, ben := w.account(0, 100), w.account(0, 100)
			w.unchanged(func() {
				answers := w.together(
					unit{ledger.Chain{transfer(ben, ann, 1), transfer(ann, ben, 1)}, note("before")},
					unit{ledger.Chain{ledger.Break{ID: ann, Change: test.change}}, nil},
					unit{ledger.Chain{transfer(ann, ben, 200)}, nil},
				)
				w.answered(answers, db.ErrStopped, db.ErrStopped, db.ErrStopped)
				if !strings.Contains(answers[0].Error(), test.want) {
					t.Errorf("stopped by %v, want %q", answers[0], test.want)
				}
			})
			<-w.db.Writer.Done()
			w.want(w.submit(transfer(ben, ann, 1)), db.ErrStopped)
			w.reopen()
			w.do(transfer(ben, ann, 100))
			w.clean()
		})
	}
}

// Money that moved without a transfer is not written either, though it adds
// up.
func TestAMoveWithoutATransferIsNotWritten(t *testing.T) {
	for name, others := range map[string]func(w *world, ann, ben ledger.ID) []unit{
		"alone": func(*world, ledger.ID, ledger.ID) []unit { return nil },
		"beside a transfer": func(_ *world, ann, ben ledger.ID) []unit {
			return []unit{{ledger.Chain{transfer(ann, ben, 1)}, nil}}
		},
		"beside a packet": func(_ *world, ann, ben ledger.ID) []unit {
			return []unit{{ledger.Chain{ledger.Packet{Debit: ben, Credit: ann, Amount: 1}}, nil}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ann, ben := w.account(0, 100), w.account(0, 100)
			w.unchanged(func() {
				answers := w.together(append(others(w, ann, ben), unit{ledger.Chain{
					ledger.Break{ID: ann, Change: func(a *ledger.Account) { a.DebitsPosted++ }},
					ledger.Break{ID: ben, Change: func(a *ledger.Account) { a.CreditsPosted++ }},
				}, nil})...)
				for _, err := range answers {
					w.want(err, db.ErrStopped)
				}
			})
			<-w.db.Writer.Done()
			w.reopen()
			w.do(transfer(ann, ben, 100))
			w.clean()
		})
	}
}

// A change that no command makes is not hidden by an honest one beside it.
func TestAChangeBesideAnHonestTransferIsNotWritten(t *testing.T) {
	nothing := func(*ledger.Account) {}
	tests := map[string]struct {
		want     string
		ann, ben func(*ledger.Account)
	}{
		"pending": {"holds", func(a *ledger.Account) { a.DebitsPending++ }, func(a *ledger.Account) { a.CreditsPending++ }},
		"posted":  {"transfers", func(a *ledger.Account) { a.DebitsPosted++ }, func(a *ledger.Account) { a.CreditsPosted++ }},
		"limit":   {"limit", func(a *ledger.Account) { a.Limit = 5000 }, nothing},
		"closed":  {"closed", func(a *ledger.Account) { a.Closed = true }, nothing},
		"lowered, paid back and debited again": {"limit", func(a *ledger.Account) { a.CreditsPosted++; a.DebitsPosted++; a.Limit = 0 },
			func(a *ledger.Account) { a.DebitsPosted++; a.CreditsPosted++ }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ann, ben := w.account(5, 100), w.account(0, 100)
			w.do(transfer(ann, ben, 50))
			err := w.submit(transfer(ann, ben, 1), ledger.Break{ID: ann, Change: test.ann}, ledger.Break{ID: ben, Change: test.ben})
			if w.want(err, db.ErrStopped); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("stopped by %v, want %q", err, test.want)
			}
			<-w.db.Writer.Done()
			w.reopen()
			w.clean()
		})
	}
}
