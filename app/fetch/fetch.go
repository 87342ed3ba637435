// Package fetch makes the one HTTP client for addresses that people or other
// wallets name. It promises that such an address can't reach into the network
// that this program runs in, and that the other side can't keep it busy: only
// https on port 443, only public addresses (checked when dialling, after the
// name was resolved), redirects within the same host, small and quick answers,
// no proxy, no cookies.
//
// Every error of the client is one of three: ErrNotAllowed, ErrNoAnswer or
// ErrTooLarge; or the context's, when the caller gave up.
package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	bodyMax            = 64 << 10 // bytes, after decompression
	headerMax          = 16 << 10 // bytes
	redirectsMax       = 3
	connectionsPerHost = 8
	idleMax            = 16
	idleTime           = 30 * time.Second
	defaultTimeout     = 5 * time.Second
)

// What can go wrong. The wrapped text is for the log.
var (
	// ErrNotAllowed: the address, or what it redirects to, is one that we don't
	// call. Nothing was sent there.
	ErrNotAllowed = errors.New("this address isn't allowed")
	// ErrNoAnswer: no such name, no connection, a broken answer, or none in time.
	ErrNoAnswer = errors.New("the other side didn't answer")
	// ErrTooLarge: the answer's body is larger than 64 KiB.
	ErrTooLarge = errors.New("the answer is too large")
)

// Options say what the client may do beyond the rules.
type Options struct {
	// AllowLoopback opens http, and any port, on this machine's own addresses:
	// for development and tests.
	AllowLoopback bool
	// Timeout bounds a request with its redirects until the body is read:
	// 5 seconds when zero.
	Timeout time.Duration
}

// New returns a guarded client. It is safe for concurrent use; make one and
// share it.
func New(opts Options) *http.Client {
	timeout := opts.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	return &http.Client{
		Transport: &guard{
			allowLoopback: opts.AllowLoopback,
			timeout:       timeout,
			plain:         transport(dialRule{loopbackOnly: true}, timeout),
			secure:        transport(dialRule{allowLoopback: opts.AllowLoopback}, timeout),
		},
		CheckRedirect: checkRedirect,
	}
}

func transport(rule dialRule, timeout time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: timeout, Control: rule.check}
	return &http.Transport{
		Proxy:                  nil, // never from the environment: a proxy would dial for us, unguarded
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		MaxResponseHeaderBytes: headerMax,
		MaxConnsPerHost:        connectionsPerHost,
		MaxIdleConns:           idleMax,
		IdleConnTimeout:        idleTime,
	}
}

// guard is the client's RoundTripper: it checks what the URL says, bounds time
// and body, and gives errors their kind.
type guard struct {
	allowLoopback bool
	timeout       time.Duration
	plain, secure *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	base, err := g.transportFor(req)
	if err != nil {
		if req.Body != nil {
			err = errors.Join(err, req.Body.Close())
		}
		return nil, err
	}
	ctx, cancel := context.WithDeadline(req.Context(), g.deadline(req))
	resp, err := base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, kind(req.Context(), err)
	}
	if resp.ContentLength > bodyMax && req.Method != http.MethodHead {
		err := errors.Join(ErrTooLarge, resp.Body.Close())
		cancel()
		return nil, fmt.Errorf("%s announces %d bytes: %w", req.URL.Host, resp.ContentLength, err)
	}
	resp.Body = &body{from: resp.Body, left: bodyMax, ctx: req.Context(), cancel: cancel}
	return resp, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach both
// transports.
func (g *guard) CloseIdleConnections() {
	g.plain.CloseIdleConnections()
	g.secure.CloseIdleConnections()
}

func (g *guard) transportFor(req *http.Request) (*http.Transport, error) {
	switch {
	case req.URL.Hostname() == "":
		return nil, fmt.Errorf("%w: it has no host", ErrNotAllowed)
	case req.URL.User != nil:
		return nil, fmt.Errorf("%w: it carries a user name", ErrNotAllowed)
	case req.URL.Scheme == "https":
		return g.secure, nil
	case req.URL.Scheme == "http" && g.allowLoopback:
		return g.plain, nil
	default:
		return nil, fmt.Errorf("%w: scheme %q", ErrNotAllowed, req.URL.Scheme)
	}
}

// deadline is the first request's for all that its redirects lead to:
// http.Client puts the redirecting response into the next request.
func (g *guard) deadline(req *http.Request) time.Time {
	if req.Response != nil && req.Response.Request != nil {
		if at, ok := req.Response.Request.Context().Deadline(); ok {
			return at
		}
	}
	return time.Now().Add(g.timeout)
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	if first := via[0].URL; site(req.URL) != site(first) {
		return fmt.Errorf("%w: it redirects from %s to %s", ErrNotAllowed, site(first), site(req.URL))
	}
	if len(via) > redirectsMax {
		return fmt.Errorf("%w: it redirects more than %d times", ErrNoAnswer, redirectsMax)
	}
	return nil
}

// site returns scheme, host and port, the port left out where it is the
// scheme's own.
func site(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// kind gives an error of the transport its kind. caller is the caller's own
// context, which knows nothing of our deadline.
func kind(caller context.Context, err error) error {
	switch {
	case errors.Is(err, ErrNotAllowed), errors.Is(err, ErrTooLarge):
		return err
	case errors.Is(caller.Err(), context.Canceled):
		return err
	default:
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
}
