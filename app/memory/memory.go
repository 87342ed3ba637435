// Package memory remembers rows that were read from the database, so that what
// each request needs isn't read each time. There is one writer, the wallet itself:
// the service that owns the rows forgets what it changed.
package memory

import "sync"

// Rows remembers up to a number of rows by their keys. Whoever read a row before
// it was changed, and comes to remember it afterwards, is too late. It is safe for
// concurrent use.
type Rows[K comparable, V any] struct {
	most    int
	mu      sync.Mutex
	rows    map[K]V
	changes uint64
}

// New returns a memory of up to most rows.
func New[K comparable, V any](most int) *Rows[K, V] {
	return &Rows[K, V]{most: most, rows: map[K]V{}}
}

// Get returns a row, if it is remembered, and how often something has changed so
// far: one that is read from the database now can be Put with that.
func (r *Rows[K, V]) Get(key K) (row V, here bool, changes uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	row, here = r.rows[key]
	return row, here, r.changes
}

// Put remembers a row that was read after so many changes, unless there were more
// since. One of the others is forgotten when there are too many.
func (r *Rows[K, V]) Put(key K, row V, changes uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changes != changes {
		return
	}
	if len(r.rows) >= r.most {
		for other := range r.rows {
			delete(r.rows, other)
			break
		}
	}
	r.rows[key] = row
}

// Changed forgets rows that were changed. It is to be called after the commit, and
// before anybody is told of it.
func (r *Rows[K, V]) Changed(keys ...K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	for _, key := range keys {
		delete(r.rows, key)
	}
}

// AllChanged forgets everything.
func (r *Rows[K, V]) AllChanged() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	clear(r.rows)
}
