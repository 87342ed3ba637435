package payments_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/app/payments/paytest"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp/packet"
	"pochi/ledger"

	"github.com/google/uuid"
)

// spending is a charge's state, and what became of what it had reserved.
func spending(c payments.Charge) string {
	return fmt.Sprintf("%s reserved %s spent %s returned %s delivered %s", c.State, c.Reserved, c.Spent, c.Returned, c.Delivered)
}

func wantSpending(t *testing.T, w *paytest.Wallet, c payments.Charge, want string) {
	t.Helper()
	c, err := w.Payments.FindCharge(context.Background(), c.AgreementID, c.ID)
	if got := spending(c); err != nil || got != want {
		t.Errorf("%v, charge is %s\nwant           %s", err, got, want)
	}
}

// A charge of which a part arrives uses that part of its agreement, rounded up, and
// what arrived at another wallet isn't worth more. One that fails uses nothing.
func TestChargesOfWhichLessArrives(t *testing.T) {
	for _, test := range []struct {
		name    string
		packets int64 // that B takes
		want    string
		used    uint64
	}{
		{"all", 1000, "completed reserved 25.00 EUR spent 25.00 EUR returned 0.00 EUR delivered 27.36 USD", 2500},
		// One packet of three: 8.333… EUR.
		{"a part", 1, "failed reserved 25.00 EUR spent 8.34 EUR returned 16.66 EUR delivered 9.12 USD", 834},
		{"nothing", 0, "failed reserved 25.00 EUR spent 0.00 EUR returned 25.00 EUR delivered 0.00 USD", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPair(t, usd, usd, dollars(), paytest.NewClock())
			id := p.a.Agree(p.ann, "Shop", ledger.Amount{Value: 2500, Asset: eur}, "R/P1M")
			take := small(1000)
			p.line.ToB.Between(take)
			p.a.Payments.Ledger = &meddling{p.a.Payments.Ledger, func() { // the quote has been asked for
				var n atomic.Int64
				p.line.ToB.Between(func(prepare packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
					return take(prepare, func() (packet.Reply, error) {
						if n.Add(1) > test.packets {
							return packet.NewReject(packet.Unreachable, "test.b", "gone"), nil
						}
						return next()
					})
				})
			}}
			c := charge(t, p.a, asked(id, "k", farBen, "2500", payments.FixedDebit))
			wantSpending(t, p.a, c, test.want)
			if c.Partial != (test.packets == 1) || (c.Reason == "") != (c.State == payments.Completed) {
				t.Errorf("charge %+v", c)
			}
			wantUsed(t, p.a, p.a.Interval(id), test.used)
			p.a.Rest()
			p.a.Check()
		})
	}
}

// stopped is a charge that was made before the wallet stopped and sent nothing yet.
func stopped(t *testing.T, w *wallet, req payments.ChargeRequest) payments.Charge {
	t.Helper()
	w.Stop()
	w.Start(false)
	c, err := w.Payments.Charge(context.Background(), req)
	if err != nil || c.State != payments.Sending || c.Spent.Value != 0 || c.Returned.Value != 0 {
		t.Fatalf("charge %+v, %v", c, err)
	}
	return c
}

// The wallet dies between the commit that reserves and the one that ends: the
// charge goes on, and its interval, by then an earlier one, is right.
func TestChargeGoesOnAfterARestart(t *testing.T) {
	for _, part := range []uint64{0, 400, 1313} {
		w := newWallet(t)
		ann := w.Person("ann", usd, "100")
		w.Person("ben", usd, "")
		id := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: eur}, "R/P1M")
		first := w.Interval(id)
		c := stopped(t, w, asked(id, "k", benPointer, "1200", payments.FixedDebit))
		if part > 0 {
			sendPart(t, w.Wallet, w.Outgoing(ann, c.ID), benPointer, part)
		}
		wantUsed(t, w.Wallet, first, 1200)
		w.Stop()
		w.Clock.Advance(40 * 24 * time.Hour)
		w.Start(true)
		w.Payments.Wait(context.Background(), c.ID)
		wantSpending(t, w.Wallet, c, "completed reserved 12.00 EUR spent 12.00 EUR returned 0.00 EUR delivered 13.13 USD")
		wantUsed(t, w.Wallet, first, 1200)
		if now := w.Interval(id); now == first {
			t.Error("the interval is the same")
		}
		w.Check()
	}
}

// crashedCharge is a charge of which a part was delivered and another part was on its
// way to another node when the wallet died. It is in another interval by now.
func crashedCharge(t *testing.T, w *wallet, ann person, id uuid.UUID, delivered, inFlight uint64, work bool) payments.Charge {
	t.Helper()
	peer := w.peer(usd)
	c := stopped(t, w, asked(id, "k", benPointer, "1200", payments.FixedDebit))
	if delivered > 0 {
		sendPart(t, w.Wallet, w.Outgoing(ann, c.ID), benPointer, delivered)
	}
	err := w.Ledger.Submit(context.Background(), ledger.Chain{ledger.Take{
		Reference: c.ID, Debit: ann.Account, Credit: ledger.HouseAccount(usd, ledger.CodeOutgoing), Toward: peer, Amount: inFlight,
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Stop()
	w.Clock.Advance(40 * 24 * time.Hour)
	w.Start(work)
	w.Payments.Wait(context.Background(), c.ID)
	return c
}

// What is in suspense counts as used. When it turns out that it didn't arrive it
// comes back, once, to the interval that it left.
func TestSuspenseOfACharge(t *testing.T) {
	for _, test := range []struct {
		name          string
		sending       bool // when the item is resolved
		pay           bool
		before, after string
		used          uint64
	}{
		{"paid", false, true,
			"failed reserved 12.00 EUR spent 12.00 EUR returned 0.00 EUR delivered 10.63 USD",
			"completed reserved 12.00 EUR spent 12.00 EUR returned 0.00 EUR delivered 10.63 USD", 1200},
		// 10.63 of 13.13 USD are 9.715… of 12.00 EUR.
		{"released", false, false,
			"failed reserved 12.00 EUR spent 12.00 EUR returned 0.00 EUR delivered 10.63 USD",
			"failed reserved 12.00 EUR spent 9.72 EUR returned 2.28 EUR delivered 10.63 USD", 972},
		// 3.00 and 2.50 USD by then: 5.026… EUR.
		{"paid while sending", true, true,
			"sending reserved 12.00 EUR spent 5.03 EUR returned 0.00 EUR delivered 3.00 USD",
			"completed reserved 12.00 EUR spent 12.00 EUR returned 0.00 EUR delivered 10.63 USD", 1200},
		{"released while sending", true, false,
			"sending reserved 12.00 EUR spent 5.03 EUR returned 0.00 EUR delivered 3.00 USD",
			"failed reserved 12.00 EUR spent 9.72 EUR returned 2.28 EUR delivered 10.63 USD", 972},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWallet(t)
			ann := w.Person("ann", usd, "100")
			w.Person("ben", usd, "")
			id := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: eur}, "R/P1M")
			first := w.Interval(id)
			c := crashedCharge(t, w, ann, id, 300, 250, !test.sending)
			wantSpending(t, w.Wallet, c, test.before)
			w.Check()
			item := w.item()
			for range 2 { // an admin's second click changes nothing
				if _, _, err := w.review().Resolve(context.Background(), item, test.pay); err != nil {
					t.Fatal(err)
				}
			}
			w.Check()
			if test.sending {
				w.Stop()
				w.Start(true)
				w.Payments.Wait(context.Background(), c.ID)
			}
			wantSpending(t, w.Wallet, c, test.after)
			wantUsed(t, w.Wallet, first, test.used)
			charge(t, w.Wallet, asked(id, "next", benPointer, "5000", payments.FixedDebit)) // the current interval is whole
			w.Check()
		})
	}
}

// An item of a charge's suspense is resolved between the moments in which its end is
// prepared and written, or the other way round: what is used is right.
func TestSuspenseIsResolvedAsAChargeEnds(t *testing.T) {
	for _, pay := range []bool{true, false} {
		for _, endsFirst := range []bool{true, false} {
			w := newWallet(t)
			ann := w.Person("ann", usd, "100")
			w.Person("ben", usd, "")
			id := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: eur}, "R/P1M")
			first := w.Interval(id)
			c := crashedCharge(t, w, ann, id, 300, 250, false)
			ctx := context.Background()
			review, item := w.review(), w.item()
			end := func() {
				if err := w.Payments.Start(ctx); err != nil {
					t.Error(err)
				}
				w.Payments.Wait(ctx, c.ID)
			}
			resolve := func() {
				if _, _, err := review.Resolve(ctx, item, pay); err != nil {
					t.Error(err)
				}
			}
			if endsFirst {
				review.Ledger = &meddling{review.Ledger, end}
				resolve()
			} else {
				w.Payments.Ledger = &meddling{w.Payments.Ledger, resolve}
				end()
			}
			if pay {
				wantSpending(t, w.Wallet, c, "completed reserved 12.00 EUR spent 12.00 EUR returned 0.00 EUR delivered 10.63 USD")
				wantUsed(t, w.Wallet, first, 1200)
			} else {
				wantSpending(t, w.Wallet, c, "failed reserved 12.00 EUR spent 9.72 EUR returned 2.28 EUR delivered 10.63 USD")
				wantUsed(t, w.Wallet, first, 972)
			}
			w.Check()
		}
	}
}

// A restored wallet sends nothing more of a charge; an admin ends it, and what was
// still reserved of the agreement comes back with the money.
func TestParkedCharge(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	w.Person("ben", usd, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: eur}, "R/P1M")
	c := stopped(t, w, asked(id, "k", benPointer, "1200", payments.FixedDebit))
	sendPart(t, w.Wallet, w.Outgoing(ann, c.ID), benPointer, 400)
	w.park()
	w.Stop()
	w.Start(true)
	ctx := context.Background()
	w.Payments.Wait(ctx, c.ID)
	wantSpending(t, w.Wallet, c, "needs_review reserved 12.00 EUR spent 3.66 EUR returned 0.00 EUR delivered 4.00 USD")
	wantUsed(t, w.Wallet, w.Interval(id), 1200)
	w.Check()
	for range 2 {
		if _, _, err := w.review().Return(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
	}
	wantSpending(t, w.Wallet, c, "failed reserved 12.00 EUR spent 3.66 EUR returned 8.34 EUR delivered 4.00 USD")
	wantUsed(t, w.Wallet, w.Interval(id), 366)
	if got := w.Has(ann); got != "96.00 USD" {
		t.Errorf("Ann has %s", got)
	}
	w.Check()
}

// A charge that was begun ends as it would, though its agreement was revoked
// meanwhile; another can't begin.
func TestRevokedWhileACharge(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	w.Person("ben", usd, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: usd}, "R/P1M")
	c := stopped(t, w, asked(id, "k", benPointer, "1200", payments.FixedDebit))
	ctx := context.Background()
	if err := w.Agreements.Revoke(ctx, ann.ID, id); err != nil {
		t.Fatal(err)
	}
	w.Stop()
	w.Start(true)
	w.Payments.Wait(ctx, c.ID)
	wantSpending(t, w.Wallet, c, "completed reserved 12.00 USD spent 12.00 USD returned 0.00 USD delivered 12.00 USD")
	_, err := w.Payments.Charge(ctx, asked(id, "other", benPointer, "1", payments.FixedDebit))
	if problem.CodeOf(err) != problem.Forbidden || problem.MessageOf(err) != "This agreement was revoked." {
		t.Errorf("after it was revoked: %v", err)
	}
	w.Check()
}

// An agreement that is revoked, lowered or paused between what it allowed and the
// commit is asked again: nothing slips through.
func TestChangedBeforeTheCommit(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		name string
		do   func(w *wallet, ann person, id uuid.UUID) error
		want problem.Code
	}{
		{"revoked", func(w *wallet, ann person, id uuid.UUID) error { return w.Agreements.Revoke(ctx, ann.ID, id) }, problem.Forbidden},
		{"paused", func(w *wallet, ann person, id uuid.UUID) error { return w.Agreements.Pause(ctx, ann.ID, id) }, problem.Forbidden},
		{"lowered below it", func(w *wallet, ann person, id uuid.UUID) error { return w.Agreements.Lower(ctx, ann.ID, id, 1199) }, problem.LimitExceeded},
		{"lowered to it", func(w *wallet, ann person, id uuid.UUID) error { return w.Agreements.Lower(ctx, ann.ID, id, 1200) }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWallet(t)
			ann := w.Person("ann", usd, "100")
			w.Person("ben", usd, "")
			id := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: usd}, "R/P1M")
			w.Stop()
			w.Start(false)
			w.Payments.Ledger = &meddling{w.Payments.Ledger, func() {
				if err := test.do(w, ann, id); err != nil {
					t.Error(err)
				}
			}}
			c, err := w.Payments.Charge(ctx, asked(id, "k", benPointer, "1200", payments.FixedDebit))
			if problem.CodeOf(err) != test.want {
				t.Errorf("%+v, %v", c, err)
			}
			w.Check()
		})
	}
}

// meddling is a ledger before whose first commit something else happens.
type meddling struct {
	payments.Ledger
	before func()
}

func (m *meddling) Submit(ctx context.Context, chain ledger.Chain, rows func(db.Tx) error) error {
	if m.before != nil {
		m.before()
		m.before = nil
	}
	return m.Ledger.Submit(ctx, chain, rows)
}

// An app whose charges wait for another wallet can't take all of its owner's places:
// beyond a few it is told to wait, too.
func TestChargesThatWaitForAnotherWallet(t *testing.T) {
	p := newPair(t, usd, usd, dollars(), paytest.NewClock())
	ctx := context.Background()
	id := p.a.Agree(p.ann, "Shop", ledger.Amount{Value: 100_00, Asset: usd}, "")
	p.a.Stop()
	p.a.Start(false)
	var waiting []payments.Charge
	for i := range 8 {
		c, err := p.a.Payments.Charge(ctx, asked(id, fmt.Sprint(i), farBen, "100", payments.FixedDebit))
		if err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, c)
	}
	_, err := p.a.Payments.Charge(ctx, asked(id, "one more", farBen, "100", payments.FixedDebit))
	if problem.CodeOf(err) != problem.TooMany || problem.RetryAfter(err) == 0 {
		t.Errorf("one more: %v", err)
	}
	wantUsed(t, p.a, p.a.Interval(id), 800)
	p.a.Stop()
	p.a.Start(true)
	for _, c := range waiting {
		p.a.Payments.Wait(ctx, c.ID)
	}
	charge(t, p.a, asked(id, "one more", farBen, "100", payments.FixedDebit))
	wantUsed(t, p.a, p.a.Interval(id), 900)
	p.agree(900)
}

// Each statement is a row that somebody changed by hand.
func TestCheckNamesWhatIsWrongUnderAgreements(t *testing.T) {
	for _, statement := range []string{
		"UPDATE charges SET spent_amount = spent_amount - 1",
		"UPDATE charges SET spent_amount = NULL",
		"UPDATE charges SET reserved_amount = reserved_amount + 1",
		"UPDATE charges SET settled_amount = 1",
		"UPDATE charges SET authority = (SELECT id FROM accounts WHERE code = 1 LIMIT 1)",
		"UPDATE charges SET authority = x'00000000000000000000000000000001'",
		"UPDATE charges SET asset_code = 'USD'",
		"DELETE FROM charges",
		"UPDATE agreements SET user_id = (SELECT id FROM users WHERE name = 'ben')",
		"UPDATE streams SET sent_amount = sent_amount + 1 WHERE peer IS NULL",
		"UPDATE streams SET sent_amount = sent_amount + 1 WHERE peer IS NOT NULL",
		"UPDATE streams SET used_amount = used_amount - 1",
		"UPDATE streams SET packets = packets + 1",
		"UPDATE streams SET user_id = (SELECT id FROM users WHERE name = 'ben')",
		"DELETE FROM streams WHERE peer IS NULL",
		"UPDATE accounts SET user_data = zeroblob(16) WHERE code = 7",
		"DELETE FROM streams WHERE peer IS NOT NULL",
		"UPDATE agreements SET asked = 1, amount = 1",
		"UPDATE holds SET reference = (SELECT id FROM agreements WHERE app = 'Jar') WHERE unreserved = 1 AND debit IN (SELECT n FROM accounts WHERE code = 7)",
	} {
		t.Run(statement, func(t *testing.T) {
			w := newWallet(t)
			ann := w.Person("ann", usd, "100")
			w.Person("ben", usd, "")
			id := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: eur}, "")
			w.Agree(ann, "Jar", ledger.Amount{Value: 5000, Asset: eur}, "")
			charge(t, w.Wallet, asked(id, "k", benPointer, "500", payments.FixedDebit))
			peer := w.AddPeer("test.far", usd, 0, nil)
			ctx := context.Background()
			if err := w.Books.Deliver(ctx, w.used(id, connect(t, w.Wallet, "ben"), 100)); err != nil {
				t.Fatal(err)
			}
			out := w.used(id, peerParty(peer, usd), 100)
			if err := w.Books.Take(ctx, out); err != nil {
				t.Fatal(err)
			}
			if err := w.Books.Post(ctx, out); err != nil {
				t.Fatal(err)
			}
			w.Check()
			err := w.DB.Write(ctx, func(tx db.Tx) error {
				_, err := tx.ExecContext(ctx, statement)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			named := func(d ledger.Defect) bool { return d.Name == payments.DefectAgreement }
			if defects := w.Defects(); !slices.ContainsFunc(defects, named) {
				t.Errorf("defects %v", defects)
			}
		})
	}
}

// The history of both sides names the app.
func TestHistoryNamesTheApp(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", usd, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: usd}, "")
	other := w.Agree(ann, "Other", ledger.Amount{Value: 5000, Asset: usd}, "")
	ctx := context.Background()
	c := charge(t, w.Wallet, asked(id, "k", benPointer, "500", payments.FixedDebit))
	charge(t, w.Wallet, asked(other, "k", benPointer, "1", payments.FixedDebit))
	w.Clock.Advance(time.Second)
	own := w.Confirm(ann, w.Quote(ann, benPointer, "2", payments.FixedDebit))
	to := connect(t, w.Wallet, "ben")
	for range 3 {
		if err := w.Books.Deliver(ctx, w.used(id, to, 100)); err != nil {
			t.Fatal(err)
		}
	}
	peer := w.AddPeer("test.far", usd, 0, nil)
	for range 2 {
		out := w.used(id, peerParty(peer, usd), 10)
		if err := w.Books.Take(ctx, out); err != nil {
			t.Fatal(err)
		}
		if err := w.Books.Post(ctx, out); err != nil {
			t.Fatal(err)
		}
	}
	list, _, err := w.Payments.History(ctx, payments.Filter{UserID: ann.ID, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range list {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %d %t", m.App, m.Who, m.Pointer, m.Amount, m.Packets, m.Stream)))
	}
	slices.Sort(got)
	want := []string{
		"Other ben $localhost:3000/ben 0.01 USD 1 false",
		"Shop   0.20 USD 2 true",
		"Shop ben $localhost:3000/ben 3.00 USD 3 true",
		"Shop ben $localhost:3000/ben 5.00 USD 1 false",
		"Test money  100.00 USD 0 false",
		"ben $localhost:3000/ben 2.00 USD 1 false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("history\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p := w.Outgoing(ann, c.ID); p.App != "Shop" || p.AgreementID != id {
		t.Errorf("payment %+v", p)
	}
	if p := w.Outgoing(ann, own.ID); p.App != "" || p.AgreementID != uuid.Nil {
		t.Errorf("Ann's own payment %+v", p)
	}
	under, next, err := w.Payments.AgreementMovements(ctx, ann.ID, id, "", 2)
	if err != nil || len(under) != 2 || next == "" {
		t.Fatalf("under the agreement %+v, %q, %v", under, next, err)
	}
	rest, next, err := w.Payments.AgreementMovements(ctx, ann.ID, id, next, 2)
	if err != nil || len(rest) != 1 || next != "" || rest[0].ID != c.ID || rest[0].App != "Shop" || rest[0].AgreementID != id {
		t.Errorf("under the agreement further %+v, %q, %v", rest, next, err)
	}
	if list, _, err := w.Payments.AgreementMovements(ctx, ben.ID, id, "", 10); err != nil || len(list) > 0 {
		t.Errorf("Ben sees %+v, %v", list, err)
	}
	w.Check()
}
