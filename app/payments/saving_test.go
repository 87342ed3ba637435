package payments_test

import (
	"context"
	"testing"

	"pochi/app/payments"

	"github.com/google/go-cmp/cmp"
)

func TestQuotesAreThereAfterARestart(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	var open []payments.Quote
	for range 3 {
		open = append(open, w.Quote(ann, benPointer, "1", payments.FixedDebit))
	}
	spent := w.Quote(ann, benPointer, "2", payments.FixedDebit)
	paid := w.Confirm(ann, spent)
	w.Stop()
	w.Start(true)
	for _, q := range open {
		found, err := w.Payments.FindQuote(ctx, ann.ID, q.ID)
		if diff := cmp.Diff(q, found); err != nil || diff != "" {
			t.Errorf("quote, %v:\n%s", err, diff)
		}
	}
	again, err := w.Payments.Confirm(ctx, ann.ID, spent.ID)
	if diff := cmp.Diff(paid, again); err != nil || diff != "" {
		t.Errorf("confirmed again, %v:\n%s", err, diff)
	}
	w.Check()
}
