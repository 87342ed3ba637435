package payments_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"pochi/app/payments"
	"pochi/app/payments/paytest"
	"pochi/app/problem"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// asked is a request for a charge.
func asked(agreement uuid.UUID, key, to, amount string, fixed payments.Fixed) payments.ChargeRequest {
	return payments.ChargeRequest{
		AgreementID: agreement, Key: key, Body: sha256.Sum256([]byte(to + amount + string(fixed))), Receiver: to, Fixed: fixed, Amount: amount,
	}
}

// charge makes a charge and waits for its end.
func charge(t testing.TB, w *paytest.Wallet, req payments.ChargeRequest) payments.Charge {
	t.Helper()
	ctx := context.Background()
	c, err := w.Payments.Charge(ctx, req)
	if err != nil {
		t.Fatalf("charge %s to %s: %v", req.Amount, req.Receiver, err)
	}
	w.Payments.Wait(ctx, c.ID)
	if c, err = w.Payments.FindCharge(ctx, req.AgreementID, c.ID); err != nil {
		t.Fatal(err)
	}
	return c
}

// wantUsed checks what is used of an interval, with what is reserved.
func wantUsed(t testing.TB, w *paytest.Wallet, interval uuid.UUID, want uint64) {
	t.Helper()
	a, err := ledger.Find(context.Background(), w.DB.Read, interval)
	if used := a.DebitsPending + a.DebitsPosted - a.CreditsPosted; err != nil || used != want {
		t.Errorf("%d of the interval is used (%v), want %d", used, err, want)
	}
}

func TestCharge(t *testing.T) {
	for _, test := range []struct {
		name, to, amount         string
		fixed                    payments.Fixed
		account, agreement, shop ledger.Asset
		spent, debit, delivered  string
	}{
		{"one currency", benPointer, "1200", payments.FixedDebit, usd, usd, usd, "12.00 USD", "12.00 USD", "12.00 USD"},
		{"the shop's is another", benPointer, "1200", payments.FixedDebit, usd, usd, eur, "12.00 USD", "12.00 USD", "10.96 EUR"},
		{"the account's is another", benPointer, "1200", payments.FixedDebit, usd, eur, eur, "12.00 EUR", "13.13 USD", "11.99 EUR"},
		{"all are others", benPointer, "1200", payments.FixedDebit, usd, eur, jpy, "12.00 EUR", "13.13 USD", "1,964 JPY"},
		{"what arrives", benPointer, "1200", payments.FixedReceive, usd, eur, eur, "12.01 EUR", "13.14 USD", "12.00 EUR"},
		{"what arrives, of another scale", benPointer, "2000", payments.FixedReceive, usd, eur, jpy, "12.22 EUR", "13.37 USD", "2,000 JPY"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWallet(t)
			ann := w.Person("ann", test.account, "100")
			w.Person("ben", test.shop, "")
			id := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: test.agreement}, "")
			req := asked(id, "k", test.to, test.amount, test.fixed)
			req.Description = "Tulips"
			c := charge(t, w.Wallet, req)
			if out, err := w.Payments.FindOutgoing(context.Background(), ann.ID, c.ID); c.Description != "Tulips" || out.Description != "Tulips" || err != nil {
				t.Errorf("%q; its owner reads %q, %v", c.Description, out.Description, err)
			}
			if c.State != payments.Completed || c.Debit.String() != test.debit || c.Spent.String() != test.spent || c.Spent != c.Reserved ||
				c.Returned.Value != 0 || c.Delivered.String() != test.delivered || c.Delivered != c.Receive || c.EndedAt.IsZero() {
				t.Errorf("charge %+v", c)
			}
			wantUsed(t, w.Wallet, w.Interval(id), c.Spent.Value)
			again, err := w.Payments.Charge(context.Background(), asked(id, "k", test.to, test.amount, test.fixed))
			if diff := cmp.Diff(c, again); err != nil || diff != "" {
				t.Errorf("the same request again: %v\n%s", err, diff)
			}
			w.Check()
		})
	}
}

// What an app waits for is one commit, within this wallet.
func TestLocalChargeIsOneCommit(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann := w.Person("ann", usd, "10")
	w.Person("ben", eur, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: eur}, "R/P1M")
	batches := func() (n int) {
		if err := w.DB.Read.QueryRowContext(ctx, "SELECT count(*) FROM batches").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := batches()
	c, err := w.Payments.Charge(ctx, asked(id, "k", benPointer, "500", payments.FixedDebit))
	if moved := batches() - before; err != nil || c.State != payments.Completed || moved != 1 {
		t.Errorf("%v, in %d commits: %+v", err, moved, c)
	}
	w.Check()
}

func TestChargesThatAreRefused(t *testing.T) {
	w := newWallet(t)
	ann, cho := w.Person("ann", usd, "100"), w.Person("cho", usd, "5")
	w.Person("ben", usd, "")
	shop, poor := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: usd}, ""), w.Agree(cho, "Shop", ledger.Amount{Value: 5000, Asset: usd}, "")
	ended := w.Agree(ann, "Old", ledger.Amount{Value: 5000, Asset: usd}, "")
	if err := w.Agreements.Revoke(context.Background(), ann.ID, ended); err != nil {
		t.Fatal(err)
	}
	charge(t, w.Wallet, asked(shop, "first", benPointer, "1000", payments.FixedDebit))
	in := func(asset ledger.Asset) payments.ChargeRequest {
		req := asked(shop, "k", benPointer, "1", payments.FixedDebit)
		req.Asset = &asset
		return req
	}
	unseen := asked(shop, "k", benPointer, "1", payments.FixedDebit)
	unseen.Description = "tea\u202e"
	for _, test := range []struct {
		name  string
		req   payments.ChargeRequest
		code  problem.Code
		field string
	}{
		{"more than is left", asked(shop, "k", benPointer, "4001", payments.FixedDebit), problem.LimitExceeded, "amount"},
		{"more than is left to receive", asked(shop, "k", benPointer, "4001", payments.FixedReceive), problem.LimitExceeded, "amount"},
		{"more than the account has", asked(poor, "k", benPointer, "501", payments.FixedDebit), problem.Insufficient, ""},
		{"a key of another request", asked(shop, "first", benPointer, "1001", payments.FixedDebit), problem.KeyReused, ""},
		{"ended", asked(ended, "k", benPointer, "1", payments.FixedDebit), problem.Forbidden, ""},
		{"unknown", asked(uuid.New(), "k", benPointer, "1", payments.FixedDebit), problem.NotFound, ""},
		{"no pointer", asked(shop, "k", "ben", "1", payments.FixedDebit), problem.Invalid, "receiver"},
		{"nobody", asked(shop, "k", "$localhost:3000/nobody", "1", payments.FixedDebit), problem.Invalid, "receiver"},
		{"oneself", asked(shop, "k", "$localhost:3000/ann", "1", payments.FixedDebit), problem.Invalid, "receiver"},
		{"nothing", asked(shop, "k", benPointer, "0", payments.FixedDebit), problem.Invalid, "amount"},
		{"no amount", asked(shop, "k", benPointer, "", payments.FixedDebit), problem.Invalid, "amount"},
		{"a sign", asked(shop, "k", benPointer, "+1", payments.FixedDebit), problem.Invalid, "amount"},
		{"too large", asked(shop, "k", benPointer, "9223372036854775808", payments.FixedDebit), problem.Invalid, "amount"},
		{"what it is for can't be seen", unseen, problem.Invalid, "description"},
		{"another asset", in(eur), problem.Invalid, "amount"},
		{"another scale", in(ledger.Asset{Code: "USD", Scale: 3}), problem.Invalid, "amount"},
	} {
		_, err := w.Payments.Charge(context.Background(), test.req)
		_, named := problem.Fields(err)[test.field]
		if problem.CodeOf(err) != test.code || !named {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if a, c := w.Has(ann), w.Has(cho); a != "90.00 USD" || c != "5.00 USD" {
		t.Errorf("Ann has %s, Cho %s", a, c)
	}
	wantUsed(t, w.Wallet, w.Interval(shop), 1000)
	list, next, err := w.Payments.Charges(context.Background(), shop, "", 10)
	if err != nil || len(list) != 1 || next != "" || list[0].Key != "first" {
		t.Errorf("charges %+v, %q, %v", list, next, err)
	}
	w.Check()
}

func TestListOfCharges(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	w.Person("ben", usd, "")
	shop, other := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: usd}, ""), w.Agree(ann, "Other", ledger.Amount{Value: 5000, Asset: usd}, "")
	charge(t, w.Wallet, asked(other, "x", benPointer, "1", payments.FixedDebit))
	var want []string
	for i := range 5 {
		c := charge(t, w.Wallet, asked(shop, fmt.Sprint(i), benPointer, "1", payments.FixedDebit))
		want = append([]string{c.Key}, want...)
	}
	var got []string
	for before := ""; ; {
		page, next, err := w.Payments.Charges(context.Background(), shop, before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			got = append(got, c.Key)
		}
		if before = next; next == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	c, err := w.Payments.FindCharge(context.Background(), other, uuid.New())
	if problem.CodeOf(err) != problem.NotFound {
		t.Errorf("%+v, %v", c, err)
	}
	mine, _, _ := w.Payments.Charges(context.Background(), shop, "", 1)
	if _, err := w.Payments.FindCharge(context.Background(), other, mine[0].ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("another agreement's charge: %v", err)
	}
}

// A charge within this wallet is tried once: money that comes a moment after it was
// refused is too late. It isn't news for the log either.
func TestRefusedChargeIsTriedOnce(t *testing.T) {
	var log strings.Builder
	w := paytest.New(t, paytest.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	ctx := context.Background()
	ann := w.Person("ann", usd, "10")
	w.Person("ben", usd, "")
	poor := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: usd}, "")
	small := w.Agree(ann, "Kiosk", ledger.Amount{Value: 500, Asset: usd}, "")
	charge(t, w, asked(small, "before", benPointer, "400", payments.FixedDebit))
	log.Reset()
	w.Writer.Between(func(next func() error) error {
		err := next()
		if err != nil {
			if err := w.Payments.Deposit(ctx, ann.ID, ann.Account, "10"); err != nil {
				t.Error(err)
			}
		}
		return err
	})
	for _, test := range []struct {
		agreement uuid.UUID
		amount    string
		code      problem.Code
	}{{poor, "601", problem.Insufficient}, {small, "101", problem.LimitExceeded}} {
		c, err := w.Payments.Charge(ctx, asked(test.agreement, "k", benPointer, test.amount, payments.FixedDebit))
		if problem.CodeOf(err) != test.code {
			t.Errorf("%s: %+v, %v", test.code, c, err)
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log says %s", log.String())
	}
	w.Check()
}

// Of fifty charges at once, those that fit are made, and no other.
func TestChargesAtOnce(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "1000")
	w.Person("ben", usd, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 1099, Asset: usd}, "")
	ctx := context.Background()
	var all sync.WaitGroup
	made := make(chan payments.Charge, 50)
	for i := range 50 {
		all.Go(func() {
			c, err := w.Payments.Charge(ctx, asked(id, fmt.Sprint(i), benPointer, "100", payments.FixedDebit))
			switch {
			case err == nil:
				made <- c
			case problem.CodeOf(err) != problem.LimitExceeded:
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(made)
	if len(made) != 10 {
		t.Errorf("%d charges were made", len(made))
	}
	for c := range made {
		w.Payments.Wait(ctx, c.ID)
	}
	if got := w.Has(ann); got != "990.00 USD" {
		t.Errorf("Ann has %s", got)
	}
	wantUsed(t, w.Wallet, w.Interval(id), 1000)
	w.Check()
}

// One request that is sent fifty times at once is one charge.
func TestOneChargeManyTimesAtOnce(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "1000")
	w.Person("ben", usd, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 50_00, Asset: usd}, "")
	ctx := context.Background()
	var all sync.WaitGroup
	ids := make([]uuid.UUID, 50)
	for i := range ids {
		all.Go(func() {
			c, err := w.Payments.Charge(ctx, asked(id, "k", benPointer, "100", payments.FixedDebit))
			if ids[i] = c.ID; err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.Payments.Wait(ctx, ids[0])
	for _, other := range ids {
		if other != ids[0] {
			t.Fatalf("charges %s and %s", ids[0], other)
		}
	}
	if got := w.Has(ann); got != "999.00 USD" {
		t.Errorf("Ann has %s", got)
	}
	w.Check()
}

// What a charge returns is what is written, of one that has only begun, too.
func TestChargeIsReturnedAsItIsWritten(t *testing.T) {
	for _, state := range []payments.State{payments.Completed, payments.Sending} {
		w := newWallet(t)
		ctx := context.Background()
		ann := w.Person("ann", usd, "100")
		w.Person("ben", jpy, "")
		id := w.Agree(ann, "Shop", ledger.Amount{Value: 5000, Asset: eur}, "R/P1M")
		w.Stop()
		w.Start(state == payments.Completed) // else nothing is sent
		for _, fixed := range []payments.Fixed{payments.FixedDebit, payments.FixedReceive} {
			req := asked(id, string(fixed), benPointer, "500", fixed)
			req.Description = "Tulips"
			made, err := w.Payments.Charge(ctx, req)
			if err != nil || made.State != state {
				t.Fatalf("%+v, %v", made, err)
			}
			written, err := w.Payments.FindCharge(ctx, id, made.ID)
			if diff := cmp.Diff(written, made); err != nil || diff != "" {
				t.Errorf("%s: %v, the row (-) isn't what was returned (+):\n%s", state, err, diff)
			}
		}
	}
}
