package server

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"pochi/db"
)

// A write failed for good: what is in doubt is said to be in doubt.
func TestStoppedWriterIsNotCalledHarmless(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	account := ann.account()
	err := s.db.Writer.Submit(context.Background(), db.Unit{Rows: func(db.Tx) error { panic("a bug") }})
	if !errors.Is(err, db.ErrStopped) {
		t.Fatal(err)
	}
	ann.post("/deposit", "account", account, "amount", "5").
		expect(t, "deposit", http.StatusServiceUnavailable, "before you try again")
	ann.get("/").expect(t, "home still reads", http.StatusOK, "$0.00")
}
