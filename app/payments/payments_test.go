package payments_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/ilp/packet"

	"github.com/google/go-cmp/cmp"
)

const (
	annPointer = "$localhost:3000/ann"
	benPointer = "$localhost:3000/ben"
)

func TestPaymentAcrossCurrencies(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", eur, "")
	q := w.Quote(ann, benPointer, "25", payments.FixedDebit)
	if got := q.DebitAmount.String() + " → " + q.ReceiveAmount.String(); got != "25.00 USD → 22.84 EUR" {
		t.Errorf("quoted %s", got)
	}
	p := w.Confirm(ann, q)
	if p.State != payments.Completed || p.SentAmount != q.DebitAmount || p.DeliveredAmount != q.ReceiveAmount {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "75.00 USD" || b != "22.84 EUR" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	in, err := w.Payments.FindIncoming(context.Background(), ben.ID, p.ID)
	if err != nil || in.SenderName != "ann" || in.Sender != "ann" || in.Pointer != "ben" || in.Received != q.ReceiveAmount {
		t.Errorf("Ben's side: %+v, %v", in, err)
	}
	w.Check()
}

// What Confirm returns is what it wrote.
func TestConfirmReturnsThePayment(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann := w.Person("ann", usd, "100")
	w.Person("ben", eur, "")
	w.Stop()
	w.Start(false) // nothing is sent
	q := w.Quote(ann, benPointer, "10", payments.FixedReceive)
	confirmed, err := w.Payments.Confirm(ctx, ann.ID, q.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.Outgoing(ann, q.ID), confirmed); diff != "" {
		t.Errorf("the row (-) isn't what was returned (+):\n%s", diff)
	}
	if again, err := w.Payments.Confirm(ctx, ann.ID, q.ID); err != nil || !cmp.Equal(again, confirmed) {
		t.Errorf("confirmed again: %+v, %v", again, err)
	}
	if q, err := w.Payments.FindQuote(ctx, ann.ID, q.ID); err != nil || !q.Confirmed {
		t.Errorf("the quote: %+v, %v", q, err)
	}
	other := w.Person("cho", usd, "100")
	if _, err := w.Payments.Confirm(ctx, other.ID, w.Quote(ann, benPointer, "10", payments.FixedDebit).ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("Cho confirms Ann's quote: %v", err)
	}
}

func TestTheExactBalanceCanBeSpent(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "12.34"), w.Person("ben", usd, "")
	if p := w.Confirm(ann, w.Quote(ann, benPointer, "12.34", payments.FixedDebit)); p.State != payments.Completed {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "0.00 USD" || b != "12.34 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

// What arrives grows in steps, since each conversion rounds down: the smallest
// debit that brings the wanted amount is quoted, with what it really brings.
func TestFixedReceiveFindsTheSmallestDebit(t *testing.T) {
	w := newWallet(t)
	ann, ben, cho := w.Person("ann", usd, "1000"), w.Person("ben", eur, "1000"), w.Person("cho", jpy, "100000")
	for _, test := range []struct {
		from       person
		to, amount string
		want       string
	}{
		{ann, benPointer, "10", "10.95 USD → 10.00 EUR"},
		{ann, benPointer, "0.01", "0.02 USD → 0.01 EUR"},
		{ann, "$localhost:3000/cho", "1", "0.01 USD → 1 JPY"},
		{ann, "$localhost:3000/cho", "1000", "6.69 USD → 1,000 JPY"},
		{cho, annPointer, "1", "150 JPY → 1.00 USD"},
		{cho, annPointer, "0.01", "2 JPY → 0.01 USD"},
		{ben, annPointer, "50", "45.69 EUR → 50.00 USD"},
	} {
		q := w.Quote(test.from, test.to, test.amount, payments.FixedReceive)
		if got := q.DebitAmount.String() + " → " + q.ReceiveAmount.String(); got != test.want {
			t.Errorf("%s to %s: %s, want %s", test.amount, test.to, got, test.want)
		}
	}
	if p := w.Confirm(cho, w.Quote(cho, annPointer, "1", payments.FixedReceive)); p.State != payments.Completed {
		t.Errorf("payment %+v", p)
	}
	w.Check()
}

func TestQuoteRefusals(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "10")
	w.Person("ben", eur, "")
	w.Person("cho", jpy, "")
	w.Person("dan", old, "")
	for _, test := range []struct {
		to, amount string
		fixed      payments.Fixed
		field      string
		says       string
	}{
		{benPointer, "0", payments.FixedDebit, "amount", "more than 0"},
		{benPointer, "-1", payments.FixedDebit, "amount", "more than 0"},
		{benPointer, "", payments.FixedDebit, "amount", "Enter an amount"},
		{benPointer, "1.234", payments.FixedDebit, "amount", "2 decimals"},
		{"$localhost:3000/cho", "1.5", payments.FixedReceive, "amount", "no decimals"},
		{benPointer, "10.01", payments.FixedDebit, "amount", "$10.00\u00a0USD"},
		{benPointer, "100", payments.FixedReceive, "amount", "$109.45\u00a0USD"},
		{benPointer, "92233720368547758.08", payments.FixedDebit, "amount", "too large"},
		{benPointer, "92233720368547758.07", payments.FixedReceive, "amount", "can't exchange that much"},
		{benPointer, "0.01", payments.FixedDebit, "amount", "too small"},
		{benPointer, "ten", payments.FixedDebit, "amount", "number"},
		{benPointer, "900000", payments.FixedReceive, "amount", "$10.00\u00a0USD"},
		{"", "1", payments.FixedDebit, "to", "payment pointer"},
		{"ben", "1", payments.FixedDebit, "to", "starts with $"},
		{"$localhost:3000/nobody", "1", payments.FixedDebit, "to", "Nobody can be paid"},
		{"$localhost:3000/ben/x", "1", payments.FixedDebit, "to", "Nobody can be paid"},
		{"$wallet.example/ben", "1", payments.FixedDebit, "to", "didn't answer"},
		{annPointer, "1", payments.FixedDebit, "to", "sending from"},
		{"$localhost:3000/dan", "1", payments.FixedDebit, "to", "no exchange rate from USD to OLD"},
	} {
		_, err := w.Payments.Quote(context.Background(), ann.ID, payments.QuoteRequest{
			AccountID: ann.Account, To: test.to, Amount: test.amount, Fixed: test.fixed,
		})
		if got := problem.Fields(err)[test.field]; !strings.Contains(got, test.says) {
			t.Errorf("%s of %q to %q: %v; want %q beside %s", test.fixed, test.amount, test.to, err, test.says, test.field)
		}
	}
}

func TestConfirmTwiceIsOnePayment(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", usd, "")
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	var clicks sync.WaitGroup
	for range 8 {
		clicks.Go(func() {
			if _, err := w.Payments.Confirm(context.Background(), ann.ID, q.ID); err != nil {
				t.Errorf("confirm: %v", err)
			}
		})
	}
	clicks.Wait()
	w.Confirm(ann, q)
	w.Clock.Advance(time.Hour) // also long after the quote has expired
	if p := w.Confirm(ann, q); p.State != payments.Completed {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "0.00 USD" || b != "10.00 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

func TestConfirmRefusals(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", usd, "10")
	ctx := context.Background()
	q := w.Quote(ann, benPointer, "6", payments.FixedDebit)
	second := w.Quote(ann, benPointer, "6", payments.FixedDebit)
	if _, err := w.Payments.Confirm(ctx, ben.ID, q.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("somebody else's quote: %v", err)
	}
	w.Confirm(ann, q)
	if _, err := w.Payments.Confirm(ctx, ann.ID, second.ID); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("money that is gone: %v", err)
	}
	late := w.Quote(ann, benPointer, "1", payments.FixedDebit)
	w.Clock.Advance(2 * time.Minute)
	if _, err := w.Payments.Confirm(ctx, ann.ID, late.ID); problem.CodeOf(err) != problem.Gone {
		t.Errorf("expired quote: %v", err)
	}
	renewed, err := w.Payments.Renew(ctx, ann.ID, late.ID)
	if err != nil || renewed.DebitAmount != late.DebitAmount {
		t.Errorf("renewed %+v, %v", renewed, err)
	}
	if got := w.Has(ann); got != "4.00 USD" {
		t.Errorf("Ann has %s", got)
	}
	w.Check()
}

// Ben lets his pointer pay an account in another currency after the quote: the
// payment must not go through at any price.
func TestReceiverChangesCurrencyAfterTheQuote(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", eur, "")
	ctx := context.Background()
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	yen, err := w.Accounts.Open(ctx, ben.ID, "JPY", "Yen")
	if err != nil {
		t.Fatal(err)
	}
	pointers, err := w.Accounts.Pointers(ctx, ben.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Accounts.Repoint(ctx, ben.ID, pointers[0].ID, yen); err != nil {
		t.Fatal(err)
	}
	p := w.Confirm(ann, q)
	if p.State != payments.Failed || p.SentAmount.Value != 0 || p.Reason != "The receiver has come to be paid in another currency." {
		t.Errorf("payment %+v", p)
	}
	if got := w.Has(ann); got != "10.00 USD" {
		t.Errorf("Ann has %s", got)
	}
	w.Check()
}

// The answer to a packet is lost after the money has moved. What is shown must
// be what happened, not what the sender was told.
func TestLostAnswerDoesNotHideADelivery(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", usd, "")
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	w.Links.Between(func(p packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		reply, err := next()
		if _, fulfilled := reply.(*packet.Fulfill); fulfilled {
			return nil, errors.New("connection reset")
		}
		return reply, err
	})
	if p := w.Confirm(ann, q); p.State != payments.Completed || p.SentAmount != q.DebitAmount {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "0.00 USD" || b != "10.00 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

// A payment that was confirmed when the wallet stopped is sent by the next
// run, however long that took; one that was delivered is only ended.
func TestRestartTakesPaymentsUp(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", eur, "")
	w.Stop()
	w.Start(false)
	ctx := context.Background()
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	if p, err := w.Payments.Confirm(ctx, ann.ID, q.ID); err != nil || p.State != payments.Sending {
		t.Fatalf("confirm: %+v, %v", p, err)
	}
	w.Check()
	w.Stop()
	w.Clock.Advance(24 * time.Hour)
	w.Start(true)
	w.Payments.Wait(ctx, q.ID)
	p, err := w.Payments.FindOutgoing(ctx, ann.ID, q.ID)
	if err != nil || p.State != payments.Completed {
		t.Errorf("payment %+v, %v", p, err)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "0.00 USD" || b != "9.13 EUR" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

func TestManyPaymentsAtOnceNeverOverspend(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", eur, "")
	ctx := context.Background()
	var quotes []payments.Quote
	for range 30 {
		quotes = append(quotes, w.Quote(ann, benPointer, "1", payments.FixedDebit))
	}
	var all sync.WaitGroup
	for _, q := range quotes {
		all.Go(func() {
			if _, err := w.Payments.Confirm(ctx, ann.ID, q.ID); err != nil && problem.CodeOf(err) != problem.Conflict {
				t.Errorf("confirm: %v", err)
			}
			w.Payments.Wait(ctx, q.ID)
		})
	}
	all.Wait()
	if a, b := w.Has(ann), w.Has(ben); a != "0.00 USD" || b != "9.10 EUR" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

func TestHistoryPages(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", eur, "")
	ctx := context.Background()
	for _, amount := range []string{"1", "2", "3"} {
		w.Clock.Advance(time.Second)
		w.Confirm(ann, w.Quote(ann, benPointer, amount, payments.FixedDebit))
	}
	var got []string
	before, pages := "", 0
	for {
		page, older, err := w.Payments.History(ctx, payments.Filter{UserID: ann.ID, Before: before, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, m := range page {
			got = append(got, m.Who+" "+m.Amount.String())
		}
		if before = older; older == "" {
			break
		}
	}
	want := []string{"ben 3.00 USD", "ben 2.00 USD", "ben 1.00 USD", "Test money 10.00 USD"}
	if diff := cmp.Diff(want, got); diff != "" || pages != 2 {
		t.Errorf("%d pages: %s", pages, diff)
	}
	mine, _, err := w.Payments.History(ctx, payments.Filter{UserID: ben.ID, AccountID: ben.Account, Limit: 10})
	if err != nil || len(mine) != 3 || !mine[0].In || mine[0].Who != "ann" || mine[0].Amount.String() != "2.74 EUR" {
		t.Errorf("Ben's history %+v, %v", mine, err)
	}
}

func TestDepositRefusals(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", jpy, ""), w.Person("ben", usd, "")
	ctx := context.Background()
	for amount, says := range map[string]string{"0": "more than 0", "1.5": "no decimals", "1000001": "¥1,000,000\u00a0JPY"} {
		err := w.Payments.Deposit(ctx, ann.ID, ann.Account, amount)
		if got := problem.Fields(err)["amount"]; !strings.Contains(got, says) {
			t.Errorf("%s: %v, want %q", amount, err, says)
		}
	}
	if err := w.Payments.Deposit(ctx, ann.ID, ben.Account, "1"); problem.Fields(err)["account"] == "" {
		t.Errorf("somebody else's account: %v", err)
	}
}
