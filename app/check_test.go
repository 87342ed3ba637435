package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pochi/app/config"
	"pochi/app/payments"
	"pochi/app/rates"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestCheckNamesADefect(t *testing.T) {
	ctx := context.Background()
	cfg := config.Config{DB: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db")}
	if err := check(ctx, cfg, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "there is no database") {
		t.Errorf("without a database: %v", err)
	}
	post(t, cfg)
	var out strings.Builder
	if err := check(ctx, cfg, &out); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	if !strings.Contains(out.String(), "1 transfer ") {
		t.Errorf("it says %q", &out)
	}
	raw, err := sql.Open("sqlite3", "file:"+strings.TrimPrefix(cfg.DB, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec("UPDATE transfers SET amount = amount + 1"); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	err = check(ctx, cfg, &out)
	if err == nil || !strings.Contains(out.String(), ledger.DefectHash+":") || !strings.Contains(out.String(), ledger.DefectTotals+":") {
		t.Errorf("%v: %s", err, &out)
	}
}

// A rate that is too old is no defect of the books, but whoever looks at them is told.
func TestCheckNamesStaleRates(t *testing.T) {
	cfg := config.Config{DB: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db")}
	post(t, cfg)
	d, err := db.Open(t.Context(), db.Options{URL: cfg.DB})
	if err != nil {
		t.Fatal(err)
	}
	book, err := rates.Open(t.Context(), d, rates.Table{}, []string{"USD", "EUR"}, func() time.Time { return time.Now().Add(-24 * time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Set(t.Context(), rates.Change{From: "USD", To: "EUR", Rate: "0.9", Valid: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err = check(t.Context(), cfg, &out)
	if err != nil || !strings.Contains(out.String(), "rates: stale") || !strings.Contains(out.String(), "pochi admin rate set USD EUR RATE") {
		t.Errorf("%v: %s", err, &out)
	}
}

// Progress is told when it takes long, and not more often than asked for.
func TestCheckTellsProgress(t *testing.T) {
	var out strings.Builder
	var now time.Time
	progress := newProgress(&out, time.Second, func() time.Time { return now })
	for range 25 {
		progress(ledger.Progress{Transfers: 3, Total: 4, Rows: 5})
		now = now.Add(100 * time.Millisecond)
	}
	const line = "check: 3 of 4 transfers replayed, 5 rows compared\n"
	if got := out.String(); got != line+line {
		t.Errorf("it says %q", got)
	}
}

func TestSummary(t *testing.T) {
	const order = "1 account, 2 transfers in 1 batch: every ledger sums to zero, every account, hold and payment agrees with its transfers"
	sound := ledger.Report{Accounts: 1, Transfers: 2, Batches: 1}
	unseen, damaged := sound, sound
	unseen.Unseen = []string{"transfers", "history"}
	damaged.Defects = []ledger.Defect{{Name: "head", Detail: "it is gone"}}
	for _, test := range []struct {
		report ledger.Report
		left   payments.Unsettled
		want   string
	}{
		{sound, payments.Unsettled{}, order + "\n"},
		{sound, payments.Unsettled{Items: 2, Reviews: 1}, order + "; 2 items in suspense to settle; 1 payment to review\n"},
		{sound, payments.Unsettled{Doubts: 1}, order + "; 1 doubt to settle with peers\n"},
		{unseen, payments.Unsettled{}, "While a wallet runs SQLite's own look at a large file leaves out: transfers, history. " +
			"Check again when it is stopped to have all looked at.\n" + order + "\n"},
		{damaged, payments.Unsettled{}, "head: it is gone\n1 account, 2 transfers in 1 batch: 1 defect\n"},
	} {
		if diff := cmp.Diff(test.want, summary(test.report, test.left)); diff != "" {
			t.Error(diff)
		}
	}
}

// post makes a database with one transfer.
func post(t *testing.T, cfg config.Config) {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, db.Options{URL: cfg.DB})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	l, err := ledger.Open(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	usd := ledger.Asset{Code: "USD", Scale: 2}
	if _, err := l.OpenAsset(ctx, usd, 0); err != nil {
		t.Fatal(err)
	}
	err = l.Submit(ctx, ledger.Chain{ledger.Transfer{
		ID: uuid.Must(uuid.NewV7()), Debit: ledger.HouseAccount(usd, ledger.CodeEquity), Credit: ledger.HouseAccount(usd, ledger.CodeExchange), Amount: 5,
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
}
