package pointer

import (
	"net/netip"
	"strconv"
	"strings"
)

// origin checks scheme and host, and says how the host is reached.
func (p Parser) origin(scheme, host string) (string, string, error) {
	if strings.ContainsRune(host, '@') {
		return "", "", ErrUser
	}
	if p.AllowLoopback {
		name, port, err := splitPort(host)
		if err != nil {
			return "", "", err
		}
		if loopback(name) {
			return "http", name + port, nil
		}
	}
	switch {
	case host == "":
		return "", "", ErrNoHost
	case strings.HasPrefix(host, "["):
		return "", "", ErrHost
	case strings.ContainsRune(host, ':'):
		return "", "", ErrPort
	case !validHost(host):
		return "", "", ErrHost
	case scheme == "http":
		return "", "", ErrPlainHTTP
	}
	return scheme, host, nil
}

func loopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "[::1]"
}

// splitPort splits a host from its port, which keeps its colon and may be missing.
func splitPort(host string) (name, port string, err error) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.HasSuffix(host, "]") {
		return host, "", nil
	}
	name, port = host[:i], host[i:]
	n, err := strconv.ParseUint(port[1:], 10, 16)
	if err != nil || n == 0 || port[1] == '0' || port[1] == '+' {
		return "", "", ErrPort
	}
	return name, port, nil
}

// validHost reports whether host is a DNS name (RFC 1123) or a dotted IPv4 address. A name whose last label is a number
// is an address in disguise to some resolvers, so it must really be one.
func validHost(host string) bool {
	if len(host) > 253 {
		return false
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !validLabel(label) {
			return false
		}
	}
	if last := labels[len(labels)-1]; '0' <= last[0] && last[0] <= '9' {
		addr, err := netip.ParseAddr(host)
		return err == nil && addr.Is4()
	}
	return true
}

func validLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		c := label[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}
