package sessions

import "sync"

// liveMax bounds the sessions that are remembered, a few hundred bytes each.
const liveMax = 1 << 16

// live remembers the rows of sessions that were used, so that a request needn't
// ask the database who makes it. All changes of rows go through the Store, which
// forgets what it changed. Whoever read a row before a change, and comes to
// remember it afterwards, is too late.
type live struct {
	mu      sync.Mutex
	rows    map[hash]Session
	changes uint64
}

// get returns a session's row, if it is remembered. With the number of changes so
// far one that is read from the database can be put.
func (l *live) get(token hash) (row Session, here bool, changes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	row, here = l.rows[token]
	return row, here, l.changes
}

// put remembers a row that was read after so many changes, unless there were
// more since.
func (l *live) put(token hash, row Session, changes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changes != changes {
		return
	}
	if l.rows == nil {
		l.rows = map[hash]Session{}
	}
	if len(l.rows) >= liveMax {
		for any := range l.rows {
			delete(l.rows, any)
			break
		}
	}
	l.rows[token] = row
}

// changed forgets rows that were changed: what was committed counts from here on.
func (l *live) changed(tokens ...hash) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	for _, token := range tokens {
		delete(l.rows, token)
	}
}
