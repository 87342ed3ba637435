package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/app/accounts"
	"pochi/app/admin"
	"pochi/app/config"
	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/db"
	"pochi/ilp/ilphttp"
	"pochi/ledger"

	"github.com/google/uuid"
)

// neighbour is a wallet that listens, with one person who has 100.00 USD, and a
// front before its peers' listener.
type neighbour struct {
	*server
	t      *testing.T
	name   string
	cfg    config.Config
	front  *front
	person admin.Person
	peer   uuid.UUID // the other neighbour
	stop   func()    // returns when the wallet has ended
}

// front is what peers reach a wallet by. It counts callbacks, and may lose
// responses.
type front struct {
	*httptest.Server
	callbacks atomic.Int64
	loses     atomic.Bool
	mu        sync.Mutex
	hold      func() // each callback, before it goes on
}

func newFront(t *testing.T, to string) *front {
	f := new(front)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: to})
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == ilphttp.CallbackPath {
			f.callbacks.Add(1)
			f.mu.Lock()
			hold := f.hold
			f.mu.Unlock()
			if hold != nil {
				hold()
			}
		}
		proxy.ServeHTTP(w, r)
		if f.loses.Load() {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *front) onCallback(hold func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hold = hold
}

// newNeighbour starts a wallet at test.NAME, whose person's pointer is NAME.
func newNeighbour(t *testing.T, name string) *neighbour {
	t.Helper()
	pages, packets := freeAddress(t), freeAddress(t)
	n := &neighbour{t: t, name: name, front: newFront(t, packets)}
	n.cfg = configure(t, map[string]string{
		"POCHI_LISTEN": pages, "POCHI_PUBLIC_URL": "http://" + pages, "POCHI_ILP_LISTEN": packets, "POCHI_ILP_PUBLIC_URL": n.front.URL,
		"POCHI_ILP_ADDRESS": "test." + name, "POCHI_SEND_TIMEOUT": "3s",
	})
	n.start()
	var err error
	n.person, err = n.admin().AddPerson(t.Context(), admin.NewPerson{
		Email: name + "@example.com", Password: "correct horse battery", Name: name, Pointer: name, Asset: "USD", Balance: 100_00,
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// start runs the wallet as Run does.
func (n *neighbour) start() {
	n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(n.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})).With("wallet", n.name)
	d, err := db.Open(ctx, db.Options{URL: n.cfg.DB, Log: log})
	if err != nil {
		n.t.Fatal(err)
	}
	if n.server, err = build(ctx, n.cfg, d, log); err != nil {
		n.t.Fatal(err)
	}
	var l listeners
	for _, each := range []struct {
		l       *net.Listener
		address string
	}{{&l.pages, n.cfg.Listen}, {&l.packets, n.cfg.ILPListen}, {&l.ops, n.cfg.OpsListen}} {
		if *each.l, err = net.Listen("tcp", each.address); err != nil {
			n.t.Fatal(err)
		}
	}
	if l.commands, err = admin.Listen(n.cfg.Data); err != nil {
		n.t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	s := n.server
	go func() { ended <- s.serve(ctx, l, func() { close(ready) }) }()
	<-ready
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			n.t.Error(err)
		}
		if err := d.Close(); err != nil {
			n.t.Error(err)
		}
	})
	n.t.Cleanup(n.stop)
}

// read opens the database of a wallet that has ended, for f.
func (n *neighbour) read(f func(d *db.DB)) {
	n.t.Helper()
	d, err := db.OpenReadOnly(context.Background(), n.cfg.DB)
	if err != nil {
		n.t.Fatal(err)
	}
	defer d.Close()
	f(d)
}

func (n *neighbour) admin() admin.Client {
	return admin.Client{Data: n.cfg.Data, DB: n.cfg.DB}
}

// token is what a wallet knows another by.
func token(from, at *neighbour) peers.Token {
	return peers.Token(from.name + "-calls-" + at.name + "-with-this-token")
}

// mode is how a wallet and its peer exchange packets in one direction.
type mode struct{ async, callback bool }

// join makes two wallets peers. ab is about packets from a to b: whether a asks
// for callbacks, and whether b knows where to.
func join(t *testing.T, a, b *neighbour, ab, ba mode) {
	t.Helper()
	a.add(b, ab.async, ba.callback)
	b.add(a, ba.async, ab.callback)
}

func (n *neighbour) add(other *neighbour, async, callback bool) {
	n.t.Helper()
	address, url, credit, out := "test."+other.name, other.front.URL+ilphttp.Path, uint64(1000_00), token(n, other)
	c := peers.Change{
		Address: &address, AddTokens: []peers.Token{token(other, n)}, OutgoingURL: &url, OutgoingToken: &out,
		CreditLimit: &credit, Async: &async,
	}
	if callback {
		url := other.front.URL + ilphttp.CallbackPath
		c.CallbackURL = &url
	}
	added, err := n.admin().AddPeer(n.t.Context(), other.name, admin.NewPeer{Asset: "USD/2", Terms: c})
	if err != nil {
		n.t.Fatal(err)
	}
	n.peer = added.ID
}

func (n *neighbour) quote(to *neighbour, amount string) uuid.UUID {
	n.t.Helper()
	q, err := n.payments.Quote(n.t.Context(), n.person.ID, payments.QuoteRequest{
		AccountID: n.person.Account, To: to.person.Pointer, Amount: amount, Fixed: payments.FixedDebit,
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return q.ID
}

func (n *neighbour) confirm(quote uuid.UUID) {
	n.t.Helper()
	if _, err := n.payments.Confirm(n.t.Context(), n.person.ID, quote); err != nil {
		n.t.Fatal(err)
	}
}

// pay pays a neighbour and waits for the end.
func (n *neighbour) pay(to *neighbour, amount string) payments.Outgoing {
	n.t.Helper()
	id := n.quote(to, amount)
	n.confirm(id)
	return n.outcome(id)
}

// outcome returns what has become of a payment when nobody works on it any more.
func (n *neighbour) outcome(id uuid.UUID) payments.Outgoing {
	n.t.Helper()
	n.payments.Wait(n.t.Context(), id)
	p, err := n.payments.FindOutgoing(n.t.Context(), n.person.ID, id)
	if err != nil {
		n.t.Fatal(err)
	}
	return p
}

// standing returns what a database says that the person has, and that the peer is
// owed, below zero if it owes.
func (n *neighbour) standing(tx db.Tx) (has, owed int64) {
	n.t.Helper()
	a, err := accounts.FindByID(context.Background(), tx, n.person.Account)
	if err != nil {
		n.t.Fatal(err)
	}
	peer, err := ledger.Find(context.Background(), tx, n.peer)
	if err != nil {
		n.t.Fatal(err)
	}
	return int64(a.Available.Value), int64(peer.CreditsPosted) - int64(peer.DebitsPosted)
}
