package paytest

import (
	"context"
	"sync"

	"pochi/app/payments"
	"pochi/db"
)

// Writer lets a test stand between the books and the database.
type Writer struct {
	next payments.Writer

	mu      sync.Mutex
	between func(next func() error) error
}

// Submit implements payments.Writer.
func (w *Writer) Submit(ctx context.Context, unit db.Unit) error {
	w.mu.Lock()
	between := w.between
	w.mu.Unlock()
	next := func() error { return w.next.Submit(ctx, unit) }
	if between == nil {
		return next()
	}
	return between(next)
}

// Between has f see each unit of the books; next commits it.
func (w *Writer) Between(f func(next func() error) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.between = f
}
