package ledger_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

var (
	usd = ledger.Asset{Code: "USD", Scale: 2}
	eur = ledger.Asset{Code: "EUR", Scale: 2}
)

var errOwn = errors.New("the caller's own reason")

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		os.Exit(crashChild(path))
	}
	flag.Set("rapid.checks", "40") // each run of the model opens a database; the command line rules
	os.Exit(m.Run())
}

// tester is *testing.T or *rapid.T.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// world is a ledger with dollars and euros, and a table for callers' own rows.
type world struct {
	t        tester
	path     string
	now      func() time.Time // nil: the time of day
	db       *db.DB
	ledger   *ledger.Ledger
	usd, eur uint32
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := newWorldAt(t, filepath.Join(t.TempDir(), "pochi.db"))
	t.Cleanup(func() { w.db.Close() }) // again, where the test closed it
	return w
}

// newTimedWorld is newWorld with a clock that only the test moves. Holds that
// expire wait for CloseExpired.
func newTimedWorld(t *testing.T) (*world, *clock) {
	t.Helper()
	c := newClock()
	w := newWorldOf(t, filepath.Join(t.TempDir(), "pochi.db"), c.now)
	t.Cleanup(func() { w.db.Close() })
	return w, c
}

func newWorldAt(t tester, path string) *world {
	t.Helper()
	return newWorldOf(t, path, nil)
}

func newWorldOf(t tester, path string, now func() time.Time) *world {
	t.Helper()
	w := &world{t: t, path: path, now: now}
	w.open()
	for _, opened := range []struct {
		asset  ledger.Asset
		number *uint32
	}{{usd, &w.usd}, {eur, &w.eur}} { // ledgers 1 and 2
		var err error
		if *opened.number, err = w.ledger.OpenAsset(context.Background(), opened.asset, 1000); err != nil {
			t.Fatalf("open %s: %v", opened.asset, err)
		}
	}
	w.want(w.db.Write(context.Background(), func(tx db.Tx) error {
		_, err := tx.ExecContext(context.Background(), "CREATE TABLE notes (note TEXT NOT NULL PRIMARY KEY) STRICT")
		return err
	}), nil)
	return w
}

// clock is a time that only passes when a test says so.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.micros.Store(time.Now().UnixMicro())
	return c
}

func (c *clock) now() time.Time { return time.UnixMicro(c.micros.Load()) }

func (c *clock) pass(d time.Duration) { c.micros.Add(d.Microseconds()) }

// withSizes makes memory and index as small as a test wants, until it ends. It
// comes before the test's first world.
func withSizes(t *testing.T, sizes ledger.Sizes) {
	t.Helper()
	before := ledger.SetSizes(sizes)
	t.Cleanup(func() { ledger.SetSizes(before) })
}

// tiny keeps almost nothing in memory and indexes all the time.
var tiny = ledger.Sizes{
	Accounts: 1, Holds: 1, QuietAfter: 1,
	SegmentFull: 3, SegmentIdle: 2, SlicePerRow: 1, SliceLeast: 1, SliceIdle: 2, SliceCatch: 3,
}

func (w *world) open() {
	w.t.Helper()
	w.openDB()
	if err := w.openLedger(); err != nil {
		w.t.Fatalf("open the ledger: %v", err)
	}
}

func (w *world) openDB() {
	w.t.Helper()
	d, err := db.Open(context.Background(), db.Options{URL: "sqlite:" + w.path, Now: w.now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatalf("open: %v", err)
	}
	w.db = d
}

func (w *world) openLedger() (err error) {
	if w.now == nil {
		w.ledger, err = ledger.Open(context.Background(), w.db)
	} else {
		w.ledger, err = ledger.OpenAt(context.Background(), w.db, w.now)
	}
	return err
}

// reopen restarts the wallet: nothing is left but what is on disk.
func (w *world) reopen() {
	w.t.Helper()
	if err := w.tryReopen(); err != nil {
		w.t.Fatalf("open the ledger: %v", err)
	}
}

// tryReopen tells why the ledger doesn't start.
func (w *world) tryReopen() error {
	w.t.Helper()
	w.want(w.db.Close(), nil)
	w.openDB()
	return w.openLedger()
}

func (w *world) want(got, want error) {
	w.t.Helper()
	if !errors.Is(got, want) {
		w.t.Errorf("got error %v, want %v", got, want)
	}
}

func (w *world) submit(commands ...ledger.Command) error {
	return w.ledger.Submit(context.Background(), commands, nil)
}

// do submits what must succeed.
func (w *world) do(commands ...ledger.Command) {
	w.t.Helper()
	if err := w.submit(commands...); err != nil {
		w.t.Fatalf("%+v: %v", commands, err)
	}
}

// account opens a dollar account with a limit and a balance.
func (w *world) account(limit, balance uint64) ledger.ID {
	w.t.Helper()
	id := newID()
	w.do(ledger.OpenAccount{ID: id, Ledger: w.usd, Code: ledger.CodePerson, Limit: limit})
	if balance > 0 {
		w.do(transfer(ledger.HouseAccount(usd, ledger.CodeEquity), id, balance))
	}
	return id
}

func (w *world) find(id ledger.ID) ledger.Account {
	w.t.Helper()
	account, err := ledger.Find(context.Background(), w.db.Read, id)
	if err != nil {
		w.t.Fatalf("account %s: %v", id, err)
	}
	return account
}

// balance expects what is posted and what may be spent.
func (w *world) balance(id ledger.ID, posted int64, available uint64) {
	w.t.Helper()
	a := w.find(id)
	if got := int64(a.CreditsPosted - a.DebitsPosted); got != posted || a.Available() != available {
		w.t.Errorf("account %s: posted %d, available %d, want %d and %d", id, got, a.Available(), posted, available)
	}
}

// clean expects that Check finds nothing.
func (w *world) clean() ledger.Report {
	w.t.Helper()
	report := checkIn(w.t, w.db)
	if len(report.Defects) > 0 {
		w.t.Errorf("Check found %v", report.Defects)
	}
	return report
}

func checkIn(t tester, d *db.DB) ledger.Report {
	t.Helper()
	report, err := ledger.Check(context.Background(), d.Read, ledger.CheckOptions{})
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	return report
}

// rows reads a query, a line for each row.
func rows(t tester, tx db.Tx, query string) []string {
	t.Helper()
	found, err := tx.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var lines []string
	for found.Next() {
		if err := found.Scan(into...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		lines = append(lines, fmt.Sprint(values...))
	}
	if err := found.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return lines
}

// snapshot is all that commands change.
func (w *world) snapshot() []string {
	w.t.Helper()
	var all []string
	for _, query := range []string{
		"SELECT * FROM accounts ORDER BY id",
		"SELECT * FROM holds ORDER BY n",
		"SELECT * FROM suspense ORDER BY n",
		"SELECT * FROM transfers ORDER BY seq",
		"SELECT * FROM assets ORDER BY ledger",
		"SELECT * FROM ledger_log ORDER BY batch, n",
		"SELECT * FROM batches ORDER BY seq",
		"SELECT * FROM notes ORDER BY note",
	} {
		all = append(all, rows(w.t, w.db.Read, query)...)
	}
	return all
}

// note is a caller's own row.
func note(text string) func(db.Tx) error {
	return func(tx db.Tx) error {
		_, err := tx.ExecContext(context.Background(), "INSERT INTO notes VALUES (?)", text)
		return err
	}
}

func newID() ledger.ID { return uuid.Must(uuid.NewV7()) }

func transfer(debit, credit ledger.ID, amount uint64) ledger.Transfer {
	return ledger.Transfer{ID: newID(), Debit: debit, Credit: credit, Amount: amount, Code: 1, Reference: newID()}
}

// queuedContext tells when Submit has queued its unit: Submit then asks a
// second time when the context is done.
type queuedContext struct {
	context.Context
	asked  atomic.Int32
	queued chan struct{}
}

func (c *queuedContext) Done() <-chan struct{} {
	if c.asked.Add(1) == 2 {
		close(c.queued)
	}
	return c.Context.Done()
}

// unit is one caller's chain and rows.
type unit struct {
	chain ledger.Chain
	rows  func(db.Tx) error
}

// together submits units that are applied in one batch, in this order, and
// returns their answers.
func (w *world) together(units ...unit) []error {
	w.t.Helper()
	calls := make([]func(context.Context) error, len(units))
	for i, u := range units {
		calls[i] = func(ctx context.Context) error { return w.ledger.Submit(ctx, u.chain, u.rows) }
	}
	return w.atOnce(calls...)
}

// atOnce makes calls that submit a unit each: they come into one batch, in this
// order. It returns their answers.
func (w *world) atOnce(calls ...func(context.Context) error) []error {
	w.t.Helper()
	started, released := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // occupies the writer while the others queue
		w.want(w.db.Write(context.Background(), func(db.Tx) error {
			close(started)
			<-released
			return errOwn
		}), errOwn)
	})
	<-started
	answers := make([]error, len(calls))
	for i, call := range calls {
		ctx := &queuedContext{Context: context.Background(), queued: make(chan struct{})}
		wg.Go(func() { answers[i] = call(ctx) })
		<-ctx.queued
	}
	close(released)
	wg.Wait()
	return answers
}

// answered expects one answer for each unit, nil for success.
func (w *world) answered(got []error, want ...error) {
	w.t.Helper()
	if len(got) != len(want) {
		w.t.Fatalf("%d answers, want %d", len(got), len(want))
	}
	for i := range want {
		if want[i] == errAny && got[i] != nil {
			continue
		}
		if !errors.Is(got[i], want[i]) {
			w.t.Errorf("unit %d: got error %v, want %v", i, got[i], want[i])
		}
	}
}

// unchanged expects that do leaves no trace.
func (w *world) unchanged(do func()) {
	w.t.Helper()
	before := w.snapshot()
	do()
	if diff := cmp.Diff(before, w.snapshot()); diff != "" {
		w.t.Errorf("it left a trace: %s", diff)
	}
}
