package ilphttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"pochi/ilp/address"
)

// ClientConfig is what a Client is built from.
type ClientConfig struct {
	// Address is the node's own: the rejects that it makes for a peer that can't answer are triggered by it. Required, as are
	// DialContext and Log.
	Address address.Address
	// DialContext opens connections, and refuses addresses that this node doesn't call.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	Log         *slog.Logger
	// TLS is for tests with certificates of their own; nil is the system's authorities and at least TLS 1.2.
	TLS *tls.Config
	// AllowLoopback opens http on this machine's own addresses: for development and tests.
	AllowLoopback bool
	// Margin is how long before a packet's expiry the client stops waiting. Zero is right if the packet already expires
	// earlier than the one that it forwards: then every answer that comes in time counts.
	Margin time.Duration
	// CallbackURL is where the node's Server takes callbacks, as peers reach it: read with ParseURL. It and Pending, which is
	// the Server's too, are for asynchronous mode; without it both are left out.
	CallbackURL string
	Pending     *Pending
	// Now is the clock: time.Now when nil.
	Now func() time.Time
}

const (
	// idleMax is how long a connection is kept unused. Node.js closes after 5 s: a packet sent while a peer closes has an
	// unknown outcome, so we close first.
	idleMax = 3 * time.Second
	// pingAfter and pingTimeout find out that an HTTP/2 connection is dead.
	pingAfter, pingTimeout = 5 * time.Second, 5 * time.Second
	handshakeTimeout       = 5 * time.Second
	maxResponseHeader      = 16 << 10
	// idlePerPeer is how many connections to one peer are kept: as many as can be in use.
	idlePerPeer        = defaultMaxInFlight
	defaultMaxOutgoing = 512
)

// Client holds the connections to all peers. It is safe for concurrent use; make one and share it.
type Client struct {
	cfg       ClientConfig
	transport *http.Transport
	lines     *seldom
}

// NewClient returns a Client. It fails if something required is missing.
func NewClient(cfg ClientConfig) (*Client, error) {
	if err := cfg.Address.Validate(); err != nil {
		return nil, err
	}
	if cfg.DialContext == nil || cfg.Log == nil {
		return nil, errors.New("ilphttp: DialContext and Log are required")
	}
	if (cfg.CallbackURL == "") != (cfg.Pending == nil) {
		return nil, errors.New("ilphttp: CallbackURL and Pending go together")
	}
	if cfg.CallbackURL != "" {
		if _, err := ParseURL(cfg.CallbackURL, cfg.AllowLoopback); err != nil {
			return nil, fmt.Errorf("the callback: %w", err)
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.TLS == nil {
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &Client{cfg: cfg, lines: &seldom{log: cfg.Log, now: cfg.Now}, transport: &http.Transport{
		Proxy:                  nil, // never from the environment: a proxy would dial for us
		DialContext:            dialing(cfg.DialContext),
		TLSClientConfig:        cfg.TLS,
		TLSHandshakeTimeout:    handshakeTimeout,
		Protocols:              protocols,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxResponseHeader,
		MaxIdleConnsPerHost:    idlePerPeer,
		IdleConnTimeout:        idleMax,
	}}, nil
}

// CloseIdleConnections closes the connections that no packet uses.
func (c *Client) CloseIdleConnections() { c.transport.CloseIdleConnections() }

// EndpointConfig is where a peer takes packets.
type EndpointConfig struct {
	// Name is for logs.
	Name string
	// URL is read with ParseURL.
	URL string
	// Token is what the peer knows this node by; see ValidToken.
	Token string
	// MaxInFlight is how many packets are sent to it at once: 512 when zero. More are rejected with T03. On HTTP/1.1 each has
	// a connection of its own. In asynchronous mode a packet counts until its reply has come.
	MaxInFlight int
	// Async makes it ask for replies in callbacks: the Client needs CallbackURL and Pending for that. Peer is who sends them:
	// the Peer.ID that the Server knows the peer by.
	Async bool
	Peer  [16]byte
}

// Endpoint sends packets to one peer. It is a connector.Link, and safe for concurrent use. When something about the peer changes,
// make another: connections belong to the Client and stay.
type Endpoint struct {
	client        *Client
	name          string
	url           *url.URL
	authorization []string
	max           int64
	inFlight      atomic.Int64
	circuit       circuit
	async         bool
	peer          [16]byte
}

// Endpoint returns the endpoint of a peer. It fails if URL or Token can't be used; the error says why, without the token. It is
// ErrNoCallbacks, wrapped, if the endpoint is to be asynchronous and the Client isn't.
func (c *Client) Endpoint(cfg EndpointConfig) (*Endpoint, error) {
	u, authorization, err := c.target(cfg.Name, cfg.URL, cfg.Token)
	if err != nil {
		return nil, err
	}
	if cfg.Async {
		if err := c.checkAsync(cfg); err != nil {
			return nil, err
		}
	}
	return &Endpoint{
		client: c, name: cfg.Name, url: u,
		authorization: authorization,
		max:           int64(or(cfg.MaxInFlight, defaultMaxOutgoing)),
		async:         cfg.Async,
		peer:          cfg.Peer,
		circuit:       circuit{made: time.Now()},
	}, nil
}

// target reads where to call, and with which Authorization.
func (c *Client) target(name, rawURL, token string) (u *url.URL, authorization []string, err error) {
	u, err = ParseURL(rawURL, c.cfg.AllowLoopback)
	if err != nil {
		return nil, nil, fmt.Errorf("peer %q: %w", name, err)
	}
	if !ValidToken(token) {
		return nil, nil, fmt.Errorf("peer %q: ilphttp: the token can't be sent in a header", name)
	}
	return u, []string{"Bearer " + token}, nil
}

// packetHeader is what every request says.
func packetHeader(authorization []string) http.Header {
	return http.Header{
		"Content-Type": octetStream, "Accept": octetStream, "Authorization": authorization, "User-Agent": userAgent,
	}
}

var userAgent = []string{"Pochi"}
