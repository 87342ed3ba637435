package connector

import (
	"sync"
	"time"
)

// remindAfter is how long the log says nothing more of what it said.
const remindAfter = time.Minute

// reminder bounds how often the log says the same. It is safe for concurrent use.
type reminder struct {
	mu   sync.Mutex
	last time.Time
}

// due reports whether it is time to say it, and takes it as said then.
func (r *reminder) due(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.last.IsZero() && now.Sub(r.last) < remindAfter {
		return false
	}
	r.last = now
	return true
}
