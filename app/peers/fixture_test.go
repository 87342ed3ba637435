package peers_test

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"pochi/app/peers"
	"pochi/db"
	"pochi/ilp/ilphttp"
	"pochi/ledger"
)

const (
	own      = "test.pochi"
	callback = "http://localhost:3002/ilp/callback"
	bobToken = peers.Token("bob-bob-bob-bob-bob-bob-bob-bob-")
	eveToken = peers.Token("eve-eve-eve-eve-eve-eve-eve-eve-")
)

var usd = ledger.Asset{Code: "USD", Scale: 2}

// node is a wallet's ledger with its peers.
type node struct {
	*peers.Service
	db     *db.DB
	ledger *ledger.Ledger
}

// newNode opens one in a folder of its own; variations change how.
func newNode(t *testing.T, variations ...func(*peers.Config)) node {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	books, err := ledger.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	link, err := ilphttp.NewClient(ilphttp.ClientConfig{
		Address: own, DialContext: new(net.Dialer).DialContext, AllowLoopback: true, Log: slog.New(slog.DiscardHandler),
		CallbackURL: callback, Pending: new(ilphttp.Pending),
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := peers.Config{
		DB: d, Ledger: books, Own: own, HTTP: link, CallbackURL: callback, Now: time.Now,
		ExchangeLimit: func(ledger.Asset) (uint64, error) { return 1_000_000, nil },
	}
	for _, vary := range variations {
		vary(&cfg)
	}
	return node{peers.New(cfg), d, books}
}

// using has peers used that are always in order.
func using(use func([]peers.Peer)) func([]peers.Peer) (func(), error) {
	return func(all []peers.Peer) (func(), error) { return func() { use(all) }, nil }
}

// outside changes the database as nobody should.
func outside(t *testing.T, n node, change string) {
	t.Helper()
	err := n.db.Write(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), change)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }

// terms are those of a peer that can be added.
func terms(address string, token peers.Token) peers.Change {
	return peers.Change{Address: &address, AddTokens: []peers.Token{token}}
}

func (n node) mustAdd(t *testing.T, name, asset string, c peers.Change) peers.Standing {
	t.Helper()
	p, err := n.Add(t.Context(), name, asset, c)
	if err != nil {
		t.Fatal(err)
	}
	return p.Standing
}

func (n node) load(t testing.TB) []peers.Peer {
	t.Helper()
	all, err := peers.Load(context.Background(), n.db.Read)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// defects returns what the check of the books finds.
func (n node) defects(t testing.TB) []ledger.Defect {
	t.Helper()
	report, err := ledger.Check(context.Background(), n.db.Read, ledger.CheckOptions{Observers: []ledger.Observer{&peers.Audit{}}})
	if err != nil {
		t.Fatal(err)
	}
	return report.Defects
}

// wantOrder fails the test when the books contradict themselves.
func (n node) wantOrder(t testing.TB) {
	t.Helper()
	if found := n.defects(t); len(found) > 0 {
		t.Errorf("%v", found)
	}
}
