package ledger_test

import (
	"context"
	"testing"
	"time"

	"pochi/ledger"

	"github.com/google/uuid"
)

// BenchmarkLedgerCheck measures how fast Check replays and compares.
func BenchmarkLedgerCheck(b *testing.B) {
	const transfers, chained = 1_000_000, 8
	w := newBench(b, benchAccounts)
	w.callers(512, transfers/chained, func(_, i int) error {
		var chain ledger.Chain
		for n := range chained {
			id := uuid.Must(uuid.NewV7())
			debit := (i*chained + 7*n) % len(w.accounts)
			chain = append(chain, ledger.Transfer{
				ID: id, Debit: w.accounts[debit], Credit: w.accounts[(debit+1)%len(w.accounts)], Amount: 1, Code: 1, Reference: id,
			})
		}
		return w.ledger.Submit(context.Background(), chain, nil)
	})
	start := time.Now()
	report, err := ledger.Check(context.Background(), w.db.Read, ledger.CheckOptions{})
	took := time.Since(start)
	w.must(err)
	if len(report.Defects) > 0 {
		b.Fatalf("Check found %v", report.Defects[0])
	}
	if report.Transfers < transfers {
		b.Fatalf("Check saw %d transfers", report.Transfers)
	}
	b.ReportMetric(float64(report.Transfers)/took.Seconds(), "transfers/s")
}
