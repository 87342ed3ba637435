package server

import (
	"context"
	"testing"

	"pochi/app/payments"
)

const bytesPayments = 2000

// BenchmarkPaymentsBytes makes payments within the wallet, in one currency, one
// after another. The figure is what each adds to the database: quote, both
// payments, hold, transfer, log, batches and indexes. The last part of the
// ledger's history may still be in memory.
func BenchmarkPaymentsBytes(b *testing.B) {
	s := newWallet(b)
	ann := signUp(b, s, "ann", "USD")
	signUp(b, s, "ben", "USD")
	deposit(b, ann, 1000)
	ctx := context.Background()
	userID, accountID := owner(b, s, "ann")
	before := usedBytes(b, s)
	for range bytesPayments {
		quote, err := s.payments.Quote(ctx, userID, payments.QuoteRequest{
			AccountID: accountID, To: "$localhost:3000/ben", Amount: "0.01", Fixed: payments.FixedDebit,
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.payments.Confirm(ctx, userID, quote.ID); err != nil {
			b.Fatal(err)
		}
		s.payments.Wait(ctx, quote.ID)
	}
	b.ReportMetric(float64(usedBytes(b, s)-before)/bytesPayments, "bytes")
}

// usedBytes returns how much of the database is used.
func usedBytes(b *testing.B, s *server) (bytes int64) {
	b.Helper()
	err := s.db.Read.QueryRowContext(context.Background(),
		"SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size").Scan(&bytes)
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}
