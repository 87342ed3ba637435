package server

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
)

const homeTransfers = 100_000

// BenchmarkHome renders the home page of somebody with all of 100,000
// transfers, session and balances included, without a network. The reference
// is the same page in an empty wallet.
func BenchmarkHome(b *testing.B) {
	empty, full := signUp(b, newWallet(b), "ann", "USD"), signUp(b, newWallet(b), "ann", "USD")
	deposit(b, full, homeTransfers)
	var seconds [2]float64
	for i, ann := range []*browser{empty, full} {
		b.Run([]string{"empty", "100k"}[i], func(b *testing.B) {
			for b.Loop() {
				if page := ann.get("/"); !strings.Contains(page.Body, "Everyday") {
					b.Fatalf("this is not home: %s", page.Body)
				}
			}
			seconds[i] = b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(seconds[i]*1000, "ms")
			if i == 1 {
				b.ReportMetric(seconds[0]*1000, "ref:empty")
			}
		})
	}
}

// deposit makes n transfers to the person's account.
func deposit(b *testing.B, to *browser, n int) {
	b.Helper()
	ctx := context.Background()
	userID, accountID := owner(b, to.server, "ann")
	var callers sync.WaitGroup
	for range 100 {
		callers.Go(func() {
			for range n / 100 {
				if err := to.server.payments.Deposit(ctx, userID, accountID, "1"); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
	if page := to.get("/"); !strings.Contains(page.Body, "Show everything") {
		b.Fatalf("the deposits are not on the page: %s", page.Body)
	}
}

// owner returns a person and their account, by pointer.
func owner(b *testing.B, s *server, pointer string) (userID, accountID uuid.UUID) {
	b.Helper()
	err := s.db.Read.QueryRowContext(context.Background(), "SELECT user_id, account_id FROM pointers WHERE name = ?", pointer).
		Scan(&userID, &accountID)
	if err != nil {
		b.Fatal(err)
	}
	return userID, accountID
}
