package ledger

import (
	"context"
	"sync"
)

// lookedMax bounds the accounts that are remembered for those who look at them:
// each takes some 200 bytes.
const lookedMax = 1 << 14

// Find returns an account as it is committed, from memory when somebody has looked
// at it lately. Unlike all that the ledger keeps for its commands, it may be called
// on any goroutine. It returns ErrAccountUnknown.
func (l *Ledger) Find(ctx context.Context, id ID) (Account, error) {
	a, here, commits := l.looked.get(id)
	if here {
		return a, nil
	}
	a, err := Find(ctx, l.db.Read, id)
	if err == nil {
		l.looked.put(a, commits)
	}
	return a, err
}

// looked are accounts as they are committed, for all goroutines. Those that a batch
// changes aren't there from before its commit until after it: then only the database
// knows which of the two it is.
type looked struct {
	mu      sync.Mutex
	byID    map[ID]Account
	commits uint64    // of batches that changed accounts
	writing bool      // a batch that does is being committed
	changed []Account // by it, of those that were here
}

// get returns an account, if it is there, and how many commits there were before.
func (s *looked) get(id ID) (a Account, here bool, commits uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, here = s.byID[id]
	return a, here, s.commits
}

// put keeps an account that was read after so many commits, unless there was
// another since, or is one now. One of the others leaves when there are too many.
func (s *looked) put(a Account, commits uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing || s.commits != commits {
		return
	}
	if len(s.byID) >= lookedMax {
		for id := range s.byID {
			delete(s.byID, id)
			break
		}
	}
	s.byID[a.ID] = a
}

// commit tells that a batch with these accounts is being committed.
func (s *looked) commit(accounts []*account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = true
	for _, a := range accounts {
		if _, here := s.byID[a.ID]; here {
			s.changed = append(s.changed, a.Account)
			delete(s.byID, a.ID)
		}
	}
}

// committed tells that the batch is durable, before anybody is told so.
func (s *looked) committed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.writing {
		return
	}
	s.writing = false
	s.commits++
	for _, a := range s.changed {
		s.byID[a.ID] = a
	}
	s.changed = s.changed[:0]
}
