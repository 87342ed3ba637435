package agreements_test

import (
	"testing"

	"pochi/app/agreements"
	"pochi/app/problem"
)

func TestWhatIsWithdrawnHasEnded(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.person("ann"), w.person("ben")
	yes := agreements.Approval{UserID: ann.id, AccountID: ann.account, ClientID: "shop", App: "Shop", Terms: monthly(t), Amount: 1000, Consent: challenge()}
	granted, err := w.Approve(ctx, yes)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Withdraw(ctx, ben.id, yes.Consent); err != nil {
		t.Fatal(err)
	}
	if err := w.Live(ctx, granted.ID); err != nil {
		t.Errorf("by somebody else: %v", err)
	}
	for _, consent := range [][32]byte{yes.Consent, yes.Consent, challenge()} { // again, and what never was, change nothing
		if err := w.Withdraw(ctx, ann.id, consent); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Live(ctx, granted.ID); problem.CodeOf(err) != problem.Forbidden {
		t.Errorf("withdrawn: %v", err)
	}
}
