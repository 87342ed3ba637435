package agreements_test

import (
	"context"
	"testing"
	"time"

	"pochi/app/agreements"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestWhatAChargeMayDo(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	terms := monthly(t)
	terms.PaymentMax, terms.Receivers = 500, []string{"$shop.example/pay"}
	terms.StartsAt, terms.ExpiresAt = moment(t, "2027-02-10T00:00:00Z"), moment(t, "2027-06-01T00:00:00Z")
	a := w.approve(ann, terms)
	good := agreements.Use{Amount: 500, Receiver: "$shop.example/pay"}
	allow := func(use agreements.Use) error {
		_, err := w.Allow(ctx, a.ID, use)
		return err
	}
	early := allow(good)
	wantCode(t, "before it starts", early, problem.Forbidden)
	if wait := problem.RetryAfter(early); wait != moment(t, "2027-02-10T00:00:00Z").Sub(w.now()) {
		t.Errorf("it may work in %s", wait)
	}
	w.set("2027-02-10T00:00:00Z")
	allowed, err := w.Allow(ctx, a.ID, good)
	if err != nil || allowed.Authority.Limit != 1200 || allowed.Authority.Account != agreements.AuthorityAccount(a.ID, 0) {
		t.Errorf("%+v, %v", allowed, err)
	}
	if diff := cmp.Diff(a, allowed.Agreement); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]struct {
		use   agreements.Use
		code  problem.Code
		field string
	}{
		"nothing":           {agreements.Use{Receiver: good.Receiver}, problem.Invalid, "amount"},
		"more than the cap": {agreements.Use{Amount: 501, Receiver: good.Receiver}, problem.LimitExceeded, "amount"},
		"somebody else":     {agreements.Use{Amount: 1, Receiver: "$other.example"}, problem.Forbidden, "receiver"},
	} {
		err := allow(c.use)
		if problem.CodeOf(err) != c.code || problem.Fields(err)[c.field] == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.Pause(ctx, ann.id, a.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "paused", allow(good), problem.Forbidden)
	if err := w.Resume(ctx, ann.id, a.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.Lower(ctx, ann.id, a.ID, 400); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "more than the lowered amount", allow(good), problem.LimitExceeded)
	if got := w.find(a.ID); got.PaymentMax != 400 {
		t.Errorf("one payment may be %d of %d", got.PaymentMax, got.Amount.Value)
	}
	w.set("2027-06-01T00:00:00Z")
	wantCode(t, "expired", allow(good), problem.Forbidden)
	wantCode(t, "an expired agreement's token", w.Live(ctx, a.ID), problem.Forbidden)
	_, err = w.Allow(ctx, uuid.New(), good)
	wantCode(t, "no agreement", err, problem.NotFound)
	wantCode(t, "no agreement's token", w.Live(ctx, uuid.New()), problem.NotFound)
}

// Nobody can say whom a packet pays, or what packets add up to.
func TestPacketsNeedTermsThatSayNothingAboutPayments(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	capped, named := monthly(t), monthly(t)
	capped.PaymentMax = 100
	named.Receivers = []string{"$shop.example/pay"}
	for name, terms := range map[string]agreements.Terms{"a cap": capped, "receivers": named} {
		_, err := w.Agreement(ctx, w.approve(ann, terms).ID, 1)
		wantError(t, name, err, connector.ErrRefused)
	}
	_, err := w.Agreement(ctx, uuid.New(), 1)
	wantError(t, "no agreement", err, connector.ErrRefused)
	asked, err := w.Propose(ctx, "shop", "Shop", monthly(t))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Agreement(ctx, asked.ID, 1)
	wantError(t, "what nobody has approved", err, connector.ErrRefused)
	a := w.approve(ann, monthly(t))
	terms, err := w.Agreement(ctx, a.ID, 0)
	if err != nil || terms.Account.Account != ann.account || terms.Account.Asset.Code != "EUR" || terms.Account.Reference != a.ID {
		t.Errorf("%+v, %v", terms, err)
	}
}

// What comes back comes back to the interval that it left.
func TestReturns(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	a := w.approve(ann, monthly(t))
	if err := w.packet(a.ID, 1200); err != nil {
		t.Fatal(err)
	}
	authority := eur.Authority()
	err := w.ledger.Submit(ctx, ledger.Chain{ledger.Transfer{
		ID: uuid.Must(uuid.NewV7()), Debit: ledger.HouseAccount(authority, ledger.CodeUsed), Credit: agreements.AuthorityAccount(a.ID, 0), Amount: 300,
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if u := w.usage(a.ID); u.Used != 900 || u.Left != 300 {
		t.Errorf("%+v", u)
	}
	if err := w.packet(a.ID, 300); err != nil {
		t.Error(err)
	}
	wantError(t, "more than came back", w.packet(a.ID, 1), ledger.ErrInsufficient)
}

func TestUsage(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	terms := monthly(t)
	terms.StartsAt, terms.ExpiresAt = moment(t, "2027-02-10T00:00:00Z"), moment(t, "2027-04-20T00:00:00Z")
	a := w.approve(ann, terms)
	check := func(when string, want agreements.Usage) {
		t.Helper()
		if diff := cmp.Diff(want, w.usage(a.ID)); diff != "" {
			t.Error(when, diff)
		}
	}
	first := agreements.Usage{Limit: 1200, Left: 1200}
	first.Span.Start, first.Span.End = moment(t, "2027-02-10T00:00:00Z"), moment(t, "2027-03-10T00:00:00Z")
	check("before it starts", first)
	w.set("2027-03-09T23:59:59Z")
	if err := w.packet(a.ID, 1000); err != nil {
		t.Fatal(err)
	}
	first.Used, first.Left = 1000, 200
	check("at the end of the first month", first)
	if err := w.Lower(ctx, ann.id, a.ID, 600); err != nil {
		t.Fatal(err)
	}
	first.Limit, first.Left = 600, 0
	check("lowered below what is used", first)
	w.set("2027-04-15T00:00:00Z")
	last := agreements.Usage{Limit: 600, Left: 600}
	last.Span.N, last.Span.Start, last.Span.End = 2, moment(t, "2027-04-10T00:00:00Z"), moment(t, "2027-05-10T00:00:00Z")
	check("the last month", last)
	if err := w.Pause(ctx, ann.id, a.ID); err != nil {
		t.Fatal(err)
	}
	check("paused", last)
	w.set("2028-01-01T00:00:00Z")
	last.Left = 0
	check("long after the end", last)
}

// run looks at what is used until the test ends or stop is called.
func (w *wallet) run() (stop func()) {
	running, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(running)
	}()
	return func() { cancel(); <-done }
}

// await waits until the person has so many notices.
func (w *wallet) await(p person, count int) []agreements.Event {
	w.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		notices, err := w.Notices(ctx, p.id, 10)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(notices) >= count {
			return notices
		}
		select {
		case <-deadline:
			w.t.Fatalf("there are %v", notices)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestPeopleAreToldWhenLittleIsLeft(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.person("ann"), w.person("ben")
	a := w.approve(ann, monthly(t))
	spend := func(amount uint64) {
		t.Helper()
		if err := w.packet(a.ID, amount); err != nil {
			t.Fatal(err)
		}
		w.Spent(a.ID)
	}
	spend(959)
	stop := w.run() // the notes that were made before count
	spend(1)
	near := w.await(ann, 1)
	if e := near[0]; e.Kind != agreements.EventNear || e.Amount != 960 || e.Agreement != a.ID || e.Interval != 0 {
		t.Errorf("%+v", near)
	}
	spend(200)
	stop() // what was noted last is looked at before the end
	w.restart()
	if got := w.find(a.ID); !got.LastUsedAt.Equal(w.now()) {
		t.Errorf("last used %s", got.LastUsedAt)
	}
	if err := w.packet(a.ID, 40); err != nil { // and nobody notes it: a crash
		t.Fatal(err)
	}
	w.restart()
	stop = w.run()
	defer func() { stop() }()
	if e := w.await(ann, 2)[0]; e.Kind != agreements.EventReached || e.Amount != 1200 {
		t.Errorf("after a crash: %+v", e)
	}
	w.set("2027-02-28T12:00:00Z")
	spend(1200)
	if e := w.await(ann, 3)[0]; e.Kind != agreements.EventReached || e.Interval != 1 {
		t.Errorf("the next month: %+v", e)
	}
	if notices, err := w.Notices(ctx, ben.id, 10); err != nil || len(notices) > 0 {
		t.Errorf("somebody else is told %v, %v", notices, err)
	}
}

func TestARestorePausesAgreements(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	a, paused, revoked := w.approve(ann, monthly(t)), w.approve(ann, monthly(t)), w.approve(ann, monthly(t))
	if err := w.Pause(ctx, ann.id, paused.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.Revoke(ctx, ann.id, revoked.ID); err != nil {
		t.Fatal(err)
	}
	asked, err := w.Propose(ctx, "shop", "Shop", monthly(t))
	if err != nil {
		t.Fatal(err)
	}
	err = w.db.Write(ctx, func(tx db.Tx) error {
		count, err := agreements.PauseAll(ctx, tx, w.now())
		if count != 1 {
			t.Errorf("%d were paused", count)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.restart()
	wantError(t, "a packet", w.packet(a.ID, 1), connector.ErrRefused)
	for id, want := range map[uuid.UUID]agreements.State{a.ID: agreements.Paused, paused.ID: agreements.Paused, revoked.ID: agreements.Revoked} {
		if got := w.find(id).State; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	_, err = w.Proposal(ctx, "shop", asked.ID)
	wantCode(t, "what was asked for", err, problem.NotFound)
	if notices := w.await(ann, 1); notices[0].Kind != agreements.EventPaused || notices[0].Note == "" || notices[0].Agreement != a.ID {
		t.Errorf("%+v", notices)
	}
	if err := w.Resume(ctx, ann.id, a.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.packet(a.ID, 1); err != nil {
		t.Error(err)
	}
}
