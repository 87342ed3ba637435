package agreements_test

import (
	"context"
	"testing"

	"pochi/app/agreements"
	"pochi/app/problem"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

var ctx = context.Background()

func TestAnAgreementsLife(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	a := w.approve(ann, monthly(t))
	if diff := cmp.Diff(w.find(a.ID), a); diff != "" {
		t.Error(diff)
	}
	if err := w.packet(a.ID, 500); err != nil {
		t.Fatal(err)
	}
	if u := w.usage(a.ID); u.Limit != 1200 || u.Used != 500 || u.Left != 700 {
		t.Errorf("%+v", u)
	}
	wantError(t, "more than is left", w.packet(a.ID, 701), ledger.ErrInsufficient)
	wantError(t, "more than the limit", w.packet(a.ID, 1201), connector.ErrInsufficient)
	if err := w.Lower(ctx, ann.id, a.ID, 600); err != nil {
		t.Fatal(err)
	}
	wantError(t, "more than is left now", w.packet(a.ID, 101), ledger.ErrInsufficient)
	if err := w.Pause(ctx, ann.id, a.ID); err != nil {
		t.Fatal(err)
	}
	wantError(t, "paused", w.packet(a.ID, 1), connector.ErrRefused)
	if err := w.Live(ctx, a.ID); err != nil {
		t.Errorf("a paused agreement's token: %v", err)
	}
	if err := w.Resume(ctx, ann.id, a.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.packet(a.ID, 100); err != nil {
		t.Errorf("resumed: %v", err)
	}
	w.set("2027-02-28T12:00:00Z")
	if u := w.usage(a.ID); u.Used != 0 || u.Left != 600 || u.Span.N != 1 {
		t.Errorf("the second month: %+v", u)
	}
	if err := w.packet(a.ID, 600); err != nil {
		t.Errorf("the second month: %v", err)
	}
	if err := w.Revoke(ctx, ann.id, a.ID); err != nil {
		t.Fatal(err)
	}
	wantError(t, "revoked", w.packet(a.ID, 1), connector.ErrRefused)
	wantCode(t, "a revoked agreement's token", w.Live(ctx, a.ID), problem.Forbidden)
	timeline, err := w.Timeline(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []agreements.EventKind
	for _, e := range timeline {
		kinds = append(kinds, e.Kind)
	}
	want := []agreements.EventKind{"asked", "approved", "lowered", "paused", "resumed", "revoked"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestAProposalIsApproved(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	asked, err := w.Propose(ctx, "shop", "Shop", monthly(t))
	if err != nil {
		t.Fatal(err)
	}
	found, err := w.Proposal(ctx, "shop", asked.ID)
	if diff := cmp.Diff(asked, found); diff != "" || err != nil {
		t.Error(diff, err)
	}
	_, err = w.Proposal(ctx, "another", asked.ID)
	wantCode(t, "another app's", err, problem.NotFound)
	yes := agreements.Approval{Proposal: asked.ID, UserID: ann.id, AccountID: ann.account, ClientID: "shop", Amount: 1000, Consent: challenge()}
	granted, err := w.Approve(ctx, yes)
	if err != nil || granted.ID != asked.ID || granted.Amount.Value != 1000 || granted.Asked != 1200 {
		t.Fatalf("%+v, %v", granted, err)
	}
	again, err := w.Approve(ctx, yes)
	if diff := cmp.Diff(granted, again); diff != "" || err != nil {
		t.Error(diff, err)
	}
	_, err = w.Proposal(ctx, "shop", asked.ID)
	wantCode(t, "decided", err, problem.Gone)
	_, err = w.Find(ctx, uuid.New())
	wantCode(t, "none", err, problem.NotFound)
}
