package ilphttp

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// maxURL is the longest endpoint URL, in bytes.
const maxURL = 2048

// ParseURL reads a peer's endpoint: an absolute https URL without user name and fragment. With allowLoopback, for development
// and tests, it may also be http to localhost, 127.0.0.0/8 or ::1. Which addresses a name leads to is not decided here but when
// dialling.
func ParseURL(raw string, allowLoopback bool) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, errors.New("ilphttp: the URL is too long")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("ilphttp: that is no URL") // url.Error repeats the URL, with what may be a password in it
	case u.User != nil:
		return nil, errors.New("ilphttp: the URL has a user name; the token is given apart")
	case u.Hostname() == "":
		return nil, errors.New("ilphttp: the URL has no host")
	case strings.Contains(raw, "#"):
		return nil, errors.New("ilphttp: the URL has a fragment")
	case u.Scheme == "https", u.Scheme == "http" && allowLoopback && isLoopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("ilphttp: the URL is not https")
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
