package payments_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pochi/app/accounts"
	"pochi/app/payments"
	"pochi/app/rates"
	"pochi/db"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/pointer"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

var (
	usd = ledger.Asset{Code: "USD", Scale: 2}
	eur = ledger.Asset{Code: "EUR", Scale: 2}
	jpy = ledger.Asset{Code: "JPY", Scale: 0}
	old = ledger.Asset{Code: "OLD", Scale: 2} // has no rate
)

// clock is a stream.Clock that tests move; sleeping moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.advance(d)
	return ctx.Err()
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// links lets a test stand between the payments and the connector.
type links struct {
	node  *connector.Connector
	mu    sync.Mutex
	drops func(p packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error)
	keeps uint64 // of each 1,000 units on the way
}

type link struct {
	next stream.Link
	l    *links
}

func (l *links) Link(from connector.Sender) stream.Link { return link{l.node.Link(from), l} }

func (l link) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	l.l.mu.Lock()
	between := l.l.drops
	passed := p
	passed.Amount -= p.Amount * l.l.keeps / 1000
	l.l.mu.Unlock()
	next := func() (packet.Reply, error) { return l.next.SendPacket(ctx, passed) }
	if between == nil {
		return next()
	}
	return between(p, next)
}

func (l *links) between(f func(p packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drops = f
}

// take makes the way keep so many of each 1,000 units.
func (l *links) take(keeps uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keeps = keeps
}

// elsewhere is the other wallets: none answers, unless a test puts one there.
type elsewhere struct {
	answer func() (spsp.Details, error)
}

func (e *elsewhere) Query(context.Context, string) (spsp.Details, error) {
	if e.answer != nil {
		return e.answer()
	}
	return spsp.Details{}, &spsp.Error{Reason: spsp.NoAnswer, Err: errors.New("connection refused")}
}

// wallet is all of the wallet but its pages.
type wallet struct {
	t        *testing.T
	url      string
	db       *db.DB
	ledger   *ledger.Ledger
	accounts *accounts.Service
	payments *payments.Service
	links    *links
	clock    *clock
	stop     func()

	elsewhere elsewhere
}

func newWallet(t *testing.T) *wallet {
	t.Helper()
	w := &wallet{
		t: t, url: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db"),
		clock: &clock{now: time.Now().UTC().Truncate(time.Microsecond)},
	}
	w.start(true)
	t.Cleanup(func() { w.stop() })
	return w
}

// start opens the wallet; with work its payments are sent.
func (w *wallet) start(work bool) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var err error
	if w.db, err = db.Open(ctx, db.Options{URL: w.url}); err != nil {
		w.t.Fatal(err)
	}
	if w.ledger, err = ledger.Open(ctx, w.db); err != nil {
		w.t.Fatal(err)
	}
	currencies := []ledger.Asset{usd, eur, jpy, old}
	for _, asset := range currencies {
		if _, err := w.ledger.OpenAsset(ctx, asset, 1_000_000_00); err != nil {
			w.t.Fatal(err)
		}
	}
	w.accounts = accounts.New(w.db, w.ledger, currencies, w.clock.Now)
	w.buildPayments()
	if work {
		if err := w.payments.Start(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
	w.stop = sync.OnceFunc(func() {
		cancel()
		w.payments.Drain()
		if err := w.db.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

func (w *wallet) buildPayments() {
	w.t.Helper()
	table, err := rates.Parse("USD=1,EUR=0.9137,JPY=149.62")
	if err != nil {
		w.t.Fatal(err)
	}
	receiver, err := stream.NewReceiver("test.pochi", [32]byte{1}, rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	books := payments.Books{DB: w.db, Ledger: w.ledger, Accounts: w.accounts, Now: w.clock.Now}
	node, err := connector.New(connector.Config{
		Address: "test.pochi", Receiver: receiver, Payees: books, Books: books, Rates: table, Now: w.clock.Now, Log: slog.Default(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.links = &links{node: node}
	w.payments = payments.New(payments.Config{
		DB: w.db, Ledger: w.ledger, Accounts: w.accounts, Links: w.links, SPSP: &w.elsewhere, Credentials: receiver,
		Rates: table, Pointers: pointer.Parser{AllowLoopback: true}, Host: "localhost:3000",
		QuoteTTL: 2 * time.Minute, SendTimeout: time.Minute, Clock: w.clock, Random: rand.Reader, Log: slog.Default(),
	})
}

type person struct{ id, account uuid.UUID }

// person signs somebody up with one account and a pointer.
func (w *wallet) person(name string, asset ledger.Asset, balance string) person {
	w.t.Helper()
	ctx := context.Background()
	p := person{id: uuid.Must(uuid.NewV7())}
	chain, rows, err := w.accounts.Opening(ctx, p.id, asset.Code, name)
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.ledger.Submit(ctx, chain, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, '', 0)",
			p.id[:], name+"@example.com", name)
		if err != nil {
			return err
		}
		return rows(tx)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := w.accounts.List(ctx, p.id)
	if err != nil || len(list) != 1 {
		w.t.Fatal(list, err)
	}
	p.account = list[0].ID
	if balance != "" {
		if err := w.payments.Deposit(ctx, p.id, p.account, balance); err != nil {
			w.t.Fatal(err)
		}
	}
	return p
}

func (w *wallet) quote(from person, to, amount string, fixed payments.Fixed) payments.Quote {
	w.t.Helper()
	q, err := w.payments.Quote(context.Background(), from.id, payments.QuoteRequest{
		AccountID: from.account, To: to, Amount: amount, Fixed: fixed,
	})
	if err != nil {
		w.t.Fatalf("quote %s to %s: %v", amount, to, err)
	}
	return q
}

func (w *wallet) confirm(from person, q payments.Quote) payments.Outgoing {
	w.t.Helper()
	ctx := context.Background()
	if _, err := w.payments.Confirm(ctx, from.id, q.ID); err != nil {
		w.t.Fatal(err)
	}
	w.payments.Wait(ctx, q.ID)
	p, err := w.payments.FindOutgoing(ctx, from.id, q.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// balance returns what an account has, as "12.50 USD", and fails when anything
// is still held.
func (w *wallet) balance(p person) string {
	w.t.Helper()
	a, err := accounts.FindByID(context.Background(), w.db.Read, p.account)
	if err != nil {
		w.t.Fatal(err)
	}
	if a.Pending.Value != 0 {
		w.t.Errorf("%s is still held", a.Pending)
	}
	return a.Available.String()
}

// check fails the test when the books contradict themselves.
func (w *wallet) check() {
	w.t.Helper()
	ctx := context.Background()
	report, err := ledger.Check(ctx, w.db.Read, ledger.CheckOptions{Observers: []ledger.Observer{payments.NewAudit()}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range report.Defects {
		w.t.Errorf("%s: %s", d.Name, d.Detail)
	}
}
