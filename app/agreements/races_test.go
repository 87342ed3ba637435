package agreements_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/app/agreements"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// spend uses an agreement, a unit at a time, from many goroutines, until stop.
func (w *wallet) spend(id uuid.UUID) (spent *atomic.Uint64, stop func()) {
	spent = &atomic.Uint64{}
	var ended atomic.Bool
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for !ended.Load() {
				err := w.packet(id, 1)
				switch {
				case err == nil:
					spent.Add(1)
				case errors.Is(err, connector.ErrRefused), errors.Is(err, connector.ErrBusy), errors.Is(err, ledger.ErrInsufficient):
				default:
					w.t.Error(err)
					return
				}
			}
		})
	}
	return spent, func() { ended.Store(true); all.Wait() }
}

// large are terms that spending unit by unit doesn't exhaust.
func large(t *testing.T) agreements.Terms {
	terms := monthly(t)
	terms.Amount.Value = 1_000_000_000
	return terms
}

func waitFor(spent *atomic.Uint64, amount uint64) {
	for spent.Load() < amount {
	}
}

func TestNothingIsSpentAfterARevocation(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	for range 20 {
		a := w.approve(ann, large(t))
		spent, stop := w.spend(a.ID)
		waitFor(spent, 50)
		if err := w.Revoke(ctx, ann.id, a.ID); err != nil {
			t.Fatal(err)
		}
		before := w.usage(a.ID).Used
		waitFor(spent, before)
		stop()
		if after := w.usage(a.ID); after.Used != before || after.Left != 0 || spent.Load() != before {
			t.Fatalf("%d were used when the revocation was committed, and %+v later; %d were spent", before, after, spent.Load())
		}
	}
}

// Each lowering holds for every chain after it, whatever was allowed before.
func TestNothingMoreIsSpentThanALoweringAllows(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	for range 20 {
		a := w.approve(ann, large(t))
		spent, stop := w.spend(a.ID)
		waitFor(spent, 20)
		for _, limit := range []uint64{500_000, 400, 60, 30} {
			if err := w.Lower(ctx, ann.id, a.ID, limit); err != nil {
				t.Fatal(err)
			}
			before := w.usage(a.ID).Used
			if limit < before {
				waitFor(spent, before)
			}
		}
		least := w.usage(a.ID).Used
		stop()
		if u := w.usage(a.ID); u.Used > max(least, 30) || u.Limit != 30 || spent.Load() != u.Used {
			t.Fatalf("%d were used when 30 was the limit, and %+v later; %d were spent", least, u, spent.Load())
		}
		if account, err := ledger.Find(ctx, w.db.Read, agreements.AuthorityAccount(a.ID, 0)); err != nil || account.Limit != 30 || account.UserData != a.ID {
			t.Errorf("%+v, %v", account, err)
		}
	}
}

// What was allowed before something changed is asked again, or refused.
func TestGuards(t *testing.T) {
	for name, test := range map[string]struct {
		change func(w *wallet, ann person, id uuid.UUID) error
		want   error
	}{
		"nothing changed": {func(*wallet, person, uuid.UUID) error { return nil }, nil},
		"lowered":         {func(w *wallet, ann person, id uuid.UUID) error { return w.Lower(ctx, ann.id, id, 600) }, connector.ErrBusy},
		"paused":          {func(w *wallet, ann person, id uuid.UUID) error { return w.Pause(ctx, ann.id, id) }, connector.ErrRefused},
		"paused and resumed": {func(w *wallet, ann person, id uuid.UUID) error {
			return errors.Join(w.Pause(ctx, ann.id, id), w.Resume(ctx, ann.id, id))
		}, nil},
		"revoked":  {func(w *wallet, ann person, id uuid.UUID) error { return w.Revoke(ctx, ann.id, id) }, connector.ErrRefused},
		"given up": {func(w *wallet, ann person, id uuid.UUID) error { return w.GiveUp(ctx, "shop", id) }, connector.ErrRefused},
		"the app ended": {func(w *wallet, ann person, id uuid.UUID) error { return w.EndApp(ctx, "shop", "The app was removed.") },
			connector.ErrRefused},
		"the last moment":        {func(w *wallet, _ person, _ uuid.UUID) error { w.set("2027-02-28T11:59:59.999999Z"); return nil }, nil},
		"the next month":         {func(w *wallet, _ person, _ uuid.UUID) error { w.set("2027-02-28T12:00:00Z"); return nil }, connector.ErrBusy},
		"expired":                {func(w *wallet, _ person, _ uuid.UUID) error { w.set("2028-01-01T00:00:00Z"); return nil }, connector.ErrRefused},
		"the clock was set back": {func(w *wallet, _ person, _ uuid.UUID) error { w.set("2026-01-01T00:00:00Z"); return nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWallet(t)
			ann := w.person("ann")
			terms := monthly(t)
			terms.ExpiresAt = moment(t, "2028-01-01T00:00:00Z")
			a := w.approve(ann, terms)
			packet, err := w.Agreement(ctx, a.ID, 100)
			if err != nil {
				t.Fatal(err)
			}
			charge, err := w.Allow(ctx, a.ID, agreements.Use{Amount: 100, Receiver: "$shop.example/pay"})
			if err != nil {
				t.Fatal(err)
			}
			if err := test.change(w, ann, a.ID); err != nil {
				t.Fatal(err)
			}
			wantError(t, "a packet", w.use(a.ID, packet.Authority, 100), test.want)
			wantError(t, "a charge", w.use(a.ID, charge.Authority, 100), test.want)
		})
	}
}

// An interval whose account nobody has opened yet is opened with the limit that was
// lowered.
func TestALoweringReachesAnIntervalThatWasNotUsed(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	a := w.approve(ann, monthly(t))
	before, err := w.Agreement(ctx, a.ID, 1200)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Lower(ctx, ann.id, a.ID, 100); err != nil {
		t.Fatal(err)
	}
	wantError(t, "allowed before", w.use(a.ID, before.Authority, 1200), connector.ErrBusy)
	wantError(t, "more than the lowered limit", w.packet(a.ID, 101), connector.ErrInsufficient)
	if err := w.packet(a.ID, 100); err != nil {
		t.Error(err)
	}
	w.set("2027-02-28T12:00:00Z")
	wantError(t, "more than the lowered limit, a month later", w.packet(a.ID, 101), connector.ErrInsufficient)
	if err := w.packet(a.ID, 100); err != nil {
		t.Error(err)
	}
}

// After a restart with a clock that was set back, however far, a lowering also holds
// for the interval that has begun already.
func TestALoweringReachesTheIntervalsThatWereUsed(t *testing.T) {
	for _, back := range []string{"2027-05-31T11:00:00Z", "2027-02-01T12:00:00Z"} {
		w := newWallet(t)
		ann := w.person("ann")
		a := w.approve(ann, monthly(t))
		w.set("2027-05-31T12:00:00Z")
		if err := w.packet(a.ID, 50); err != nil {
			t.Fatal(err)
		}
		w.restart()
		w.set(back)
		if err := w.Lower(ctx, ann.id, a.ID, 100); err != nil {
			t.Fatal(err)
		}
		w.set("2027-05-31T12:00:00Z")
		wantError(t, "more than is left", w.packet(a.ID, 51), ledger.ErrInsufficient)
		if err := w.packet(a.ID, 50); err != nil {
			t.Errorf("all that is left: %v", err)
		}
	}
}

// What leaves memory is read again; what was allowed before it left has to be asked
// again.
func TestMemoryIsBounded(t *testing.T) {
	defer agreements.KeepInMemory(agreements.KeepInMemory(2))
	w := newWallet(t)
	ann := w.person("ann")
	a := w.approve(ann, monthly(t))
	before, err := w.Agreement(ctx, a.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := w.packet(w.approve(ann, monthly(t)).ID, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.packet(a.ID, 1); err != nil {
		t.Error(err)
	}
	wantError(t, "allowed before", w.use(a.ID, before.Authority, 1), connector.ErrBusy)
}

// Whoever reads an agreement while it is revoked, or just after it has left memory,
// doesn't bring it back to life.
func TestALateReaderRevivesNothing(t *testing.T) {
	defer agreements.KeepInMemory(agreements.KeepInMemory(1))
	w := newWallet(t)
	ann := w.person("ann")
	other := w.approve(ann, monthly(t))
	for range 50 {
		a := w.approve(ann, monthly(t))
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 3 {
					_, _ = w.Agreement(ctx, a.ID, 1)
					_, _ = w.Agreement(ctx, other.ID, 1)
				}
			})
		}
		if err := w.Revoke(ctx, ann.id, a.ID); err != nil {
			t.Fatal(err)
		}
		_, err := w.Agreement(ctx, a.ID, 1)
		wantError(t, "just revoked", err, connector.ErrRefused)
		all.Wait()
		_, err = w.Agreement(ctx, a.ID, 1)
		wantError(t, "revoked", err, connector.ErrRefused)
	}
}

// A change whose rows can't be written leaves memory and ledger as they were.
func TestAChangeThatFailsChangesNothing(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	a := w.approve(ann, monthly(t))
	if err := w.packet(a.ID, 100); err != nil {
		t.Fatal(err)
	}
	sql := func(text string) {
		t.Helper()
		if err := w.db.Write(ctx, func(tx db.Tx) error { _, err := tx.ExecContext(ctx, text); return err }); err != nil {
			t.Fatal(err)
		}
	}
	sql("CREATE TRIGGER fail BEFORE INSERT ON agreement_events BEGIN SELECT RAISE(ABORT, 'no'); END")
	for name, err := range map[string]error{
		"lower": w.Lower(ctx, ann.id, a.ID, 50), "pause": w.Pause(ctx, ann.id, a.ID), "revoke": w.Revoke(ctx, ann.id, a.ID),
	} {
		if err == nil {
			t.Errorf("%s has succeeded", name)
		}
	}
	sql("DROP TRIGGER fail")
	if err := w.packet(a.ID, 1100); err != nil {
		t.Errorf("all that is left: %v", err)
	}
	if got := w.find(a.ID); got.State != agreements.Active || got.Amount.Value != 1200 {
		t.Errorf("%+v", got)
	}
}

// Two people answer one proposal, and one person answers it many times at once.
func TestAProposalIsApprovedOnce(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.person("ann"), w.person("ben")
	asked, err := w.Propose(ctx, "shop", "Shop", monthly(t))
	if err != nil {
		t.Fatal(err)
	}
	consents := map[person][32]byte{ann: challenge(), ben: challenge()}
	var all sync.WaitGroup
	var granted, gone atomic.Int64
	for range 5 {
		for p, consent := range consents {
			all.Go(func() {
				a, err := w.Approve(ctx, agreements.Approval{
					Proposal: asked.ID, UserID: p.id, AccountID: p.account, ClientID: "shop", Amount: 1200, Consent: consent,
				})
				switch {
				case err == nil && a.UserID == p.id:
					granted.Add(1)
				case problem.CodeOf(err) == problem.Gone:
					gone.Add(1)
				default:
					t.Errorf("%+v, %v", a, err)
				}
			})
		}
	}
	all.Wait()
	if granted.Load() != 5 || gone.Load() != 5 {
		t.Errorf("%d were granted, %d gone", granted.Load(), gone.Load())
	}
	if list, err := w.ListOfClient(ctx, "shop"); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
}

// An account is closed, or gets an agreement: not both.
func TestAClosedAccountGetsNoAgreement(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	for range 20 {
		account, err := w.accounts.Open(ctx, ann.id, "EUR", "")
		if err != nil {
			t.Fatal(err)
		}
		yes := approval(person{ann.id, account}, monthly(t))
		var both sync.WaitGroup
		var approved, closed error
		both.Go(func() { _, approved = w.Approve(ctx, yes) })
		both.Go(func() { closed = w.accounts.Close(ctx, ann.id, account) })
		both.Wait()
		switch {
		case approved == nil:
			wantCode(t, "closed although an app may spend from it", closed, problem.Conflict)
		case problem.Fields(approved)["account"] == "" || closed != nil:
			t.Errorf("approved: %v, closed: %v", approved, closed)
		}
	}
}

// What an app's agreement is now is known without the database, and to no other app: that
// it was lowered, that its app was deleted, that its time is over.
func TestAnAppsAgreementIsReadFromMemory(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	terms := monthly(t)
	terms.ExpiresAt = moment(t, "2028-01-01T00:00:00Z")
	deleted, expired := w.approve(ann, monthly(t)), w.approve(ann, terms)
	for _, a := range []agreements.Agreement{deleted, expired} {
		if err := w.packet(a.ID, 1); err != nil {
			t.Fatal(err)
		}
	}
	nowhere, end := context.WithCancel(ctx) // nothing can be read with it
	end()
	want := func(id uuid.UUID, state agreements.State, amount uint64) {
		t.Helper()
		got, err := w.OfClient(nowhere, "shop", id)
		if err != nil || got.State != state || got.Amount.Value != amount || got.Live() != (state == agreements.Active) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	want(deleted.ID, agreements.Active, 1200)
	_, err := w.OfClient(nowhere, "another", deleted.ID)
	wantCode(t, "another app's", err, problem.NotFound)
	if err := w.Lower(ctx, ann.id, expired.ID, 100); err != nil {
		t.Fatal(err)
	}
	want(expired.ID, agreements.Active, 100)
	w.set("2028-01-01T00:00:00Z")
	want(expired.ID, agreements.Expired, 100)
	if err := w.EndApp(ctx, "shop", "The app was deleted."); err != nil {
		t.Fatal(err)
	}
	want(deleted.ID, agreements.Revoked, 1200)
	late := w.approve(ann, monthly(t))
	if _, err := w.OfClient(ctx, "shop", late.ID); err != nil {
		t.Errorf("one that isn't in memory: %v", err)
	}
}
