package users

import (
	"sync"

	"github.com/google/uuid"
)

// knownMax bounds the people who are remembered, a few hundred bytes each.
const knownMax = 1 << 16

// known remembers people whom somebody asked for: each request asks who makes it.
// Nothing that a User says ever changes, and nobody is removed.
type known struct {
	mu    sync.Mutex
	users map[uuid.UUID]User
}

func (k *known) get(id uuid.UUID) (u User, here bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	u, here = k.users[id]
	return u, here
}

func (k *known) put(u User) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.users == nil {
		k.users = map[uuid.UUID]User{}
	}
	if len(k.users) >= knownMax {
		for any := range k.users {
			delete(k.users, any)
			break
		}
	}
	k.users[u.ID] = u
}
