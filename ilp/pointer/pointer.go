// Package pointer reads payment pointers (RFC 26): "$wallet.example/ann" and "https://wallet.example/ann" are two ways
// to write the same one. It is stricter than a URL parser, on purpose: what looks like one wallet must never lead to another.
package pointer

import "strings"

// wellKnown is where a pointer without a path leads.
const wellKnown = "/.well-known/pay"

// Pointer is a payment pointer that a Parser accepted. Two pointers are the same if and only if they are ==.
type Pointer struct {
	scheme string // "https", or "http" for a loopback host
	host   string // lower case, with the port if it has one
	path   string // begins with "/"
}

// Parser reads payment pointers. The zero Parser is the one for real money.
type Parser struct {
	// AllowLoopback is for development: localhost, 127.0.0.1 and [::1] may then carry a port, may be written with http://,
	// and are reached over plain http however they are written.
	AllowLoopback bool
}

// Parse reads a pointer as RFC 26 writes it, with the zero Parser.
func Parse(s string) (Pointer, error) { return Parser{}.Parse(s) }

// Parse reads a pointer. What it refuses, it refuses with an Error: one plain sentence for the person who typed it.
func (p Parser) Parse(s string) (Pointer, error) {
	if s == "" {
		return Pointer{}, ErrEmpty
	}
	if len(s) > maxLength {
		return Pointer{}, ErrTooLong
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return Pointer{}, ErrCharacters
		}
	}
	scheme, rest, err := cutScheme(s)
	if err != nil {
		return Pointer{}, err
	}
	if strings.ContainsRune(rest, '?') {
		return Pointer{}, ErrQuery
	}
	if strings.ContainsRune(rest, '#') {
		return Pointer{}, ErrFragment
	}
	host, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	scheme, host, err = p.origin(scheme, strings.ToLower(host))
	if err != nil {
		return Pointer{}, err
	}
	path, err = cleanPath(path)
	if err != nil {
		return Pointer{}, err
	}
	return Pointer{scheme, host, path}, nil
}

// cutScheme takes "$", "https://" or "http://" off.
func cutScheme(s string) (scheme, rest string, err error) {
	if rest, ok := strings.CutPrefix(s, "$"); ok {
		if hasScheme(rest) {
			return "", "", ErrTwoForms
		}
		return "https", rest, nil
	}
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "https" && scheme != "http" {
		return "", "", ErrForm
	}
	return scheme, rest, nil
}

func hasScheme(s string) bool {
	s = strings.ToLower(s)
	return strings.HasPrefix(s, "https:") || strings.HasPrefix(s, "http:")
}

// URL returns where the pointer is resolved, such as "https://wallet.example/ann".
func (p Pointer) URL() string { return p.scheme + "://" + p.host + p.path }

// String returns the form that people write, such as "$wallet.example/ann".
func (p Pointer) String() string {
	if p.path == wellKnown {
		return "$" + p.host
	}
	return "$" + p.host + p.path
}

// Host returns the host in lower case, with its port if it has one.
func (p Pointer) Host() string { return p.host }

// Path returns the path of the URL: "/.well-known/pay" for a pointer that has only a host.
func (p Pointer) Path() string { return p.path }

// IsZero reports whether p is the zero Pointer, which leads nowhere.
func (p Pointer) IsZero() bool { return p == Pointer{} }
