package ilphttp

import (
	"strings"
	"sync"

	"github.com/google/uuid"

	"pochi/ilp/packet"
)

// Pending are the packets that were sent in asynchronous mode and have no reply yet: the Client's endpoints put them in, the
// callbacks that a Server takes answer them. A packet leaves when it is answered or when it expires, so there are no more than
// there are packets in flight. The zero Pending is empty. It is safe for concurrent use; a node has one, and its Client and its
// Server share it.
type Pending struct {
	mu   sync.Mutex
	open map[requestKey]*waiting
}

// requestKey names a request: its Request-Id counts only between the two peers.
type requestKey struct {
	peer [16]byte
	id   string
}

// waiting is a packet that has no reply yet. reply is set before replied is closed.
type waiting struct {
	requestKey
	replied chan struct{}
	reply   *packet.ReplyView
}

// add opens a request to a peer under an id of its own, a UUIDv4.
func (p *Pending) add(peer [16]byte) *waiting {
	w := &waiting{requestKey: requestKey{peer, uuid.NewString()}, replied: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = make(map[requestKey]*waiting)
	}
	p.open[w.requestKey] = w
	return w
}

// has reports whether a request is open. UUIDs are the same in capitals.
func (p *Pending) has(peer [16]byte, id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open[requestKey{peer, strings.ToLower(id)}] != nil
}

// answer closes a request with the peer's reply. It reports false if the request isn't open.
func (p *Pending) answer(peer [16]byte, id string, reply *packet.ReplyView) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := requestKey{peer, strings.ToLower(id)}
	w := p.open[key]
	if w == nil {
		return false
	}
	delete(p.open, key)
	w.reply = reply
	close(w.replied)
	return true
}

// remove closes a request for good and returns the reply that it got, or nil: from now on it gets none.
func (p *Pending) remove(w *waiting) *packet.ReplyView {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, w.requestKey)
	return w.reply
}
