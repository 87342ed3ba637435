package payments_test

import (
	"context"
	"crypto/rand"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/payments"
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
	if _, err := w.payments.Confirm(ctx, from.id, q.ID); err != nil {
		t.Fatal(err)
	}
	receiver, err := w.payments.Resolve(ctx, to)
	if err != nil {
		t.Fatal(err)
	}
	details, err := w.payments.Offer(*receiver.Local)
	if err != nil {
		t.Fatal(err)
	}
	sender := stream.NewSender(stream.SenderConfig{
		Link:        w.links.Link(connector.FromWallet(from.account, ilp.Asset(q.DebitAmount.Asset), q.ID)),
		Destination: details.DestinationAccount, Secret: details.SharedSecret, Clock: w.clock, Random: rand.Reader,
	})
	_, err = sender.Send(ctx, stream.SendParams{Amount: part, MinDelivered: 1, Asset: ilp.Asset(q.ReceiveAmount.Asset), Whole: true})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRestartSendsTheRestOnly(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.person("ann", usd, "100"), w.person("ben", usd, "")
	w.stop()
	w.start(false)
	q := w.quote(ann, benPointer, "10", payments.FixedDebit)
	interrupted(t, w, ann, benPointer, q, 400)
	w.stop()
	w.start(true)
	w.payments.Wait(context.Background(), q.ID)
	p, err := w.payments.FindOutgoing(context.Background(), ann.id, q.ID)
	if err != nil || p.State != payments.Completed || p.SentAmount != q.DebitAmount || p.DeliveredAmount != q.ReceiveAmount {
		t.Errorf("payment %+v, %v", p, err)
	}
	if a, b := w.balance(ann), w.balance(ben); a != "90.00 USD" || b != "10.00 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	in, err := w.payments.FindIncoming(context.Background(), ben.id, q.ID)
	if err != nil || in.Packets != 2 || in.Received.String() != "10.00 USD" {
		t.Errorf("Ben sees one payment: %+v, %v", in, err)
	}
	w.check()
}

func TestRestartAfterTheLastPacketOnlyEnds(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.person("ann", usd, "10"), w.person("ben", eur, "")
	w.stop()
	w.start(false)
	q := w.quote(ann, benPointer, "10", payments.FixedDebit)
	interrupted(t, w, ann, benPointer, q, 1000)
	w.stop()
	w.start(true)
	w.payments.Wait(context.Background(), q.ID)
	p, err := w.payments.FindOutgoing(context.Background(), ann.id, q.ID)
	if err != nil || p.State != payments.Completed || p.DeliveredAmount.String() != "9.13 EUR" {
		t.Errorf("payment %+v, %v", p, err)
	}
	if a, b := w.balance(ann), w.balance(ben); a != "0.00 USD" || b != "9.13 EUR" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.check()
}

// Ben lets his pointer pay another account, in the same currency, when a part
// has arrived: the rest must not be booked to a payment of the first account.
func TestRepointedHalfWay(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.person("ann", usd, "10"), w.person("ben", usd, "")
	ctx := context.Background()
	w.stop()
	w.start(false)
	q := w.quote(ann, benPointer, "10", payments.FixedDebit)
	interrupted(t, w, ann, benPointer, q, 400)
	savings, err := w.accounts.Open(ctx, ben.id, "USD", "Savings")
	if err != nil {
		t.Fatal(err)
	}
	pointers, err := w.accounts.Pointers(ctx, ben.id)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.accounts.Repoint(ctx, ben.id, pointers[0].ID, savings); err != nil {
		t.Fatal(err)
	}
	w.stop()
	w.start(true)
	w.payments.Wait(ctx, q.ID)
	p, err := w.payments.FindOutgoing(ctx, ann.id, q.ID)
	if err != nil || p.State != payments.Failed || p.SentAmount.String() != "4.00 USD" || p.Reason != "The receiver's account can't be paid any more." {
		t.Errorf("payment %+v, %v", p, err)
	}
	if a, b := w.balance(ann), w.balance(ben); a != "6.00 USD" || b != "4.00 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.check()
}

// Ann quotes a payment to Ben's pointer, and it comes to pay the very account
// she pays from.
func TestPointerComesToPayThePayer(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann", usd, "10")
	ctx := context.Background()
	second, err := w.accounts.Open(ctx, ann.id, "USD", "Second")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.accounts.AddPointer(ctx, ann.id, "savings", second); err != nil {
		t.Fatal(err)
	}
	q := w.quote(ann, "$localhost:3000/savings", "10", payments.FixedDebit)
	pointers, err := w.accounts.Pointers(ctx, ann.id)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.accounts.Repoint(ctx, ann.id, pointers[1].ID, ann.account); err != nil {
		t.Fatal(err)
	}
	if p := w.confirm(ann, q); p.State != payments.Failed || p.SentAmount.Value != 0 {
		t.Errorf("payment %+v", p)
	}
	if got := w.balance(ann); got != "10.00 USD" {
		t.Errorf("Ann has %s", got)
	}
	w.check()
}

func TestPayOneselfIntoAnotherCurrency(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann", usd, "10")
	ctx := context.Background()
	second, err := w.accounts.Open(ctx, ann.id, "EUR", "Second")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.accounts.AddPointer(ctx, ann.id, "savings", second); err != nil {
		t.Fatal(err)
	}
	if p := w.confirm(ann, w.quote(ann, "$localhost:3000/savings", "10", payments.FixedDebit)); p.State != payments.Completed {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.balance(ann), w.balance(person{ann.id, second}); a != "0.00 USD" || b != "9.13 EUR" {
		t.Errorf("first %s, second %s", a, b)
	}
	w.check()
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
	ann, ben := w.person("ann", usd, "10"), w.person("ben", usd, "")
	books := &flaky{Ledger: w.payments.Ledger}
	books.fails.Store(3)
	w.payments.Ledger = books
	if p := w.confirm(ann, w.quote(ann, benPointer, "10", payments.FixedDebit)); p.State != payments.Completed {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.balance(ann), w.balance(ben); a != "0.00 USD" || b != "10.00 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.check()
}

func TestAPanicDoesNotLoseThePayment(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann", usd, "10")
	w.person("ben", usd, "")
	q := w.quote(ann, benPointer, "10", payments.FixedDebit)
	var once atomic.Bool
	w.links.between(func(_ packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		if !once.Swap(true) {
			panic("a bug")
		}
		return next()
	})
	if p := w.confirm(ann, q); p.State != payments.Completed {
		t.Errorf("payment %+v", p)
	}
	w.check()
}

func TestConfirmFromAClosedAccount(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann", usd, "")
	w.person("ben", usd, "")
	ctx := context.Background()
	second, err := w.accounts.Open(ctx, ann.id, "USD", "Second")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.payments.Deposit(ctx, ann.id, second, "10"); err != nil {
		t.Fatal(err)
	}
	from := person{ann.id, second}
	q, all := w.quote(from, benPointer, "10", payments.FixedDebit), w.quote(from, benPointer, "10", payments.FixedDebit)
	w.confirm(from, all)
	if err := w.accounts.Close(ctx, ann.id, second); err != nil {
		t.Fatal(err)
	}
	if err := w.accounts.Close(ctx, ann.id, second); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("close twice: %v", err)
	}
	_, err = w.payments.Confirm(ctx, ann.id, q.ID)
	if problem.CodeOf(err) != problem.Conflict || problem.MessageOf(err) != "This account has been closed. Nothing was taken." {
		t.Errorf("confirm: %v", err)
	}
	w.check()
}

func TestAnAccountWithAPaymentOnItsWayStaysOpen(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann", usd, "10")
	w.person("ben", usd, "")
	ctx := context.Background()
	w.stop()
	w.start(false)
	yen, err := w.accounts.Open(ctx, ann.id, "JPY", "Yen")
	if err != nil {
		t.Fatal(err)
	}
	pointers, err := w.accounts.Pointers(ctx, ann.id)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.accounts.Repoint(ctx, ann.id, pointers[0].ID, yen); err != nil {
		t.Fatal(err)
	}
	q := w.quote(ann, benPointer, "10", payments.FixedDebit)
	if _, err := w.payments.Confirm(ctx, ann.id, q.ID); err != nil {
		t.Fatal(err)
	}
	err = w.accounts.Close(ctx, ann.id, ann.account)
	if problem.CodeOf(err) != problem.Conflict || problem.MessageOf(err) != "The account can be closed once its payments have ended." {
		t.Errorf("close: %v", err)
	}
}

func TestPaymentsAreTheirOwners(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.person("ann", usd, "10"), w.person("ben", usd, "")
	cho := w.person("cho", usd, "")
	p := w.confirm(ann, w.quote(ann, benPointer, "1", payments.FixedDebit))
	ctx := context.Background()
	for name, id := range map[string]person{"the payee": ben, "a stranger": cho} {
		if _, err := w.payments.FindOutgoing(ctx, id.id, p.ID); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("%s reads what Ann sent: %v", name, err)
		}
	}
	for name, id := range map[string]person{"the payer": ann, "a stranger": cho} {
		if _, err := w.payments.FindIncoming(ctx, id.id, p.ID); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("%s reads what Ben got: %v", name, err)
		}
	}
}

func TestOldQuotesAreForgotten(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann", usd, "10")
	w.person("ben", usd, "")
	ctx := context.Background()
	old := w.quote(ann, benPointer, "1", payments.FixedDebit)
	w.clock.advance(23 * time.Hour)
	w.quote(ann, benPointer, "1", payments.FixedDebit)
	if _, err := w.payments.FindQuote(ctx, ann.id, old.ID); err != nil {
		t.Errorf("after 23 hours: %v", err)
	}
	w.clock.advance(2 * time.Hour)
	w.quote(ann, benPointer, "1", payments.FixedDebit)
	if _, err := w.payments.FindQuote(ctx, ann.id, old.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("after 25 hours: %v", err)
	}
}

// The wallet may owe 1,000,000.00 EUR at the most: what exceeds it is refused
// before anything is confirmed, and so is a quote of before.
func TestExchangeLimit(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.person("ann", usd, "1000000"), w.person("ben", eur, "")
	ctx := context.Background()
	if err := w.payments.Deposit(ctx, ann.id, ann.account, "1000000"); err != nil {
		t.Fatal(err)
	}
	const sentence = "This wallet can't exchange that much right now."
	_, err := w.payments.Quote(ctx, ann.id, payments.QuoteRequest{
		AccountID: ann.account, To: benPointer, Amount: "1500000", Fixed: payments.FixedDebit,
	})
	if got := problem.Fields(err)["amount"]; got != sentence {
		t.Errorf("quote: %v", err)
	}
	first := w.quote(ann, benPointer, "700000", payments.FixedDebit)
	second := w.quote(ann, benPointer, "700000", payments.FixedDebit)
	w.confirm(ann, first)
	p := w.confirm(ann, second)
	if p.State != payments.Failed || p.SentAmount.Value != 0 || p.Reason != sentence {
		t.Errorf("payment %+v", p)
	}
	if a, b := w.balance(ann), w.balance(ben); a != "1,300,000.00 USD" || b != "639,590.00 EUR" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.check()
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
			ann := w.person("ann", usd, "10")
			w.person("ben", eur, "")
			w.confirm(ann, w.quote(ann, benPointer, "5", payments.FixedDebit))
			w.check()
			ctx := context.Background()
			err := w.db.Write(ctx, func(tx db.Tx) error {
				_, err := tx.ExecContext(ctx, statement)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			report, err := ledger.Check(ctx, w.db.Read, ledger.CheckOptions{Observers: []ledger.Observer{payments.NewAudit()}})
			named := func(d ledger.Defect) bool { return d.Name == payments.DefectPayment }
			if err != nil || !slices.ContainsFunc(report.Defects, named) {
				t.Errorf("defects %v, %v", report.Defects, err)
			}
		})
	}
}
