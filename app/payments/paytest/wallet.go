// Package paytest is wallets for tests: all of a wallet but its pages, with a real
// database and a real ledger, alone or as peers of each other.
package paytest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pochi/app/accounts"
	"pochi/app/agreements"
	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/app/rates"
	"pochi/db"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/pointer"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

// The currencies of every wallet.
var (
	USD = ledger.Asset{Code: "USD", Scale: 2}
	EUR = ledger.Asset{Code: "EUR", Scale: 2}
	JPY = ledger.Asset{Code: "JPY", Scale: 0}
	OLD = ledger.Asset{Code: "OLD", Scale: 2} // has no rate
)

// Rates are every wallet's configuration: 1 USD = 0.9137 EUR.
const Rates = "USD=1,EUR=0.9137,JPY=149.62"

// ExchangeLimit is how much of a currency a wallet may owe from exchanging, in
// hundredths.
const ExchangeLimit = 1_000_000_00

// Options says what is different from a wallet at localhost:3000. The zero value is
// one.
type Options struct {
	Address address.Address // "test.pochi"
	Host    string          // of its pointers
	Clock   *Clock          // one that stands still
	Log     *slog.Logger    // to the test's output
}

// Wallet is all of a wallet but its pages.
type Wallet struct {
	Options
	URL       string // of the database
	Elsewhere Elsewhere

	// All below is new after each Start.
	DB         *db.DB
	Ledger     *ledger.Ledger
	Accounts   *accounts.Service
	Agreements *agreements.Service
	Rates      *rates.Book
	Payments   *payments.Service
	Books      *payments.Books
	Writer     *Writer
	Node       *connector.Connector
	Links      *Links

	receiver *stream.Receiver

	t      testing.TB
	secret [32]byte
	peers  []connector.Peer
	stop   func(crash bool)
	mu     sync.Mutex // of what other wallets use of this one
}

// New starts a wallet, which stops when the test ends.
func New(t testing.TB, o Options) *Wallet {
	t.Helper()
	w := &Wallet{Options: o, t: t, URL: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db"), secret: [32]byte{1}}
	if w.Address == "" {
		w.Address = "test.pochi"
	}
	if w.Host == "" {
		w.Host = "localhost:3000"
	}
	if w.Clock == nil {
		w.Clock = NewClock()
	}
	if w.Log == nil {
		w.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	w.Start(true)
	t.Cleanup(func() { w.stop(false) })
	return w
}

// Start opens the wallet; with work its payments are sent.
func (w *Wallet) Start(work bool) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	var err error
	if w.DB, err = db.Open(ctx, db.Options{URL: w.URL, Log: w.Log}); err != nil {
		w.t.Fatal(err)
	}
	if w.Ledger, err = ledger.Open(ctx, w.DB); err != nil {
		w.t.Fatal(err)
	}
	currencies := []ledger.Asset{USD, EUR, JPY, OLD}
	for _, asset := range currencies {
		if _, err := w.Ledger.OpenAsset(ctx, asset, ExchangeLimit); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.Ledger.OpenAuthority(ctx, asset); err != nil {
			w.t.Fatal(err)
		}
	}
	w.Accounts = accounts.New(w.DB, w.Ledger, currencies, w.Clock.Now)
	w.Agreements = agreements.New(agreements.Config{
		DB: w.DB, Writer: w.DB.Writer, Ledger: w.Ledger, Currencies: currencies,
		Pointers: pointer.Parser{AllowLoopback: true}, Now: w.Clock.Now, Log: w.Log,
	})
	w.Accounts.KeepOpen(w.Agreements)
	w.build(ctx)
	w.setPeers()
	service, d := w.Payments, w.DB
	var once sync.Once
	w.stop = func(crash bool) {
		once.Do(func() {
			cancel()
			if !crash {
				service.Drain()
			}
			if err := d.Close(); err != nil {
				w.t.Error(err)
			}
			service.Drain()
		})
	}
	if work { // what it sends may stop the wallet
		if err := w.Payments.Start(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
}

// Stop ends the wallet in good order. Start opens it again.
func (w *Wallet) Stop() { w.stop(false) }

// Crash ends the wallet at once: nothing more is written, whatever is on its way.
// It returns when nothing of it runs any more, so what it waits for has to end.
func (w *Wallet) Crash() { w.stop(true) }

func (w *Wallet) build(ctx context.Context) {
	w.t.Helper()
	table, err := rates.Parse(Rates)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.Rates, err = rates.Open(ctx, w.DB, table, nil, w.Clock.Now); err != nil {
		w.t.Fatal(err)
	}
	if w.receiver, err = stream.NewReceiver(w.Address, w.secret, rand.Reader); err != nil {
		w.t.Fatal(err)
	}
	w.Writer = &Writer{next: w.DB.Writer}
	w.Books, err = payments.NewBooks(ctx, payments.BooksConfig{
		DB: w.DB, Writer: w.Writer, Ledger: w.Ledger, Spent: w.Agreements.Spent, Now: w.Clock.Now, Log: w.Log,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Node, err = connector.New(connector.Config{
		Address: w.Address, Receiver: w.receiver, Payees: w.Books, Books: w.Books, Rates: w.Rates, Agreements: w.Agreements,
		Now: w.Clock.Now, Log: w.Log,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Links = &Links{node: w.Node}
	w.Payments = payments.New(payments.Config{
		DB: w.DB, Ledger: w.Ledger, Accounts: w.Accounts, Links: w.Links, Address: w.Address, SPSP: &w.Elsewhere, Credentials: w.receiver,
		Rates: w.Rates, Agreements: w.Agreements, Pointers: pointer.Parser{AllowLoopback: true}, Host: w.Host,
		QuoteTTL: 2 * time.Minute, SendTimeout: time.Minute, Clock: w.Clock, Random: rand.Reader, Log: w.Log,
	})
}

// Person is somebody with one account.
type Person struct{ ID, Account uuid.UUID }

// Person signs somebody up with an account, a pointer and, unless it is "", test
// money.
func (w *Wallet) Person(name string, asset ledger.Asset, balance string) Person {
	w.t.Helper()
	ctx := context.Background()
	p := Person{ID: uuid.Must(uuid.NewV7())}
	chain, rows, err := w.Accounts.Opening(ctx, p.ID, asset.Code, name)
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.Ledger.Submit(ctx, chain, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, '', 0)",
			p.ID[:], name+"@example.com", name)
		if err != nil {
			return err
		}
		return rows(tx)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := w.Accounts.List(ctx, p.ID)
	if err != nil || len(list) != 1 {
		w.t.Fatal(list, err)
	}
	p.Account = list[0].ID
	if balance != "" {
		if err := w.Payments.Deposit(ctx, p.ID, p.Account, balance); err != nil {
			w.t.Fatal(err)
		}
	}
	return p
}

// Quote asks for a quote, which must succeed.
func (w *Wallet) Quote(from Person, to, amount string, fixed payments.Fixed) payments.Quote {
	w.t.Helper()
	q, err := w.Payments.Quote(context.Background(), from.ID, payments.QuoteRequest{
		AccountID: from.Account, To: to, Amount: amount, Fixed: fixed,
	})
	if err != nil {
		w.t.Fatalf("quote %s to %s: %v", amount, to, err)
	}
	return q
}

// Confirm pays a quote and waits until the payment's sender is done with it.
func (w *Wallet) Confirm(from Person, q payments.Quote) payments.Outgoing {
	w.t.Helper()
	ctx := context.Background()
	if _, err := w.Payments.Confirm(ctx, from.ID, q.ID); err != nil {
		w.t.Fatal(err)
	}
	w.Payments.Wait(ctx, q.ID)
	return w.Outgoing(from, q.ID)
}

// Outgoing returns a payment of somebody's as it is committed.
func (w *Wallet) Outgoing(from Person, id uuid.UUID) payments.Outgoing {
	w.t.Helper()
	p, err := w.Payments.FindOutgoing(context.Background(), from.ID, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// Has returns what somebody's account has, as "12.50 USD", and fails the test when
// anything is still held.
func (w *Wallet) Has(p Person) string {
	w.t.Helper()
	a, err := accounts.FindByID(context.Background(), w.DB.Read, p.Account)
	if err != nil {
		w.t.Fatal(err)
	}
	if a.Pending.Value != 0 {
		w.t.Errorf("%s is still held", a.Pending)
	}
	return a.Available.String()
}

// Balance returns what is posted to a ledger account.
func (w *Wallet) Balance(id uuid.UUID) int64 {
	w.t.Helper()
	a, err := ledger.Find(context.Background(), w.DB.Read, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return int64(a.CreditsPosted) - int64(a.DebitsPosted)
}

// Check fails the test when the books contradict themselves.
func (w *Wallet) Check() {
	w.t.Helper()
	for _, d := range w.Defects() {
		w.t.Errorf("%s: %s", d.Name, d.Detail)
	}
}

// Defects returns what is wrong with the books.
func (w *Wallet) Defects() []ledger.Defect {
	w.t.Helper()
	report, err := ledger.Check(context.Background(), w.DB.Read, ledger.CheckOptions{Observers: []ledger.Observer{payments.NewAudit(), &peers.Audit{}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return report.Defects
}

// Rest fails the test when anything is in flight.
func (w *Wallet) Rest() {
	w.t.Helper()
	n, err := payments.CountInFlight(context.Background(), w.DB.Read)
	if err != nil || n > 0 {
		w.t.Errorf("%d holds have something in flight, %v", n, err)
	}
}

// Connect returns whom a new connection to somebody's pointer pays.
func (w *Wallet) Connect(name string) (connector.Party, error) {
	ctx := context.Background()
	details, err := w.offer(ctx, name)
	if err != nil {
		return connector.Party{}, err
	}
	connection, ok := w.receiver.Identify(details.DestinationAccount)
	if !ok {
		return connector.Party{}, connector.ErrNoPayee
	}
	return w.Books.Payee(ctx, connection.Tag)
}
