package ilphttp

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"pochi/ilp/address"
	"pochi/ilp/packet"
)

// Handler does the work of a packet.
type Handler interface {
	// HandlePacket returns the answer to a peer's packet. An error says that there is none because nobody can say whether
	// money moved. ctx ends when the packet expires, or after the server's MaxHold, but not when the peer hangs up: a Fulfill
	// is sent however late it comes. p belongs to the handler.
	HandlePacket(ctx context.Context, from Peer, p *packet.PrepareView) (packet.Reply, error)
}

// ServerConfig is what a Server is built from. Zero numbers and times get the default that is named.
type ServerConfig struct {
	// Address is the node's own: the server's own rejects are triggered by it. Required, as are the next three.
	Address address.Address
	Peers   Peers
	Handler Handler
	Log     *slog.Logger
	// TLS, with a certificate, makes Serve speak TLS, and HTTP/2 to those who offer it. Without it Serve speaks HTTP/1.1, for a
	// proxy in front.
	TLS *tls.Config
	// MaxHold is how long a packet is worked on at most, whatever its expiry says: 30 s.
	MaxHold time.Duration
	// MaxInFlight is how many packets of all peers are worked on at once: 2,048. More are rejected with T03, but for the first of
	// each peer: a thirty-second of it, 64, that no other peer can take away.
	MaxInFlight int
	// MaxInFlightPeer is how many there are of one peer that has no number of its own: 512. More are rejected with T05.
	MaxInFlightPeer int
	// MaxConnections is how many there are at once: 4,096. For more, those on which no peer has sent a request yet are closed,
	// the oldest first; if there are none, more wait until one ends.
	MaxConnections int
	// MaxConnectionsAddress is how many one address has, or one /64 of IPv6: an eighth of MaxConnections. For more, the address's
	// own are closed in the same way; if there are none, more are closed after one request. It isn't for loopback and Proxies.
	MaxConnectionsAddress int
	Proxies               []netip.Prefix
	// ReadTimeout is how long a request may take to arrive: 10 s. Half of it is for the header, an eighth while more than half of
	// MaxConnections are taken and others come.
	ReadTimeout time.Duration
	// Agreements, if there are any, let apps send packets below AgreementPath.
	Agreements Agreements
	// MaxInFlightAgreement is how many packets of one agreement are worked on at once: 64. More are rejected with T05.
	MaxInFlightAgreement int
	// MaxInFlightAgreements is how many there are of all agreements: half of MaxInFlight, which doesn't count them. More are
	// rejected with T03. So however many apps there are, they take nothing from peers.
	MaxInFlightAgreements int
	// Pending are the packets that the node's Client waits for in asynchronous mode: with it, the server takes callbacks at
	// CallbackPath.
	Pending *Pending
	// Now is the clock: time.Now.
	Now func() time.Time
}

const (
	defaultMaxHold         = 30 * time.Second
	defaultMaxInFlight     = 2048
	defaultMaxInFlightPeer = 512

	defaultMaxInFlightAgreement = 64
	defaultMaxConnections       = 4096
	defaultReadTimeout          = 10 * time.Second

	// addressShare is the part of all connections that one address may have, and peerShare that of all packets which is each
	// peer's own.
	addressShare, peerShare = 8, 32

	// writeTimeout is what is left for the answer after the longest packet.
	writeTimeout = 10 * time.Second
	// idleTimeout is longer than that of any client, so that it is the client who closes, and no packet is sent into a
	// connection that is being closed.
	idleTimeout = 2 * time.Minute
	maxHeader   = 8 << 10
)

// Server takes packets from peers at POST /ilp, replies of asynchronous peers at POST /ilp/callback, and packets of apps at POST
// /ilp/agreements/{id}. It is an http.Handler, which Serve serves with the limits that a listener to the world needs; tests and
// other servers may use the handler alone.
type Server struct {
	cfg       ServerConfig
	http      *http.Server
	packets   inFlight // of peers
	callbacks inFlight // that are being read
	apps      inFlight // packets under agreements
	requests  requests // in asynchronous mode
	refusals  refusals
	lines     seldom
	life      context.Context
	giveUp    context.CancelFunc // on replies that no peer takes
}

// NewServer returns a Server that listens to nobody yet. It fails if something required is missing.
func NewServer(cfg ServerConfig) (*Server, error) {
	if err := cfg.Address.Validate(); err != nil {
		return nil, err
	}
	if cfg.Peers == nil || cfg.Handler == nil || cfg.Log == nil {
		return nil, errors.New("ilphttp: Peers, Handler and Log are required")
	}
	cfg.MaxHold = or(cfg.MaxHold, defaultMaxHold)
	cfg.MaxInFlight = or(cfg.MaxInFlight, defaultMaxInFlight)
	cfg.MaxInFlightPeer = or(cfg.MaxInFlightPeer, defaultMaxInFlightPeer)
	cfg.MaxInFlightAgreement = or(cfg.MaxInFlightAgreement, defaultMaxInFlightAgreement)
	cfg.MaxInFlightAgreements = or(cfg.MaxInFlightAgreements, max(1, cfg.MaxInFlight/2))
	cfg.MaxConnections = or(cfg.MaxConnections, defaultMaxConnections)
	cfg.MaxConnectionsAddress = or(cfg.MaxConnectionsAddress, max(1, cfg.MaxConnections/addressShare))
	cfg.ReadTimeout = or(cfg.ReadTimeout, defaultReadTimeout)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{cfg: cfg, refusals: refusals{log: cfg.Log}, lines: seldom{log: cfg.Log, now: cfg.Now}}
	s.packets.share, s.callbacks.share = cfg.MaxInFlight/peerShare, cfg.MaxInFlight/peerShare
	s.life, s.giveUp = context.WithCancel(context.Background())
	s.http = &http.Server{
		Handler:           s,
		TLSConfig:         cfg.TLS,
		ReadHeaderTimeout: cfg.ReadTimeout / 2,
		ReadTimeout:       cfg.ReadTimeout,
		WriteTimeout:      cfg.ReadTimeout + cfg.MaxHold + writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       withConn,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: cfg.MaxInFlightPeer},
	}
	return s, nil
}

func or[T int | time.Duration](v, fallback T) T {
	if v > 0 {
		return v
	}
	return fallback
}

// Serve serves l until Shutdown, and closes it. It returns nil after Shutdown.
func (s *Server) Serve(l net.Listener) error {
	l = newGate(l, s.cfg, s.refusals.madeWay)
	serve := s.http.Serve
	if s.cfg.TLS != nil {
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Refuse takes no new packets from now on, as Shutdown does. Callbacks are still taken, so what the node itself has sent in
// asynchronous mode can end before Shutdown is called.
func (s *Server) Refuse() {
	s.packets.close()
	s.apps.close()
}

// Shutdown stops listening and returns when every packet that was being worked on is answered, whether or not its sender still
// listens, or when ctx ends: then with the context's error, and replies that no peer has taken so far are given up.
//
// With Pending it first listens on, for the callbacks without which those packets have no answer, and only takes no new packets.
// What else the node sends in asynchronous mode has to be finished before Shutdown is called; see Refuse.
func (s *Server) Shutdown(ctx context.Context) error {
	if s.cfg.Pending != nil {
		s.Refuse()
		_ = s.ended(ctx) // what follows sees that ctx has ended
	}
	err := s.http.Shutdown(ctx)
	if err == nil {
		err = s.ended(ctx) // on HTTP/2 and in asynchronous mode a packet outlives its connection
	}
	if err != nil {
		s.giveUp()
	}
	s.refusals.say()
	return err
}

// ended returns when every packet is answered, or with the context's error.
func (s *Server) ended(ctx context.Context) error {
	return errors.Join(s.packets.wait(ctx), s.apps.wait(ctx))
}
