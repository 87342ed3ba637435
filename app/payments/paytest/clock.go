package paytest

import (
	"context"
	"sync"
	"time"

	"pochi/ilp/stream"
)

// Clock is a stream.Clock that tests move; sleeping moves it. Wallets that are
// peers share one.
type Clock struct {
	real bool
	mu   sync.Mutex
	now  time.Time
}

// NewClock returns a clock that stands still until it is moved.
func NewClock() *Clock { return &Clock{now: time.Now().UTC().Truncate(time.Microsecond)} }

// RealClock returns the machine's clock, for payments that run side by side: they
// would move each other's time.
func RealClock() *Clock { return &Clock{real: true} }

// Now implements stream.Clock.
func (c *Clock) Now() time.Time {
	if c.real {
		return time.Now().UTC()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep implements stream.Clock.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if c.real {
		return stream.SystemClock{}.Sleep(ctx, d)
	}
	c.Advance(d)
	return ctx.Err()
}

// Advance moves a clock that isn't real.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
