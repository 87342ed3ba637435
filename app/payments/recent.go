package payments

import "sync"

// recent remembers values of which at least the last most that were used are
// there, and at most twice as many. It is safe for concurrent use.
type recent[K comparable, V any] struct {
	most       int
	mu         sync.Mutex
	young, old map[K]V
}

func newRecent[K comparable, V any](most int) *recent[K, V] {
	return &recent[K, V]{most: most, young: map[K]V{}}
}

// get returns what was put under a key, if it is still there.
func (r *recent[K, V]) get(key K) (value V, here bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if value, here = r.young[key]; here {
		return value, true
	}
	if value, here = r.old[key]; here {
		r.keep(key, value)
	}
	return value, here
}

func (r *recent[K, V]) put(key K, value V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(key, value)
}

func (r *recent[K, V]) keep(key K, value V) {
	if _, here := r.young[key]; !here && len(r.young) >= r.most {
		r.young, r.old = map[K]V{}, r.young
	}
	r.young[key] = value
}
