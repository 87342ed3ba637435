package payments_test

import (
	"context"
	"crypto/rand"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/app/payments/paytest"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
	"pochi/ledger"
)

// interrupted is a payment that was confirmed and of which a part was sent
// when the wallet died.
func interrupted(t *testing.T, w *wallet, from person, to string, q payments.Quote, part uint64) {
	t.Helper()
	ctx := context.Background()
	if _, err := w.Payments.Confirm(ctx, from.ID, q.ID); err != nil {
		t.Fatal(err)
	}
	sendPart(t, w.Wallet, w.Outgoing(from, q.ID), to, part)
}

// sendPart sends a part of a payment.
func sendPart(t *testing.T, w *paytest.Wallet, p payments.Outgoing, to string, part uint64) {
	t.Helper()
	ctx := context.Background()
	receiver, err := w.Payments.Resolve(ctx, to)
	if err != nil {
		t.Fatal(err)
	}
	details, err := w.Payments.Offer(*receiver.Local)
	if err != nil {
		t.Fatal(err)
	}
	sender := stream.NewSender(stream.SenderConfig{
		Link:        w.Links.Link(connector.FromWallet(p.AccountID, ilp.Asset(p.DebitAmount.Asset), p.ID)),
		Destination: details.DestinationAccount, Secret: details.SharedSecret, Clock: w.Clock, Random: rand.Reader,
	})
	_, err = sender.Send(ctx, stream.SendParams{Amount: part, MinDelivered: 1, Asset: ilp.Asset(p.ReceiveAmount.Asset), Whole: true})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRestartSendsTheRestOnly(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", usd, "")
	w.Stop()
	w.Start(false)
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	interrupted(t, w, ann, benPointer, q, 400)
	w.Stop()
	w.Start(true)
	w.Payments.Wait(context.Background(), q.ID)
	p, err := w.Payments.FindOutgoing(context.Background(), ann.ID, q.ID)
	if err != nil || p.State != payments.Completed || p.SentAmount != q.DebitAmount || p.DeliveredAmount != q.ReceiveAmount {
		t.Errorf("payment %+v, %v", p, err)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "90.00 USD" || b != "10.00 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	in, err := w.Payments.FindIncoming(context.Background(), ben.ID, q.ID)
	if err != nil || in.Packets != 2 || in.Received.String() != "10.00 USD" {
		t.Errorf("Ben sees one payment: %+v, %v", in, err)
	}
	w.Check()
}

func TestRestartAfterTheLastPacketOnlyEnds(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", eur, "")
	w.Stop()
	w.Start(false)
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	interrupted(t, w, ann, benPointer, q, 1000)
	w.Stop()
	w.Start(true)
	w.Payments.Wait(context.Background(), q.ID)
	p, err := w.Payments.FindOutgoing(context.Background(), ann.ID, q.ID)
	if err != nil || p.State != payments.Completed || p.DeliveredAmount.String() != "9.13 EUR" {
		t.Errorf("payment %+v, %v", p, err)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "0.00 USD" || b != "9.13 EUR" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

// Ben lets his pointer pay another account, in the same currency, when a part
// has arrived: the rest must not be booked to a payment of the first account.
func TestRepointedHalfWay(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", usd, "")
	ctx := context.Background()
	w.Stop()
	w.Start(false)
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	interrupted(t, w, ann, benPointer, q, 400)
	savings, err := w.Accounts.Open(ctx, ben.ID, "USD", "Savings")
	if err != nil {
		t.Fatal(err)
	}
	pointers, err := w.Accounts.Pointers(ctx, ben.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Accounts.Repoint(ctx, ben.ID, pointers[0].ID, savings); err != nil {
		t.Fatal(err)
	}
	w.Stop()
	w.Start(true)
	w.Payments.Wait(ctx, q.ID)
	p, err := w.Payments.FindOutgoing(ctx, ann.ID, q.ID)
	if err != nil || p.State != payments.Failed || p.SentAmount.String() != "4.00 USD" || p.Reason != "The receiver's account can't be paid any more." {
		t.Errorf("payment %+v, %v", p, err)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "6.00 USD" || b != "4.00 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

// Ann quotes a payment to Ben's pointer, and it comes to pay the very account
// she pays from.
func TestPointerComesToPayThePayer(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "10")
	ctx := context.Background()
	second, err := w.Accounts.Open(ctx, ann.ID, "USD", "Second")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Accounts.AddPointer(ctx, ann.ID, "savings", second); err != nil {
		t.Fatal(err)
	}
	q := w.Quote(ann, "$localhost:3000/savings", "10", payments.FixedDebit)
	pointers, err := w.Accounts.Pointers(ctx, ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Accounts.Repoint(ctx, ann.ID, pointers[1].ID, ann.Account); err != nil {
		t.Fatal(err)
	}
	if p := w.Confirm(ann, q); p.State != payments.Failed || p.SentAmount.Value != 0 {
		t.Errorf("payment %+v", p)
	}
	if got := w.Has(ann); got != "10.00 USD" {
		t.Errorf("Ann has %s", got)
	}
	w.Check()
}

func TestPayOneselfIntoAnotherCurrency(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "10")
	ctx := context.Background()
	second, err := w.Accounts.Open(ctx, ann.ID, "EUR", "Second")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Accounts.AddPointer(ctx, ann.ID, "savings", second); err != nil {
		t.Fatal(err)
	}
	if p := w.Confirm(ann, w.Quote(ann, "$localhost:3000/savings", "10", payments.FixedDebit)); p.State != payments.Completed {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.Has(ann), w.Has(person{ID: ann.ID, Account: second}); a != "0.00 USD" || b != "9.13 EUR" {
		t.Errorf("first %s, second %s", a, b)
	}
	w.Check()
}

// flaky is a ledger that can't be written for a while.
type flaky struct {
	payments.Ledger
	fails atomic.Int32 // how many of the coming ends fail
}

func (f *flaky) Submit(ctx context.Context, chain ledger.Chain, rows func(db.Tx) error) error {
	if _, ends := chain[0].(ledger.CloseHold); ends && f.fails.Add(-1) >= 0 {
		return db.ErrBusy
	}
	return f.Ledger.Submit(ctx, chain, rows)
}

// The end of a payment can't be written at first. It is written later, without
// a restart: until then the money would stay held.
func TestTheEndIsTriedAgain(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", usd, "")
	books := &flaky{Ledger: w.Payments.Ledger}
	books.fails.Store(3)
	w.Payments.Ledger = books
	if p := w.Confirm(ann, w.Quote(ann, benPointer, "10", payments.FixedDebit)); p.State != payments.Completed {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "0.00 USD" || b != "10.00 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

func TestAPanicDoesNotLoseThePayment(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	var once atomic.Bool
	w.Links.Between(func(_ packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		if !once.Swap(true) {
			panic("a bug")
		}
		return next()
	})
	if p := w.Confirm(ann, q); p.State != payments.Completed {
		t.Errorf("payment %+v", p)
	}
	w.Check()
}

func TestConfirmFromAClosedAccount(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "")
	w.Person("ben", usd, "")
	ctx := context.Background()
	second, err := w.Accounts.Open(ctx, ann.ID, "USD", "Second")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Payments.Deposit(ctx, ann.ID, second, "10"); err != nil {
		t.Fatal(err)
	}
	from := person{ID: ann.ID, Account: second}
	q, all := w.Quote(from, benPointer, "10", payments.FixedDebit), w.Quote(from, benPointer, "10", payments.FixedDebit)
	w.Confirm(from, all)
	if err := w.Accounts.Close(ctx, ann.ID, second); err != nil {
		t.Fatal(err)
	}
	if err := w.Accounts.Close(ctx, ann.ID, second); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("close twice: %v", err)
	}
	_, err = w.Payments.Confirm(ctx, ann.ID, q.ID)
	if problem.CodeOf(err) != problem.Conflict || problem.MessageOf(err) != "This account has been closed. Nothing was taken." {
		t.Errorf("confirm: %v", err)
	}
	w.Check()
}

func TestAnAccountWithAPaymentOnItsWayStaysOpen(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	ctx := context.Background()
	w.Stop()
	w.Start(false)
	yen, err := w.Accounts.Open(ctx, ann.ID, "JPY", "Yen")
	if err != nil {
		t.Fatal(err)
	}
	pointers, err := w.Accounts.Pointers(ctx, ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Accounts.Repoint(ctx, ann.ID, pointers[0].ID, yen); err != nil {
		t.Fatal(err)
	}
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	if _, err := w.Payments.Confirm(ctx, ann.ID, q.ID); err != nil {
		t.Fatal(err)
	}
	err = w.Accounts.Close(ctx, ann.ID, ann.Account)
	if problem.CodeOf(err) != problem.Conflict || problem.MessageOf(err) != "The account can be closed once its payments have ended." {
		t.Errorf("close: %v", err)
	}
}

func TestPaymentsAreTheirOwners(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", usd, "")
	cho := w.Person("cho", usd, "")
	p := w.Confirm(ann, w.Quote(ann, benPointer, "1", payments.FixedDebit))
	ctx := context.Background()
	for name, id := range map[string]person{"the payee": ben, "a stranger": cho} {
		if _, err := w.Payments.FindOutgoing(ctx, id.ID, p.ID); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("%s reads what Ann sent: %v", name, err)
		}
	}
	for name, id := range map[string]person{"the payer": ann, "a stranger": cho} {
		if _, err := w.Payments.FindIncoming(ctx, id.ID, p.ID); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("%s reads what Ben got: %v", name, err)
		}
	}
}

func TestOldQuotesAreForgotten(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	ctx := context.Background()
	old := w.Quote(ann, benPointer, "1", payments.FixedDebit)
	again := func(after time.Duration) {
		w.Clock.Advance(after)
		w.Quote(ann, benPointer, "1", payments.FixedDebit)
		w.Stop() // what is being written down is written, and what is in memory is gone
		w.Start(true)
	}
	again(0)
	again(23 * time.Hour)
	if _, err := w.Payments.FindQuote(ctx, ann.ID, old.ID); err != nil {
		t.Errorf("after 23 hours: %v", err)
	}
	again(2 * time.Hour)
	if _, err := w.Payments.FindQuote(ctx, ann.ID, old.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("after 25 hours: %v", err)
	}
}

// The wallet may owe 1,000,000.00 EUR at the most: what exceeds it is refused
// before anything is confirmed, and so is a quote of before.
func TestExchangeLimit(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "1000000"), w.Person("ben", eur, "")
	ctx := context.Background()
	if err := w.Payments.Deposit(ctx, ann.ID, ann.Account, "1000000"); err != nil {
		t.Fatal(err)
	}
	const sentence = "This wallet can't exchange that much right now."
	_, err := w.Payments.Quote(ctx, ann.ID, payments.QuoteRequest{
		AccountID: ann.Account, To: benPointer, Amount: "1500000", Fixed: payments.FixedDebit,
	})
	if got := problem.Fields(err)["amount"]; got != sentence {
		t.Errorf("quote: %v", err)
	}
	first := w.Quote(ann, benPointer, "700000", payments.FixedDebit)
	second := w.Quote(ann, benPointer, "700000", payments.FixedDebit)
	w.Confirm(ann, first)
	p := w.Confirm(ann, second)
	if p.State != payments.Failed || p.SentAmount.Value != 0 || p.Reason != sentence {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.Has(ann), w.Has(ben); a != "1,300,000.00 USD" || b != "639,590.00 EUR" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

// Each statement is a row that somebody changed by hand.
func TestCheckNamesWhatWasTamperedWith(t *testing.T) {
	for _, statement := range []string{
		"UPDATE outgoing_payments SET sent_amount = sent_amount - 1",
		"UPDATE outgoing_payments SET delivered_amount = delivered_amount + 1",
		"UPDATE outgoing_payments SET state = 'failed'",
		"UPDATE outgoing_payments SET state = 'sending', ended_at = NULL",
		"UPDATE outgoing_payments SET ended_at = NULL",
		"UPDATE outgoing_payments SET debit_amount = debit_amount + 1",
		"UPDATE outgoing_payments SET user_id = (SELECT id FROM users WHERE name = 'ben')",
		"DELETE FROM outgoing_payments",
		"UPDATE incoming_payments SET received_amount = received_amount + 1",
		"UPDATE incoming_payments SET user_id = (SELECT id FROM users WHERE name = 'ann')",
		"DELETE FROM incoming_payments WHERE pointer_id IS NULL",
		"DELETE FROM incoming_payments WHERE pointer_id IS NOT NULL",
		"UPDATE wallet_accounts SET closed = 1",
		"UPDATE wallet_accounts SET user_id = (SELECT id FROM users WHERE name = 'ben')",
		"UPDATE pointers SET account_id = (SELECT account_id FROM pointers WHERE name = 'ann')",
		"UPDATE holds SET returned = returned + 1",
		"DELETE FROM holds",
	} {
		t.Run(statement, func(t *testing.T) {
			w := newWallet(t)
			ann := w.Person("ann", usd, "10")
			w.Person("ben", eur, "")
			w.Confirm(ann, w.Quote(ann, benPointer, "5", payments.FixedDebit))
			w.Check()
			ctx := context.Background()
			err := w.DB.Write(ctx, func(tx db.Tx) error {
				_, err := tx.ExecContext(ctx, statement)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			report, err := ledger.Check(ctx, w.DB.Read, ledger.CheckOptions{Observers: []ledger.Observer{payments.NewAudit()}})
			named := func(d ledger.Defect) bool { return d.Name == payments.DefectPayment }
			if err != nil || !slices.ContainsFunc(report.Defects, named) {
				t.Errorf("defects %v, %v", report.Defects, err)
			}
		})
	}
}
