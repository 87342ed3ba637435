package peers_test

import (
	"bytes"
	"errors"
	"os"
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

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func TestSettle(t *testing.T) {
	n := newNode(t)
	c := terms("test.bob", bobToken)
	c.CreditLimit = ptr[uint64](100)
	n.mustAdd(t, "bob", "USD/2", c)
	received, first := peers.Settlement{ID: newID(), Received: 50}, peers.Settlement{ID: newID(), Paid: 120}
	for _, test := range []struct {
		in         peers.Settlement
		repeated   bool
		owed, owes uint64
	}{
		{received, false, 50, 0},
		{received, true, 50, 0},
		{first, false, 0, 70},
		{received, true, 0, 70},
		{peers.Settlement{ID: newID(), Paid: 30}, false, 0, 100},
		{first, true, 0, 100},
		{peers.Settlement{ID: newID(), Received: 100}, false, 0, 0},
	} {
		now, repeated, err := n.Settle(t.Context(), "bob", test.in)
		if err != nil || repeated != test.repeated || now.OwedToPeer != test.owed || now.OwedByPeer != test.owes {
			t.Errorf("%+v: repeated %t, owed %d, owes %d, %v, want %+v", test.in, repeated, now.OwedToPeer, now.OwedByPeer, err, test)
		}
	}
	n.wantOrder(t)
}

func TestWhatIsNoSettlement(t *testing.T) {
	n := newNode(t)
	n.mustAdd(t, "bob", "USD/2", terms("test.bob", bobToken))
	done := peers.Settlement{ID: newID(), Received: 5}
	if _, _, err := n.Settle(t.Context(), "bob", done); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		peer string
		in   peers.Settlement
		code problem.Code
		says string
	}{
		{"ann", peers.Settlement{ID: newID(), Paid: 1}, problem.NotFound, "no peer"},
		{"bob", peers.Settlement{ID: newID()}, problem.Invalid, "either"},
		{"bob", peers.Settlement{ID: newID(), Paid: 1, Received: 1}, problem.Invalid, "either"},
		{"bob", peers.Settlement{ID: newID(), Paid: 6}, problem.Conflict, "is owed 0.05 USD"},
		{"bob", peers.Settlement{ID: newID(), Paid: ledger.AmountMax + 1}, problem.Invalid, "more than an amount"},
		{"bob", peers.Settlement{ID: newID(), Received: ledger.AmountMax}, problem.Invalid, "more than an amount"},
		{"bob", peers.Settlement{ID: uuid.New(), Paid: 1}, problem.Invalid, "UUIDv7"},
		{"bob", peers.Settlement{Paid: 1}, problem.Invalid, "UUIDv7"},
		{"bob", peers.Settlement{ID: done.ID, Received: 6}, problem.Conflict, "has the id"},
		{"bob", peers.Settlement{ID: done.ID, Paid: 5}, problem.Conflict, "has the id"},
	} {
		_, _, err := n.Settle(t.Context(), test.peer, test.in)
		if problem.CodeOf(err) != test.code || !strings.Contains(problem.MessageOf(err), test.says) {
			t.Errorf("%s, %+v: %v, want %s, %q", test.peer, test.in, err, test.code, test.says)
		}
	}
	if all, err := peers.Standings(t.Context(), n.db.Read); err != nil || all[0].OwedToPeer != 5 || all[0].OwedByPeer != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	n.wantOrder(t)
}

// take has a packet in flight between two accounts.
func (n node) take(t *testing.T, debit, toward uuid.UUID, amount uint64) (end func()) {
	t.Helper()
	reference, outgoing := newID(), ledger.HouseAccount(usd, ledger.CodeOutgoing)
	submit := func(c ledger.Command) {
		t.Helper()
		if err := n.ledger.Submit(t.Context(), ledger.Chain{c}, nil); err != nil {
			t.Fatal(err)
		}
	}
	submit(ledger.Take{Reference: reference, Debit: debit, Credit: outgoing, Toward: toward, Amount: amount, Unreserved: true})
	return func() {
		submit(ledger.Release{Reference: reference, Debit: debit, Credit: outgoing, Amount: amount})
	}
}

// A peer stays until everything with it is settled; what keeps it is said.
// Then its name, address, token and routes are free.
func TestRemove(t *testing.T) {
	n := newNode(t)
	c := terms("test.bob", bobToken)
	c.CreditLimit, c.Routes, c.SetRoutes, c.Default = ptr[uint64](100), []string{"test.x"}, true, ptr(true)
	c.OutgoingURL, c.OutgoingToken = ptr("https://bob.example/ilp"), ptr(eveToken)
	c.Async, c.CallbackURL = ptr(true), ptr("https://bob.example/ilp/callback")
	bob := n.mustAdd(t, "bob", "USD/2", c)
	eve := n.mustAdd(t, "eve", "USD/2", terms("test.eve", eveToken))
	wantKept := func(says string) {
		t.Helper()
		if _, _, err := n.Remove(t.Context(), "bob"); problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	settle := func(s peers.Settlement) {
		t.Helper()
		s.ID = newID()
		if _, _, err := n.Settle(t.Context(), "bob", s); err != nil {
			t.Fatal(err)
		}
	}
	settle(peers.Settlement{Received: 7})
	wantKept("settle bob --paid 7")
	settle(peers.Settlement{Paid: 9})
	wantKept("settle bob --received 2")
	end := n.take(t, bob.ID, eve.ID, 5)
	if all, err := peers.Standings(t.Context(), n.db.Read); err != nil || all[0].FromInFlight != 5 || all[1].ToInFlight != 5 {
		t.Errorf("%+v, %v", all, err)
	}
	settle(peers.Settlement{Received: 2})
	wantKept("on their way")
	end()
	gone, repeated, err := n.Remove(t.Context(), "bob")
	if err != nil || repeated || gone.RemovedAt.IsZero() || len(gone.Tokens) > 0 || gone.OutgoingToken != "" || gone.Default || gone.Async || gone.CallbackURL != "" {
		t.Errorf("%+v, %t, %v", gone, repeated, err)
	}
	if again, repeated, err := n.Remove(t.Context(), "bob"); err != nil || !repeated || again.ID != bob.ID {
		t.Errorf("again: %+v, %t, %v", again, repeated, err)
	}
	if _, _, err := n.Remove(t.Context(), "ann"); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("who never was: %v", err)
	}
	n.wantOrder(t)
	if now := n.mustAdd(t, "bob", "USD/2", c); now.ID == bob.ID || now.OwedToPeer != 0 {
		t.Errorf("%+v", now)
	}
	if got := n.load(t); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	n.wantOrder(t)
}

func TestDoubts(t *testing.T) {
	n := newNode(t)
	bob := n.mustAdd(t, "bob", "USD/2", terms("test.bob", bobToken))
	first, second := newID(), newID()
	at := time.UnixMicro(1000)
	for i, d := range []peers.Doubt{
		{bob.ID, first, 5, "timed out"}, {bob.ID, first, 6, "the connection broke"}, {bob.ID, second, ledger.AmountMax, "status 502"},
	} {
		err := n.db.Write(t.Context(), func(tx db.Tx) error { return d.Record(t.Context(), tx, at.Add(time.Duration(i)*time.Second)) })
		if err != nil {
			t.Fatal(err)
		}
	}
	var packets, amount, firstAt, lastAt int64
	var cause string
	err := n.db.Read.QueryRowContext(t.Context(), "SELECT packets, amount, first_at, last_at, cause FROM peer_doubts WHERE reference = ?", first[:]).
		Scan(&packets, &amount, &firstAt, &lastAt, &cause)
	if err != nil || packets != 2 || amount != 11 || firstAt != 1000 || lastAt != 1_001_000 || cause != "the connection broke" {
		t.Errorf("%d packets, %d, %d to %d, %q, %v", packets, amount, firstAt, lastAt, cause, err)
	}
	all, err := peers.Standings(t.Context(), n.db.Read)
	if err != nil || !cmp.Equal([]any{all[0].Doubts, all[0].DoubtAmount}, []any{3, ledger.AmountMax}) {
		t.Errorf("%+v, %v", all, err)
	}
	n.wantOrder(t)
}

// A token that is used no more is in the database no more, not even where
// nothing refers to it.
func TestTokensAreGoneFromTheFile(t *testing.T) {
	n := newNode(t)
	const first, second = "the-first-token-that-eve-knows-us-by", "the-second-token-that-eve-knows-us-by"
	c := terms("test.bob", bobToken)
	c.OutgoingURL, c.OutgoingToken = ptr("https://bob.example/ilp"), ptr(peers.Token(first))
	n.mustAdd(t, "bob", "USD/2", c)
	n.mustAdd(t, "eve", "USD/2", terms("test.eve", eveToken))
	if _, err := n.Update(t.Context(), "bob", peers.Change{OutgoingToken: ptr(peers.Token(second))}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.Remove(t.Context(), "bob"); err != nil {
		t.Fatal(err)
	}
	var file string
	if err := n.db.Read.QueryRowContext(t.Context(), "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&file); err != nil {
		t.Fatal(err)
	}
	if err := n.db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the WAL is still there: %v", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{first, second} {
		if bytes.Contains(text, []byte(token)) {
			t.Errorf("%s is still in the file", token)
		}
	}
}
