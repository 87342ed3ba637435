package ilphttp

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// The time for which a peer isn't called after no connection could be made: it doubles from the first to the longest, as the
// pauses of a payment do, which so finds the peer at its next try.
const (
	firstBreak   = 200 * time.Millisecond
	longestBreak = 5 * time.Second
)

// circuit keeps an endpoint from calling a peer that can't be reached, for a moment after each time that it couldn't. Its times
// are since it was made, so no change of the clock matters. It is safe for concurrent use.
type circuit struct {
	made   time.Time
	closed atomic.Int64 // until when nothing is sent; 0 after a connection

	mu   sync.Mutex
	last time.Duration // how long that was
}

func (c *circuit) now() time.Duration { return time.Since(c.made) }

// broken reports whether the peer isn't to be called now.
func (c *circuit) broken() bool {
	until := c.closed.Load()
	return until != 0 && int64(c.now()) < until
}

// failed says why a packet that was begun then couldn't be sent. Only a *dialError counts, and what was begun before the last break
// ended says nothing new.
func (c *circuit) failed(begun time.Duration, err error) {
	if !errors.As(err, new(*dialError)) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if int64(begun) < c.closed.Load() {
		return
	}
	c.last = min(max(2*c.last, firstBreak), longestBreak)
	c.closed.Store(int64(c.now() + c.last))
}

// connected says that there is a connection.
func (c *circuit) connected() {
	if c.closed.Load() == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = 0
	c.closed.Store(0)
}

// dialError is why a connection couldn't be made, unlike one that ended early.
type dialError struct{ error }

func (d *dialError) Unwrap() error { return d.error }

// dialing makes the errors of a dialer *dialErrors, but for those of who gave up.
func dialing(dial func(ctx context.Context, network, addr string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil && ctx.Err() == nil {
			err = &dialError{err}
		}
		return conn, err
	}
}
