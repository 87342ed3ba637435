package ilphttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"pochi/ilp/packet"
)

// ServeHTTP answers one request at /ilp:
//
//	200  the packet's Fulfill or Reject; also the server's own Reject: R00 if the packet had expired when it came, T05 if the
//	     peer has too many in flight, T03 if all peers together have, T00 if the server is stopping
//	202  the reply will be sent to the peer's callback
//	400  the body is no Prepare, or a header of asynchronous mode isn't as it must be; says why
//	401  no token, or one that nobody has; says nothing
//	404  another path
//	405  another method than POST
//	408  the body came too slowly
//	413  the body is longer than MaxRequestBody
//	415  another Content-Type than a packet's, or a Content-Encoding
//	429  as T05, T03 and T00 above, to a packet in asynchronous mode
//	500  nobody can say what became of the packet
//
// and at /ilp/callback, if there is a Pending, as above but for
//
//	200  the reply is taken
//	400  no packet that was sent to this peer waits under the Request-Id, or the body is no reply, and the packet waits on
//	413  the body is longer than MaxResponseBody
//	503  the body came too slowly, or too many callbacks come at once: the peer sends it again
//
// and below AgreementPath, if there are Agreements, as serveAgreement says.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	callback := s.cfg.Pending != nil && r.URL.Path == CallbackPath
	agreement, ofApp := s.agreementOf(r.URL.Path)
	if r.URL.Path != Path && !callback && !ofApp {
		s.refusals.stranger(r, http.StatusNotFound)
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		s.refusals.stranger(r, http.StatusMethodNotAllowed)
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "packets are sent with POST", http.StatusMethodNotAllowed)
		return
	}
	if ofApp {
		s.serveAgreement(w, r, agreement)
		return
	}
	peer, ok := s.authenticate(r)
	if !ok {
		s.refuseStranger(w, r, http.StatusUnauthorized)
		return
	}
	vouch(w, r)
	if !s.isPacket(w, r, peer) {
		return
	}
	switch {
	case callback:
		s.serveCallback(w, r, peer)
	case isAsync(r.Header, peer):
		s.serveAsync(w, r, peer)
	default:
		s.servePeer(w, r, peer)
	}
}

// refuseStranger tells somebody whom the server doesn't know nothing but a status, and ends the connection: strangers keep nothing
// open.
func (s *Server) refuseStranger(w http.ResponseWriter, r *http.Request, status int) {
	s.refusals.stranger(r, status)
	h := w.Header()
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	h.Set("Connection", "close")
	w.WriteHeader(status)
}

// isPacket reports whether the body is said to be a packet. If not, the request has been answered.
func (s *Server) isPacket(w http.ResponseWriter, r *http.Request, peer Peer) bool {
	if isPacket(r.Header.Get("Content-Type")) && r.Header.Get("Content-Encoding") == "" {
		return true
	}
	w.Header().Set("Accept", ContentType+", "+ContentTypeOld)
	s.refuse(w, peer, http.StatusUnsupportedMediaType, "a packet is sent as "+ContentType+", without Content-Encoding")
	return false
}

// refuse tells a peer what is wrong with its request, and an operator that something is.
func (s *Server) refuse(w http.ResponseWriter, peer Peer, status int, reason string) {
	s.refusals.peer(peer.Name, status, reason)
	http.Error(w, reason, status)
}

func (s *Server) authenticate(r *http.Request) (Peer, bool) {
	token, ok := bearer(r.Header)
	if !ok {
		return Peer{}, false
	}
	return s.cfg.Peers.PeerByToken(HashToken(token))
}

// servePeer reads the packet and answers it, if the peer may have one more in flight.
func (s *Server) servePeer(w http.ResponseWriter, r *http.Request, peer Peer) {
	if a := s.packets.begin(peer.ID, s.limit(peer), s.cfg.MaxInFlight); a != admitted {
		write(w, s.reject(a.refusal()))
		return
	}
	defer s.packets.end(peer.ID)
	if p, ok := s.readPrepare(w, r, peer); ok {
		s.answer(w, r, s.cfg.Handler, peer, p)
	}
}

// limit is how many packets of a peer are worked on at once.
func (s *Server) limit(peer Peer) int { return or(peer.MaxInFlight, s.cfg.MaxInFlightPeer) }

// readPrepare returns the packet. If there is none, the request has been answered.
func (s *Server) readPrepare(w http.ResponseWriter, r *http.Request, peer Peer) (p *packet.PrepareView, ok bool) {
	body, status, reason := readBody(w, r, MaxRequestBody, "a packet is at most 33857 bytes long")
	if status != 0 {
		s.refuse(w, peer, status, reason)
		return nil, false
	}
	view, err := packet.ViewPrepare(body)
	if err != nil {
		s.refuse(w, peer, http.StatusBadRequest, defect(body, err))
		return nil, false
	}
	return &view, true
}

// readBody returns the body, or the status and the reason to answer with.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, tooLong string) (body []byte, status int, reason string) {
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // not to read the rest
		return nil, http.StatusRequestEntityTooLarge, tooLong
	}
	var err error
	if r.ContentLength >= 0 {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, http.StatusRequestEntityTooLarge, tooLong
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, http.StatusRequestTimeout, "the packet came too slowly"
	case err != nil:
		return nil, http.StatusBadRequest, "the body ended early"
	}
	return body, 0, ""
}

// answer answers with what became of the packet. If nobody can say that, it can't be a Reject, which would say that no money
// moved, so the peer gets no ILP answer; a status, unlike a connection that breaks, is nothing that an HTTP client tries again.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, h Handler, peer Peer, p *packet.PrepareView) {
	b, err := s.reply(context.WithoutCancel(r.Context()), h, peer, p)
	if err != nil {
		http.Error(w, "nobody can say what became of this packet", http.StatusInternalServerError)
		return
	}
	write(w, b)
}

// reply has the packet handled within its time, in which the peer's connection plays no part, and returns the encoded answer. An
// error, which has been logged, says that there is none.
func (s *Server) reply(ctx context.Context, h Handler, peer Peer, p *packet.PrepareView) ([]byte, error) {
	left := min(p.ExpiresAt().Sub(s.cfg.Now()), s.cfg.MaxHold)
	if left <= 0 {
		return s.reject(packet.TimedOut, "The packet expired on its way. Allow more time, or check that both clocks are right."), nil
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	b, err := s.handle(ctx, h, peer, p)
	if err != nil {
		s.lines.write(ctx, slog.LevelError, kind{"a peer's packet gets no answer", peer.Name, ""}, slog.Uint64("amount", p.Amount()),
			slog.String("expires", p.ExpiresAt().Format(time.RFC3339Nano)), slog.Any("error", err))
	}
	return b, err
}

// handle returns the encoded answer. A handler that panics has given none.
func (s *Server) handle(ctx context.Context, h Handler, peer Peer, p *packet.PrepareView) (b []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	reply, err := h.HandlePacket(ctx, peer, p)
	if err != nil {
		return nil, err
	}
	return reply.Append(make([]byte, 0, 512))
}

// reject returns a Reject of the server's own.
func (s *Server) reject(code packet.Code, message string) []byte {
	b, err := packet.NewReject(code, s.cfg.Address, message).Append(nil)
	if err != nil { // the server's own rejects are short
		panic(err)
	}
	return b
}

func write(w http.ResponseWriter, b []byte) {
	h := w.Header()
	h["Content-Type"] = octetStream
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	_, _ = w.Write(b) // if the peer has gone, there is nobody to tell
}

var octetStream = []string{ContentType}
