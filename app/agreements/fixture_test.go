package agreements_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/accounts"
	"pochi/app/agreements"
	"pochi/app/agreements/interval"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp/connector"
	"pochi/ilp/pointer"
	"pochi/ledger"

	"github.com/google/uuid"
)

var (
	eur = ledger.Asset{Code: "EUR", Scale: 2}
	usd = ledger.Asset{Code: "USD", Scale: 2}
)

// wallet is a database with a ledger, accounts and agreements, and a clock that
// only moves when it is told to.
type wallet struct {
	*agreements.Service
	t        testing.TB
	url      string
	db       *db.DB
	ledger   *ledger.Ledger
	accounts *accounts.Service
	time     atomic.Pointer[time.Time]
}

func newWallet(t testing.TB) *wallet {
	t.Helper()
	w := &wallet{t: t, url: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db")}
	start := time.Date(2027, time.January, 31, 12, 0, 0, 0, time.UTC)
	w.time.Store(&start)
	w.open()
	t.Cleanup(w.close)
	return w
}

func (w *wallet) open() {
	w.t.Helper()
	ctx := context.Background()
	var err error
	if w.db, err = db.Open(ctx, db.Options{URL: w.url}); err != nil {
		w.t.Fatal(err)
	}
	if w.ledger, err = ledger.Open(ctx, w.db); err != nil {
		w.t.Fatal(err)
	}
	for _, asset := range []ledger.Asset{eur, usd} {
		if _, err := w.ledger.OpenAsset(ctx, asset, 0); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.ledger.OpenAuthority(ctx, asset); err != nil {
			w.t.Fatal(err)
		}
	}
	w.accounts = accounts.New(w.db, w.ledger, []ledger.Asset{eur, usd}, w.now)
	w.Service = agreements.New(agreements.Config{
		DB: w.db, Writer: w.db.Writer, Ledger: w.ledger, Currencies: []ledger.Asset{eur, usd},
		Pointers: pointer.Parser{}, Now: w.now, Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)),
	})
	w.accounts.KeepOpen(w.Service)
}

// close ends the wallet, with its ledger in order.
func (w *wallet) close() {
	report, err := ledger.Check(context.Background(), w.db.Read, ledger.CheckOptions{})
	if err != nil || len(report.Defects) > 0 {
		w.t.Errorf("%v, %v", report.Defects, err)
	}
	if err := w.db.Close(); err != nil {
		w.t.Error(err)
	}
}

// restart opens the database again: nothing is in memory.
func (w *wallet) restart() {
	w.t.Helper()
	w.close()
	w.open()
}

func (w *wallet) now() time.Time { return *w.time.Load() }

func (w *wallet) set(text string) {
	w.t.Helper()
	now := moment(w.t, text)
	w.time.Store(&now)
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	m, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type person struct{ id, account uuid.UUID }

// person signs somebody up, with an account in euros.
func (w *wallet) person(name string) person {
	w.t.Helper()
	ctx := context.Background()
	p := person{id: uuid.Must(uuid.NewV7())}
	chain, rows, err := w.accounts.Opening(ctx, p.id, "EUR", name)
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
	return p
}

// monthly are terms for 12.00 EUR a month.
func monthly(t testing.TB) agreements.Terms {
	return agreements.Terms{Description: "Newspaper", Amount: ledger.Amount{Value: 1200, Asset: eur}, Interval: rule(t, "R/P1M")}
}

func rule(t testing.TB, text string) interval.Rule {
	t.Helper()
	r, err := interval.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// approval is a person's yes to terms that an app's request holds.
func approval(p person, terms agreements.Terms) agreements.Approval {
	return agreements.Approval{
		UserID: p.id, AccountID: p.account, ClientID: "shop", App: "Shop", Terms: terms, Amount: terms.Amount.Value, Consent: challenge(),
	}
}

func challenge() [32]byte { return sha256.Sum256([]byte(uuid.NewString())) }

// approve makes an agreement.
func (w *wallet) approve(p person, terms agreements.Terms) agreements.Agreement {
	w.t.Helper()
	a, err := w.Approve(context.Background(), approval(p, terms))
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// packet uses some of an agreement as a packet does: allowed from memory, guarded
// and counted on the writer's goroutine.
func (w *wallet) packet(id uuid.UUID, amount uint64) error {
	terms, err := w.Agreement(context.Background(), id, amount)
	if err != nil {
		return err
	}
	return w.use(id, terms.Authority, amount)
}

// use opens the allowance's account and uses some of it, if its guard says yes.
func (w *wallet) use(id uuid.UUID, a connector.Authority, amount uint64) error {
	ctx := context.Background()
	asset := ledger.Asset(a.Asset).Authority()
	number, err := ledger.LedgerOf(ctx, w.db.Read, asset)
	if err != nil {
		return err
	}
	return w.db.Writer.Submit(ctx, db.Unit{Apply: func(tx db.Tx) (func(), error) {
		if err := a.Guard(); err != nil {
			return nil, err
		}
		return w.ledger.Apply(tx, ledger.Chain{
			ledger.OpenAllowance(a.Account, number, id, a.Limit),
			ledger.Packet{Debit: a.Account, Credit: ledger.HouseAccount(asset, ledger.CodeUsed), Amount: amount, Reference: id},
		})
	}})
}

// usage returns how much of an agreement is used.
func (w *wallet) usage(id uuid.UUID) agreements.Usage {
	w.t.Helper()
	u, err := w.Usage(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

func (w *wallet) find(id uuid.UUID) agreements.Agreement {
	w.t.Helper()
	a, err := w.Find(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// wantCode fails the test unless an error has a code.
func wantCode(t *testing.T, what string, err error, want problem.Code) {
	t.Helper()
	if got := problem.CodeOf(err); got != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}
