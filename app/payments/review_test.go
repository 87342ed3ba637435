package payments_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp/address"
	"pochi/ledger"

	"github.com/google/uuid"
)

// review is what admins have of the wallet.
func (w *wallet) review() payments.Review {
	return payments.Review{DB: w.DB, Ledger: w.Ledger, Now: w.Clock.Now}
}

// peer opens the account of another node.
func (w *wallet) peer(asset ledger.Asset) uuid.UUID {
	return w.AddPeer(address.Address("test.peer"+strings.ToLower(asset.Code)), asset, 0, nil)
}

// crashed is a payment of Ann's of which a part was delivered and another part
// was on its way to another node when the wallet died. The wallet runs again,
// and its worker does with work.
func crashed(t *testing.T, w *wallet, ann person, amount string, delivered, inFlight uint64, work bool) (payments.Quote, uuid.UUID) {
	t.Helper()
	ctx := context.Background()
	w.Stop()
	w.Start(false)
	peer := w.peer(usd)
	q := w.Quote(ann, benPointer, amount, payments.FixedDebit)
	if delivered > 0 {
		interrupted(t, w, ann, benPointer, q, delivered)
	} else if _, err := w.Payments.Confirm(ctx, ann.ID, q.ID); err != nil {
		t.Fatal(err)
	}
	err := w.Ledger.Submit(ctx, ledger.Chain{ledger.Take{
		Reference: q.ID, Debit: ann.Account, Credit: ledger.HouseAccount(usd, ledger.CodeOutgoing), Toward: peer, Amount: inFlight,
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Stop()
	w.Start(work)
	if work {
		w.Payments.Wait(ctx, q.ID)
	}
	return q, peer
}

// item returns the only open item in suspense.
func (w *wallet) item() int64 {
	w.t.Helper()
	items, err := payments.ListSuspense(context.Background(), w.DB.Read, true)
	if err != nil || len(items) != 1 {
		w.t.Fatalf("open items %+v, %v", items, err)
	}
	return items[0].Item
}

// summary is where a payment's money is.
func summary(p payments.Outgoing) string {
	return strings.Join([]string{string(p.State), "sent", p.SentAmount.String(), "held", p.Held().String(), "checking", p.Suspended.Open.String(),
		"released", p.Suspended.Released.String(), "paid", p.Suspended.Paid.String()}, " ")
}

func wantSummary(t *testing.T, p payments.Outgoing, want string) {
	t.Helper()
	if got := summary(p); got != want {
		t.Errorf("payment is %s\nwant       %s", got, want)
	}
}

// What was in flight when the wallet crashed is not sent again; the rest is.
func TestSuspenseIsNotSentAgain(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "10"), w.Person("ben", usd, "")
	q, _ := crashed(t, w, ann, "10", 300, 250, true)
	wantSummary(t, w.Outgoing(ann, q.ID), "failed sent 7.50 USD held 0.00 USD checking 2.50 USD released 0.00 USD paid 0.00 USD")
	if a, b := w.Has(ann), w.Has(ben); a != "0.00 USD" || b != "7.50 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

func TestSuspenseIsPaid(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	q, peer := crashed(t, w, ann, "10", 300, 250, true)
	item := w.item()
	group, repeated, err := w.review().Resolve(context.Background(), item, true)
	if err != nil || repeated || len(group) != 1 || group[0].State != payments.SuspensePaid || group[0].Email != "ann@example.com" || group[0].Payment.ID != q.ID {
		t.Errorf("%+v, %t, %v", group, repeated, err)
	}
	p := w.Outgoing(ann, q.ID)
	wantSummary(t, p, "completed sent 10.00 USD held 0.00 USD checking 0.00 USD released 0.00 USD paid 2.50 USD")
	if p.Reason != "" {
		t.Errorf("completed, for the reason %q", p.Reason)
	}
	if got := w.Balance(peer); got != 250 {
		t.Errorf("the other node has %d", got)
	}
	w.Check()
}

func TestSuspenseIsReleased(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	q, peer := crashed(t, w, ann, "10", 0, 1000, true)
	wantSummary(t, w.Outgoing(ann, q.ID), "failed sent 0.00 USD held 0.00 USD checking 10.00 USD released 0.00 USD paid 0.00 USD")
	if _, _, err := w.review().Resolve(context.Background(), w.item(), false); err != nil {
		t.Fatal(err)
	}
	wantSummary(t, w.Outgoing(ann, q.ID), "failed sent 0.00 USD held 0.00 USD checking 0.00 USD released 10.00 USD paid 0.00 USD")
	if a, b := w.Has(ann), w.Balance(peer); a != "10.00 USD" || b != 0 {
		t.Errorf("Ann has %s, the other node %d", a, b)
	}
	w.Check()
}

// The item is resolved while its payment still sends: it ends right all the
// same.
func TestSuspenseIsResolvedWhileSending(t *testing.T) {
	for _, test := range []struct {
		pay  bool
		want string
	}{
		{true, "completed sent 10.00 USD held 0.00 USD checking 0.00 USD released 0.00 USD paid 2.50 USD"},
		{false, "failed sent 7.50 USD held 0.00 USD checking 0.00 USD released 2.50 USD paid 0.00 USD"},
	} {
		w := newWallet(t)
		ann := w.Person("ann", usd, "10")
		w.Person("ben", usd, "")
		q, _ := crashed(t, w, ann, "10", 300, 250, false)
		wantSummary(t, w.Outgoing(ann, q.ID), "sending sent 3.00 USD held 4.50 USD checking 2.50 USD released 0.00 USD paid 0.00 USD")
		if _, _, err := w.review().Resolve(context.Background(), w.item(), test.pay); err != nil {
			t.Fatal(err)
		}
		w.Check()
		w.Stop()
		w.Start(true)
		w.Payments.Wait(context.Background(), q.ID)
		wantSummary(t, w.Outgoing(ann, q.ID), test.want)
		w.Check()
	}
}

// A payment across currencies leaves an item for each: whichever is named, both
// are resolved, and what left Ann's account counts.
func TestSuspenseAcrossCurrencies(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	w.Stop()
	w.Start(false)
	peer := w.peer(eur)
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	if _, err := w.Payments.Confirm(ctx, ann.ID, q.ID); err != nil {
		t.Fatal(err)
	}
	err := w.Ledger.Submit(ctx, ledger.Chain{
		ledger.Take{Reference: q.ID, Debit: ann.Account, Credit: ledger.HouseAccount(usd, ledger.CodeOutgoing),
			Toward: ledger.HouseAccount(usd, ledger.CodeExchange), Amount: 250},
		ledger.Take{Reference: q.ID, Debit: ledger.HouseAccount(eur, ledger.CodeExchange), Credit: ledger.HouseAccount(eur, ledger.CodeOutgoing),
			Toward: peer, Amount: 228, Unreserved: true},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Stop()
	w.Start(true)
	w.Payments.Wait(ctx, q.ID)
	items, err := payments.ListSuspense(ctx, w.DB.Read, true)
	if err != nil || len(items) != 2 || items[0].Group != items[1].Group || items[1].Payment.ID != q.ID {
		t.Fatalf("items %+v, %v", items, err)
	}
	foreign := items[0]
	if foreign.Asset != eur {
		foreign = items[1]
	}
	for _, again := range []bool{false, true} {
		group, repeated, err := w.review().Resolve(ctx, foreign.Item, true)
		if err != nil || repeated != again || len(group) != 2 || group[0].State != payments.SuspensePaid || group[1].State != payments.SuspensePaid {
			t.Fatalf("%+v, %t, %v", group, repeated, err)
		}
	}
	wantSummary(t, w.Outgoing(ann, q.ID), "completed sent 10.00 USD held 0.00 USD checking 0.00 USD released 0.00 USD paid 2.50 USD")
	if got := w.Balance(peer); got != 228 {
		t.Errorf("the other node has %d", got)
	}
	if left, err := payments.ListSuspense(ctx, w.DB.Read, true); err != nil || len(left) > 0 {
		t.Errorf("still open: %+v, %v", left, err)
	}
	w.Check()
}

func TestSuspenseIsResolvedOnce(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	_, peer := crashed(t, w, ann, "10", 0, 1000, true)
	item := w.item()
	var moved, told atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, repeated, err := w.review().Resolve(context.Background(), item, true)
			switch {
			case err != nil:
				t.Error(err)
			case repeated:
				told.Add(1)
			default:
				moved.Add(1)
			}
		})
	}
	all.Wait()
	if moved.Load() != 1 || told.Load() != 7 || w.Balance(peer) != 1000 {
		t.Errorf("%d moved it, %d were told, the other node has %d", moved.Load(), told.Load(), w.Balance(peer))
	}
	_, _, err := w.review().Resolve(context.Background(), item, false)
	if problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), "paid before") {
		t.Errorf("the other way: %v", err)
	}
	if _, _, err := w.review().Resolve(context.Background(), item+1, false); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("no item: %v", err)
	}
	w.Check()
}

// The money may come back: until that is known its account stays open.
func TestAnAccountWithSuspenseStaysOpen(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	crashed(t, w, ann, "10", 0, 1000, true)
	second, err := w.Accounts.Open(ctx, ann.ID, "EUR", "Second")
	if err != nil {
		t.Fatal(err)
	}
	pointers, err := w.Accounts.Pointers(ctx, ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Accounts.Repoint(ctx, ann.ID, pointers[0].ID, second); err != nil {
		t.Fatal(err)
	}
	err = w.Accounts.Close(ctx, ann.ID, ann.Account)
	if problem.CodeOf(err) != problem.Conflict || problem.MessageOf(err) != "The account can be closed once its payments have ended." {
		t.Errorf("close: %v", err)
	}
	if _, _, err := w.review().Resolve(ctx, w.item(), true); err != nil {
		t.Fatal(err)
	}
	if err := w.Accounts.Close(ctx, ann.ID, ann.Account); err != nil {
		t.Errorf("close when it is settled: %v", err)
	}
}

// park sets all payments aside that haven't ended, as a restore does.
func (w *wallet) park() (ids []uuid.UUID) {
	w.t.Helper()
	err := w.DB.Write(context.Background(), func(tx db.Tx) (err error) {
		ids, err = payments.Park(context.Background(), tx)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return ids
}

func TestParkedPaymentsAreNotSent(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann, ben := w.Person("ann", usd, "20"), w.Person("ben", usd, "")
	w.Confirm(ann, w.Quote(ann, benPointer, "10", payments.FixedDebit))
	w.Stop()
	w.Start(false)
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	interrupted(t, w, ann, benPointer, q, 400)
	if ids := w.park(); len(ids) != 1 || ids[0] != q.ID {
		t.Fatalf("parked %v, want the one that had not ended", ids)
	}
	w.Stop()
	w.Start(true)
	w.Payments.Wait(ctx, q.ID)
	wantSummary(t, w.Outgoing(ann, q.ID), "needs_review sent 4.00 USD held 6.00 USD checking 0.00 USD released 0.00 USD paid 0.00 USD")
	w.Check()
	p, repeated, err := w.review().Return(ctx, q.ID)
	if err != nil || repeated {
		t.Errorf("return: %t, %v", repeated, err)
	}
	if p.Email != "ann@example.com" {
		t.Errorf("payer %q", p.Email)
	}
	wantSummary(t, p.Outgoing, "failed sent 4.00 USD held 0.00 USD checking 0.00 USD released 0.00 USD paid 0.00 USD")
	if a, b := w.Has(ann), w.Has(ben); a != "6.00 USD" || b != "14.00 USD" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

func TestParkedPaymentsAreReturnedOnce(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann := w.Person("ann", usd, "20")
	w.Person("ben", usd, "")
	done := w.Confirm(ann, w.Quote(ann, benPointer, "10", payments.FixedDebit))
	w.Stop()
	w.Start(false)
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	if _, err := w.Payments.Confirm(ctx, ann.ID, q.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.review().Return(ctx, q.ID); problem.CodeOf(err) != problem.Conflict || problem.MessageOf(err) != "Payment "+q.ID.String()+" is sending, not needs_review. Nothing was moved." {
		t.Errorf("while sending: %v", err)
	}
	if _, _, err := w.review().Return(ctx, done.ID); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("when completed: %v", err)
	}
	w.park()
	var moved, told atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, repeated, err := w.review().Return(ctx, q.ID)
			switch {
			case err != nil:
				t.Error(err)
			case repeated:
				told.Add(1)
			default:
				moved.Add(1)
			}
		})
	}
	all.Wait()
	if moved.Load() != 1 || told.Load() != 7 || w.Has(ann) != "10.00 USD" {
		t.Errorf("%d moved it, %d were told, Ann has %s", moved.Load(), told.Load(), w.Has(ann))
	}
	nobodys := uuid.New()
	if _, _, err := w.review().Return(ctx, nobodys); problem.CodeOf(err) != problem.NotFound || problem.MessageOf(err) != "There is no payment "+nobodys.String()+"." {
		t.Errorf("no payment: %v", err)
	}
	w.Check()
}

// All of it was sent when the wallet died: there is nothing to review, and the
// worker ends it.
func TestAPaymentThatWasSentIsNotParked(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	w.Stop()
	w.Start(false)
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	interrupted(t, w, ann, benPointer, q, 1000)
	if ids := w.park(); len(ids) > 0 {
		t.Errorf("parked %v", ids)
	}
	w.Stop()
	w.Start(true)
	w.Payments.Wait(context.Background(), q.ID)
	wantSummary(t, w.Outgoing(ann, q.ID), "completed sent 10.00 USD held 0.00 USD checking 0.00 USD released 0.00 USD paid 0.00 USD")
	w.Check()
}

// parkedInFlight is a parked payment of 10.00 USD: all of it was sent or was in
// flight when the wallet died.
func parkedInFlight(t *testing.T) (w *wallet, ann person, id uuid.UUID) {
	t.Helper()
	w = newWallet(t)
	ann = w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	q, _ := crashed(t, w, ann, "10", 750, 250, false)
	if ids := w.park(); len(ids) != 1 {
		t.Fatalf("parked %v", ids)
	}
	return w, ann, q.ID
}

// settled has what a parked payment has in suspense paid, and returns it, twice
// each.
func (w *wallet) settled(returnFirst bool, id uuid.UUID) payments.Outgoing {
	w.t.Helper()
	ctx, item := context.Background(), w.item()
	pay := func(again bool) {
		w.t.Helper()
		if _, repeated, err := w.review().Resolve(ctx, item, true); err != nil || repeated != again {
			w.t.Errorf("pay: repeated %t, want %t; %v", repeated, again, err)
		}
	}
	giveBack := func(again bool) payments.Outgoing {
		w.t.Helper()
		p, repeated, err := w.review().Return(ctx, id)
		if err != nil || repeated != again {
			w.t.Errorf("return: repeated %t, want %t; %v", repeated, again, err)
		}
		return p.Outgoing
	}
	if returnFirst {
		giveBack(false)
		giveBack(true)
	}
	pay(false)
	pay(true)
	if !returnFirst {
		giveBack(false)
	}
	w.Check()
	return giveBack(true)
}

// What becomes of a payment after it was returned, or while it is, doesn't hide
// that it was.
func TestReturnIsRepeatableWhateverComesOut(t *testing.T) {
	for name, returnFirst := range map[string]bool{"complete when it is returned": false, "complete later": true} {
		t.Run(name, func(t *testing.T) {
			w, _, id := parkedInFlight(t)
			p := w.settled(returnFirst, id)
			wantSummary(t, p, "completed sent 10.00 USD held 0.00 USD checking 0.00 USD released 0.00 USD paid 2.50 USD")
			if p.Reason != "" {
				t.Errorf("completed, for the reason %q", p.Reason)
			}
		})
	}
}

// What is in flight is neither reserved nor in suspense yet.
func TestHeldLeavesOutWhatIsInFlight(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	w.Stop()
	w.Start(false)
	peer := w.peer(usd)
	q := w.Quote(ann, benPointer, "10", payments.FixedDebit)
	if _, err := w.Payments.Confirm(ctx, ann.ID, q.ID); err != nil {
		t.Fatal(err)
	}
	if n, err := payments.CountInFlight(ctx, w.DB.Read); n != 0 || err != nil {
		t.Errorf("%d in flight, %v", n, err)
	}
	err := w.Ledger.Submit(ctx, ledger.Chain{ledger.Take{
		Reference: q.ID, Debit: ann.Account, Credit: ledger.HouseAccount(usd, ledger.CodeOutgoing), Toward: peer, Amount: 250,
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := w.Outgoing(ann, q.ID); p.Held().String() != "7.50 USD" || p.InFlight.String() != "2.50 USD" {
		t.Errorf("held %s, in flight %s", p.Held(), p.InFlight)
	}
	if n, err := payments.CountInFlight(ctx, w.DB.Read); n != 1 || err != nil {
		t.Errorf("%d in flight, %v", n, err)
	}
}

// A quote that was confirmed after the backup must not be confirmed again.
func TestQuotesWithoutAPaymentAreDropped(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann := w.Person("ann", usd, "20")
	w.Person("ben", usd, "")
	confirmed, open := w.Quote(ann, benPointer, "10", payments.FixedDebit), w.Quote(ann, benPointer, "10", payments.FixedDebit)
	w.Confirm(ann, confirmed)
	if err := w.DB.Write(ctx, func(tx db.Tx) error { return payments.DropQuotes(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
	w.Stop() // a database is restored while no wallet runs
	w.Start(true)
	if _, err := w.Payments.FindQuote(ctx, ann.ID, confirmed.ID); err != nil {
		t.Errorf("the one that was confirmed: %v", err)
	}
	if _, err := w.Payments.Confirm(ctx, ann.ID, open.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("the other one: %v", err)
	}
}

func TestHistoryTellsWhatIsBeingChecked(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	crashed(t, w, ann, "10", 300, 250, true)
	newest := func() payments.Movement {
		movements, _, err := w.Payments.History(ctx, payments.Filter{UserID: ann.ID, Limit: 1})
		if err != nil || len(movements) != 1 {
			t.Fatal(movements, err)
		}
		return movements[0]
	}
	if m := newest(); !m.Checking || m.Amount.String() != "10.00 USD" {
		t.Errorf("%+v", m)
	}
	if _, _, err := w.review().Resolve(ctx, w.item(), false); err != nil {
		t.Fatal(err)
	}
	if m := newest(); m.Checking || !m.Partly || m.Amount.String() != "7.50 USD" {
		t.Errorf("%+v", m)
	}
}
