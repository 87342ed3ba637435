package ilphttp

import (
	"context"
	"net/http"
	"sync"

	"pochi/ilp/packet"
)

// maxRequestID is the longest Request-Id, in bytes. RFC 35 has UUIDs; what else a peer sends it gets back.
const maxRequestID = 128

const badRequestID = "one Request-Id is needed, of at most 128 visible ASCII characters"

// isAsync reports whether a peer that may asks for its reply in a callback. Preferring it isn't enough: whoever prefers takes a
// reply in the response too.
func isAsync(h http.Header, peer Peer) bool {
	return peer.Callback != nil && (len(h[headerRequestID]) > 0 || len(h[headerCallbackURL]) > 0)
}

// requestID returns the request's one Request-Id.
func requestID(h http.Header) (id string, ok bool) {
	values := h[headerRequestID]
	if len(values) != 1 || len(values[0]) > maxRequestID || !isVisible(values[0]) {
		return "", false
	}
	return values[0], true
}

// serveAsync accepts a packet and has it worked on. It counts as in flight until its reply has been delivered or given up, so
// there are no more callbacks than there may be packets.
func (s *Server) serveAsync(w http.ResponseWriter, r *http.Request, peer Peer) {
	id, ok := requestID(r.Header)
	if !ok {
		s.refuse(w, peer, http.StatusBadRequest, badRequestID)
		return
	}
	if !peer.Callback.allows(r.Header[headerCallbackURL]) {
		s.refuse(w, peer, http.StatusBadRequest, "Callback-Url is not the one that was agreed on")
		return
	}
	if a := s.packets.begin(peer.ID, s.limit(peer), s.cfg.MaxInFlight); a != admitted {
		_, message := a.refusal()
		s.refuse(w, peer, http.StatusTooManyRequests, message)
		return
	}
	key := requestKey{peer.ID, id}
	if !s.requests.begin(key) {
		s.packets.end(peer.ID)
		s.refuse(w, peer, http.StatusBadRequest, "a packet with this Request-Id is being worked on")
		return
	}
	end := func() {
		s.requests.end(key)
		s.packets.end(peer.ID)
	}
	p, ok := s.readPrepare(w, r, peer)
	if !ok {
		end()
		return
	}
	accept(w)
	go func() {
		defer end()
		s.work(context.WithoutCancel(r.Context()), peer, id, p)
	}()
}

// accept answers, and makes sure that the answer leaves before the callback does.
func accept(w http.ResponseWriter) {
	w.Header()["Content-Length"] = []string{"0"}
	w.WriteHeader(http.StatusAccepted)
	_ = http.NewResponseController(w).Flush() // if the peer has gone, there is nobody to tell
}

// work has a packet handled and calls back. Where nobody can say what became of it there is nothing to call back with.
func (s *Server) work(ctx context.Context, peer Peer, id string, p *packet.PrepareView) {
	expires := p.ExpiresAt() // a handler may change p
	b, err := s.reply(ctx, s.cfg.Handler, peer, p)
	if err != nil {
		return
	}
	peer.Callback.deliver(s.life, id, b, min(expires.Sub(s.cfg.Now()), s.cfg.MaxHold))
}

// requests are the ones that are being worked on.
type requests struct {
	mu   sync.Mutex
	open map[requestKey]struct{}
}

// begin reports false if there is one with this key already.
func (q *requests) begin(key requestKey) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, ok := q.open[key]; ok {
		return false
	}
	if q.open == nil {
		q.open = make(map[requestKey]struct{})
	}
	q.open[key] = struct{}{}
	return true
}

func (q *requests) end(key requestKey) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, key)
}
