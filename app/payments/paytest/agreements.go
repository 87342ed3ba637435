package paytest

import (
	"context"
	"crypto/rand"

	"pochi/app/agreements"
	"pochi/app/agreements/interval"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Agree lets an app use so much of somebody's money: in all, or each time that a
// rule like "R/P1M" says.
func (w *Wallet) Agree(from Person, app string, amount ledger.Amount, rule string) uuid.UUID {
	w.t.Helper()
	repeats, err := interval.Parse(rule)
	if err != nil {
		w.t.Fatal(err)
	}
	approval := agreements.Approval{
		UserID: from.ID, AccountID: from.Account, ClientID: "client-" + app, App: app, Amount: amount.Value,
		Terms: agreements.Terms{Description: "For " + app, Amount: amount, Interval: repeats},
	}
	if _, err := rand.Read(approval.Consent[:]); err != nil {
		w.t.Fatal(err)
	}
	a, err := w.Agreements.Approve(context.Background(), approval)
	if err != nil {
		w.t.Fatal(err)
	}
	return a.ID
}

// Interval returns the account of an agreement's current interval.
func (w *Wallet) Interval(agreement uuid.UUID) uuid.UUID {
	w.t.Helper()
	allowed, err := w.Agreements.Allow(context.Background(), agreement, agreements.Use{Amount: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	return allowed.Authority.Account
}
