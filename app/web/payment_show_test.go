package web

import (
	"testing"

	"pochi/app/payments"
	"pochi/ledger"
	"pochi/views"
)

// TestWhere checks what the page of a payment says about its money.
func TestWhere(t *testing.T) {
	usd := func(cents uint64) ledger.Amount {
		return ledger.Amount{Value: cents, Asset: ledger.Asset{Code: "USD", Scale: 2}}
	}
	for _, test := range []struct {
		state                             payments.State
		sent, checking, released, settled uint64
		shown                             views.PaymentState
		want                              string
	}{
		{payments.Sending, 300, 0, 0, 0, views.PaymentSending, ""},
		{payments.Sending, 300, 250, 0, 0, views.PaymentSending,
			"Whether $2.50\u00a0USD of it arrived is being checked with the other wallet. If it didn't, it comes back to Everyday."},
		{payments.Completed, 1000, 0, 0, 0, views.PaymentCompleted, ""},
		{payments.Completed, 1000, 0, 0, 250, views.PaymentCompleted, "$2.50\u00a0USD of it turned out to have arrived; it isn't counted in what they got."},
		{payments.Failed, 0, 0, 0, 0, views.PaymentFailed, "Nothing was taken from Everyday."},
		{payments.Failed, 0, 0, 1000, 0, views.PaymentFailed, "Nothing was taken from Everyday."},
		{payments.Failed, 300, 0, 250, 0, views.PaymentPartly, "$3.00\u00a0USD arrived; $7.00\u00a0USD is back in Everyday."},
		{payments.Failed, 750, 250, 0, 0, views.PaymentChecking,
			"Whether $2.50\u00a0USD of it arrived is being checked with the other wallet. If it didn't, it comes back to Everyday."},
		{payments.Failed, 0, 250, 0, 0, views.PaymentChecking,
			"$7.50\u00a0USD is back in Everyday. Whether $2.50\u00a0USD of it arrived is being checked with the other wallet. If it didn't, it comes back to Everyday."},
		{payments.Failed, 550, 0, 0, 250, views.PaymentPartly,
			"$4.50\u00a0USD is back in Everyday. $2.50\u00a0USD of it turned out to have arrived; it isn't counted in what they got."},
		{payments.NeedsReview, 300, 0, 0, 0, views.PaymentReview, "$7.00\u00a0USD stays reserved in Everyday."},
		{payments.NeedsReview, 1000, 0, 0, 0, views.PaymentReview, ""},
	} {
		p := payments.Outgoing{
			State: test.state, DebitAmount: usd(1000), SentAmount: usd(test.sent), DeliveredAmount: usd(test.sent - test.settled),
			Suspended: payments.Suspended{Open: usd(test.checking), Released: usd(test.released), Paid: usd(test.settled)},
		}
		shown := paymentState(p)
		if got := where(p, shown, "Everyday"); shown != test.shown || got != test.want {
			t.Errorf("%s, sent %d, checking %d, released %d, paid %d: %s: %q\nwant %s: %q",
				test.state, test.sent, test.checking, test.released, test.settled, shown, got, test.shown, test.want)
		}
	}
}

// TestBack checks what a page says came back of a payment.
func TestBack(t *testing.T) {
	usd := func(cents uint64) ledger.Amount {
		return ledger.Amount{Value: cents, Asset: ledger.Asset{Code: "USD", Scale: 2}}
	}
	for name, test := range map[string]struct {
		p    payments.Outgoing
		want uint64
	}{
		"sending":                  {payments.Outgoing{State: payments.Sending, SentAmount: usd(300)}, 0},
		"all was sent":             {payments.Outgoing{State: payments.Completed, SentAmount: usd(1000)}, 0},
		"less was needed":          {payments.Outgoing{State: payments.Completed, SentAmount: usd(990)}, 10},
		"failed, which where says": {payments.Outgoing{State: payments.Failed, SentAmount: usd(300)}, 0},
		"checked":                  {payments.Outgoing{State: payments.Failed, SentAmount: usd(300), Suspended: payments.Suspended{Released: usd(200)}}, 700},
		"being checked":            {payments.Outgoing{State: payments.Sending, SentAmount: usd(300), Suspended: payments.Suspended{Released: usd(200)}}, 200},
	} {
		test.p.DebitAmount = usd(1000)
		if got := back(test.p); got.Value != test.want {
			t.Errorf("%s: %d is back, want %d", name, got.Value, test.want)
		}
	}
}
