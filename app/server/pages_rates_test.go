package server

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"pochi/app/admin"
	"pochi/app/rates"
	"pochi/db"
)

// What an admin sets is what the next quote says, after the spread.
func TestQuoteAtARateThatWasSet(t *testing.T) {
	data := t.TempDir()
	s := newWallet(t, "POCHI_DATA", data)
	client := admin.Client{Data: data, DB: "sqlite:" + filepath.Join(data, "pochi.db"), Open: func(context.Context) (http.Handler, func() error, error) {
		return s.admin, func() error { return nil }, nil
	}}
	ann := signUp(t, s, "ann", "USD")
	signUp(t, s, "ben", "EUR")
	account := ann.account()
	ann.post("/deposit", "account", account, "amount", "100").expect(t, "deposit", http.StatusSeeOther)
	if _, err := client.SetRate(t.Context(), rates.Change{From: "USD", To: "EUR", Rate: "9/10", SpreadBps: 100, Valid: time.Hour}); err != nil {
		t.Fatal(err)
	}
	quote := ann.post("/send", "to", pointerOf+"ben", "account", account, "amount", "25", "side", "send").
		expect(t, "send", http.StatusSeeOther).Location
	ann.get(quote).expect(t, "quote", http.StatusOK, "$25.00", "€22.27", "1 USD = 0.891 EUR")
}

func TestQuoteAtAStaleRateOnThePage(t *testing.T) {
	data := t.TempDir()
	stale(t, "sqlite:"+filepath.Join(data, "pochi.db"))
	s := newWallet(t, "POCHI_DATA", data)
	ann := signUp(t, s, "ann", "USD")
	signUp(t, s, "ben", "EUR")
	account := ann.account()
	ann.post("/deposit", "account", account, "amount", "100").expect(t, "deposit", http.StatusSeeOther)
	ann.post("/send", "to", pointerOf+"ben", "account", account, "amount", "25", "side", "send").
		expect(t, "send", http.StatusUnprocessableEntity, "exchange rate from USD to EUR is out of date. Try again later.")
}

// stale leaves a rate that was set yesterday, for an hour.
func stale(t *testing.T, url string) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	book, err := rates.Open(t.Context(), d, rates.Table{}, []string{"USD", "EUR"}, func() time.Time { return time.Now().Add(-24 * time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Set(t.Context(), rates.Change{From: "USD", To: "EUR", Rate: "0.9", Valid: time.Hour}); err != nil {
		t.Fatal(err)
	}
}
