package ilphttp

import (
	"net/http"

	"pochi/ilp/packet"
)

// serveCallback takes the reply to a packet that was sent to this very peer: the first that is a packet. Until one has come, a
// callback that isn't one changes nothing. How many are read at once is limited as packets are; a peer repeats what gets a 503.
func (s *Server) serveCallback(w http.ResponseWriter, r *http.Request, peer Peer) {
	const unknown = "no packet with this Request-Id waits for your reply"
	id, ok := requestID(r.Header)
	if !ok {
		s.refuse(w, peer, http.StatusBadRequest, badRequestID)
		return
	}
	if s.callbacks.begin(peer.ID, s.limit(peer), s.cfg.MaxInFlight) != admitted {
		s.refuse(w, peer, http.StatusServiceUnavailable, "too many callbacks at once; try again")
		return
	}
	defer s.callbacks.end(peer.ID)
	if !s.cfg.Pending.has(peer.ID, id) {
		s.refuse(w, peer, http.StatusBadRequest, unknown)
		return
	}
	body, status, reason := readBody(w, r, MaxResponseBody, "a reply is at most 41997 bytes long")
	if status == http.StatusRequestTimeout {
		status = http.StatusServiceUnavailable // a peer repeats only what gets a status of 5xx
	}
	if status != 0 {
		s.refuse(w, peer, status, reason)
		return
	}
	reply, err := packet.ViewReply(body)
	if err != nil {
		s.refuse(w, peer, http.StatusBadRequest, defect(body, err))
		return
	}
	if !s.cfg.Pending.answer(peer.ID, id, &reply) {
		s.refuse(w, peer, http.StatusBadRequest, unknown)
	}
}
