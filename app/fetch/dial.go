package fetch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

const dialTimeout = 5 * time.Second

// DialContext returns the client's dialer, for a client with rules of its own
// about everything else: it connects to port 443 of public addresses, and with
// allowLoopback to any port of this machine's own. Its errors wrap
// ErrNotAllowed or are the network's.
func DialContext(allowLoopback bool) func(ctx context.Context, network, addr string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: dialRule{allowLoopback: allowLoopback}.check}
	return dialer.DialContext
}

// dialRule decides on one resolved address, just before connecting to it: a
// name that resolves to something else the second time gains nothing.
type dialRule struct {
	allowLoopback bool // besides public addresses
	loopbackOnly  bool
}

// check is a net.Dialer's Control.
func (r dialRule) check(network, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotAllowed, err)
	}
	if target.Addr().Unmap().IsLoopback() && (r.allowLoopback || r.loopbackOnly) {
		return nil
	}
	if r.loopbackOnly {
		return fmt.Errorf("%w: http is for this machine only, not for %s", ErrNotAllowed, target.Addr())
	}
	if err := ssrf.New(ssrf.WithPorts(443)).Safe(network, address, nil); err != nil {
		return fmt.Errorf("%w: %w", ErrNotAllowed, err)
	}
	return nil
}

// CheckTarget says of a URL what DialContext refuses whatever its host's name
// leads to: a port, an address that isn't public. The error is half a sentence.
func CheckTarget(u *url.URL, allowLoopback bool) error {
	addr, notAddress := netip.ParseAddr(u.Hostname())
	local := strings.EqualFold(u.Hostname(), "localhost") || notAddress == nil && addr.Unmap().IsLoopback()
	switch {
	case local && allowLoopback:
		return nil
	case local || notAddress == nil && ssrf.New().SafeAddr(addr) != nil:
		return fmt.Errorf("%s is no public address, and no other is called", u.Hostname())
	case u.Port() != "" && u.Port() != "443":
		return fmt.Errorf("port %s is never called, only 443", u.Port())
	}
	return nil
}
