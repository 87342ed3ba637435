package peers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"pochi/app/peers"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// doubt writes down that the answer to a packet was lost.
func (n node) doubt(t *testing.T, peer, reference uuid.UUID, amount uint64) {
	t.Helper()
	err := n.db.Write(t.Context(), func(tx db.Tx) error {
		return peers.Doubt{Peer: peer, Reference: reference, Amount: amount, Cause: "timed out"}.Record(t.Context(), tx, time.UnixMicro(1000))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// standing returns the only peer as it is.
func (n node) standing(t *testing.T) peers.Standing {
	t.Helper()
	all, err := peers.Standings(t.Context(), n.db.Read)
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	return all[0]
}

// What a peer may claim is dismissed, or owed from then on; once, however often
// it is said.
func TestResolve(t *testing.T) {
	n := newNode(t)
	bob := n.mustAdd(t, "bob", "USD/2", terms("test.bob", bobToken))
	arrived, lost := newID(), newID()
	n.doubt(t, bob.ID, arrived, 5)
	n.doubt(t, bob.ID, arrived, 6)
	n.doubt(t, bob.ID, lost, 7)
	told := 0
	if err := n.Start(t.Context(), using(func([]peers.Peer) { told++ })); err != nil {
		t.Fatal(err)
	}
	for i, test := range []struct {
		r        peers.Resolution
		repeated bool
		says     string // of the error
		owed     uint64
		doubts   int
		told     int
	}{
		{peers.Resolution{Reference: newID()}, false, "Nothing with bob is in doubt", 0, 3, 1},
		{peers.Resolution{Reference: arrived, Accept: true, Amount: ptr[uint64](5)}, false, "is 11 (0.11 USD), not 5", 0, 3, 1},
		{peers.Resolution{Reference: arrived, Accept: true, Amount: ptr[uint64](11)}, false, "", 11, 1, 2},
		{peers.Resolution{Reference: arrived, Accept: true, Amount: ptr[uint64](11)}, true, "", 11, 1, 2},
		{peers.Resolution{Reference: arrived, Accept: true}, true, "", 11, 1, 2},
		{peers.Resolution{Reference: arrived, Accept: true, Amount: ptr[uint64](5)}, false, "is 11", 11, 1, 2},
		{peers.Resolution{Reference: arrived}, false, "accepted before", 11, 1, 2},
		{peers.Resolution{Reference: lost}, false, "", 11, 0, 3},
		{peers.Resolution{Reference: lost}, true, "", 11, 0, 3},
		{peers.Resolution{Reference: lost, Accept: true}, false, "dismissed before", 11, 0, 3},
	} {
		p, c, repeated, err := n.Resolve(t.Context(), "bob", test.r)
		if (err == nil) != (test.says == "") || !strings.Contains(problem.MessageOf(err), test.says) || repeated != test.repeated {
			t.Errorf("%d: repeated %t, %v, want %q", i, repeated, err, test.says)
		}
		if err == nil && (p.ID != bob.ID || c.Reference != test.r.Reference || (c.State == peers.ClaimAccepted) != test.r.Accept || c.ResolvedAt.IsZero()) {
			t.Errorf("%d: %+v", i, c)
		}
		if now := n.standing(t); now.OwedToPeer != test.owed || now.Doubts != test.doubts || told != test.told {
			t.Errorf("%d: %+v, told %d times", i, now, told)
		}
	}
	if _, _, _, err := n.Resolve(t.Context(), "eve", peers.Resolution{Reference: lost}); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("nobody: %v", err)
	}
	n.wantOrder(t)
}

// The same reference may come to be in doubt again: that is another claim.
func TestDoubtsAfterAResolution(t *testing.T) {
	n := newNode(t)
	bob := n.mustAdd(t, "bob", "USD/2", terms("test.bob", bobToken))
	reference := newID()
	n.doubt(t, bob.ID, reference, 5)
	resolve := func(r peers.Resolution) error {
		_, _, _, err := n.Resolve(t.Context(), "bob", r)
		return err
	}
	if err := resolve(peers.Resolution{Reference: reference, Accept: true}); err != nil {
		t.Fatal(err)
	}
	n.doubt(t, bob.ID, reference, 6)
	if err := resolve(peers.Resolution{Reference: reference, Accept: true, Amount: ptr[uint64](5)}); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("what was accepted before: %v", err)
	}
	if err := resolve(peers.Resolution{Reference: reference}); err != nil {
		t.Fatal(err)
	}
	for onlyOpen, want := range map[bool][]string{true: nil, false: {peers.ClaimAccepted, peers.ClaimDismissed}} {
		p, all, err := peers.Claims(t.Context(), n.db.Read, "bob", onlyOpen)
		var got []string
		for _, c := range all {
			got = append(got, c.State)
		}
		if err != nil || p.ID != bob.ID || !cmp.Equal(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
	if now := n.standing(t); now.OwedToPeer != 5 || now.Doubts != 0 {
		t.Errorf("%+v", now)
	}
	n.wantOrder(t)
}

// lateDoubt is a ledger before whose next commit something happens.
type lateDoubt struct {
	peers.Ledger
	before func()
}

func (l *lateDoubt) Submit(ctx context.Context, chain ledger.Chain, rows func(db.Tx) error) error {
	l.before()
	return l.Ledger.Submit(ctx, chain, rows)
}

// What came to be in doubt meanwhile was not agreed about.
func TestDoubtsDuringAResolution(t *testing.T) {
	late := &lateDoubt{before: func() {}}
	n := newNode(t, func(c *peers.Config) {
		late.Ledger = c.Ledger
		c.Ledger = late
	})
	bob := n.mustAdd(t, "bob", "USD/2", terms("test.bob", bobToken))
	reference := newID()
	n.doubt(t, bob.ID, reference, 5)
	late.before = func() { n.doubt(t, bob.ID, reference, 6) }
	for _, accept := range []bool{true, false} {
		_, _, _, err := n.Resolve(t.Context(), "bob", peers.Resolution{Reference: reference, Accept: accept})
		if problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), "look again") {
			t.Errorf("%v", err)
		}
	}
	if now := n.standing(t); now.OwedToPeer != 0 || now.Doubts != 3 || now.DoubtAmount != 17 {
		t.Errorf("%+v", now)
	}
	n.wantOrder(t)
}

// A peer that may claim something stays until that is settled.
func TestRemoveWithDoubts(t *testing.T) {
	n := newNode(t)
	bob := n.mustAdd(t, "bob", "USD/2", terms("test.bob", bobToken))
	reference := newID()
	n.doubt(t, bob.ID, reference, 5)
	if _, _, err := n.Remove(t.Context(), "bob"); problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), "0.05 USD, since answers were lost (pochi admin peer doubts bob)") {
		t.Errorf("%v", err)
	}
	if got, err := peers.WithDoubts(t.Context(), n.db.Read); err != nil || !cmp.Equal(got, []string{"bob"}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, _, _, err := n.Resolve(t.Context(), "bob", peers.Resolution{Reference: reference}); err != nil {
		t.Fatal(err)
	}
	if gone, _, err := n.Remove(t.Context(), "bob"); err != nil || gone.RemovedAt.IsZero() {
		t.Errorf("%+v, %v", gone, err)
	}
	n.wantOrder(t)
}
