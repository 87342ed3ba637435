package ilphttp

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"pochi/ilp/packet"
)

// Agreements lets apps spend the money of people who agreed to that, packet by packet. What an app shows is an access token, which
// somebody else gave it.
type Agreements interface {
	// Admit returns nil if a token lets its bearer, who is at address from, send a packet under an agreement now. Otherwise it
	// returns ErrToken, ErrNoAgreement, ErrNotAllowed, ErrTooFast or a *TooOftenError; any other error says that nobody can tell, and is the
	// only one that is logged. It is called for every packet, before the body is read.
	Admit(ctx context.Context, agreement [16]byte, token string, from netip.Addr) error
	// HandlePacket is called for what Admit has let in: from.ID is the agreement.
	Handler
}

// Error is why an app's packet isn't taken. It is a constant, so it can be compared with errors.Is.
type Error string

// Error returns the reason in words.
func (e Error) Error() string { return "ilphttp: " + string(e) }

// The reasons.
const (
	// ErrToken: this is no token, or not any more.
	ErrToken Error = "no such token"
	// ErrNoAgreement: the token is for another agreement, or this one doesn't exist.
	ErrNoAgreement Error = "no such agreement"
	// ErrNotAllowed: the token, or the agreement, isn't for packets.
	ErrNotAllowed Error = "not allowed"
	// ErrTooFast: there were too many packets of this agreement in the last moment.
	ErrTooFast Error = "too many packets"
)

// TooOftenError says that too many bad tokens came from an address.
type TooOftenError struct {
	Wait time.Duration // until another is looked at
}

// Error returns the reason in words.
func (e *TooOftenError) Error() string { return "ilphttp: too many bad tokens from one address" }

// apps is who packets under agreements come from, in the log: agreements are too many to be told apart there.
const apps = "apps"

// tokenPause is how long, in seconds, an app should wait when nobody can tell what its token is.
const tokenPause = "10"

// agreementOf returns the id of the agreement that a path names.
func (s *Server) agreementOf(path string) (id [16]byte, ok bool) {
	text, below := strings.CutPrefix(path, AgreementPath)
	if !below || s.cfg.Agreements == nil || len(text) != 36 {
		return id, false
	}
	for _, dash := range []int{8, 13, 18, 23} {
		if text[dash] != '-' {
			return id, false
		}
	}
	n, err := hex.Decode(id[:], []byte(strings.ReplaceAll(text, "-", "")))
	return id, err == nil && n == len(id) && text == strings.ToLower(text)
}

// serveAgreement answers a packet of an app:
//
//	200  the packet's Fulfill or Reject; also the server's own Reject: R00 if the packet had expired when it came, T05 if the
//	     agreement has too many in flight or sent too many in a moment, T03 if all agreements together have too many in flight,
//	     T00 if the server is stopping
//	400  the body is no Prepare; says why
//	401  no token, or none that is valid; says nothing
//	403  the token, or the agreement, isn't for packets; says nothing
//	404  the token isn't for this agreement, or there is no such path
//	408  the body came too slowly
//	413  the body is longer than MaxRequestBody
//	415  another Content-Type than a packet's, or a Content-Encoding
//	429  too many bad tokens came from this address; Retry-After says when to come again
//	500  nobody can say what became of the packet
//	503  nobody can say whether the token is valid; nothing was done
//
// It is always in synchronous mode.
func (s *Server) serveAgreement(w http.ResponseWriter, r *http.Request, agreement [16]byte) {
	token, ok := bearer(r.Header)
	if !ok {
		s.refuseStranger(w, r, http.StatusUnauthorized)
		return
	}
	err := s.cfg.Agreements.Admit(r.Context(), agreement, token, s.addressOf(r))
	if err != nil && !errors.Is(err, ErrTooFast) {
		s.refuseApp(w, r, err)
		return
	}
	vouch(w, r)
	from := Peer{ID: agreement, Name: apps}
	if !s.isPacket(w, r, from) {
		return
	}
	if err != nil {
		write(w, s.reject(packet.RateLimited, "Too many packets in a second. Send fewer."))
		return
	}
	if a := s.apps.begin(agreement, s.cfg.MaxInFlightAgreement, s.cfg.MaxInFlightAgreements); a != admitted {
		write(w, s.reject(a.refusal()))
		return
	}
	defer s.apps.end(agreement)
	if p, ok := s.readPrepare(w, r, from); ok {
		s.answer(w, r, s.cfg.Agreements, from, p)
	}
}

// refuseApp tells an app that its token isn't taken, and not why.
func (s *Server) refuseApp(w http.ResponseWriter, r *http.Request, err error) {
	var tooOften *TooOftenError
	switch {
	case errors.Is(err, ErrToken):
		s.refuseStranger(w, r, http.StatusUnauthorized)
	case errors.Is(err, ErrNoAgreement):
		s.refuseStranger(w, r, http.StatusNotFound)
	case errors.Is(err, ErrNotAllowed):
		s.refuseStranger(w, r, http.StatusForbidden)
	case errors.As(err, &tooOften):
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(tooOften.Wait.Seconds()))))
		s.refuseStranger(w, r, http.StatusTooManyRequests)
	default:
		s.lines.write(r.Context(), slog.LevelWarn, kind{"an app's token can't be looked up", apps, ""}, slog.Any("error", err))
		w.Header().Set("Retry-After", tokenPause)
		s.refuseStranger(w, r, http.StatusServiceUnavailable)
	}
}

// addressOf returns where a request comes from: if a proxy brings it, what the proxy says in X-Real-Ip, as at the wallet's pages.
// It is invalid if that can't be told.
func (s *Server) addressOf(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	from, _ := netip.ParseAddr(host)
	from = from.Unmap().WithZone("")
	for _, proxy := range s.cfg.Proxies {
		if proxy.Contains(from) {
			from, _ = netip.ParseAddr(r.Header.Get("X-Real-Ip"))
			return from.Unmap().WithZone("")
		}
	}
	return from
}
