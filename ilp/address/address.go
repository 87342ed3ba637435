// Package address knows the rules of ILP addresses (RFC 15): dotted, case-sensitive names such as "test.pochi.ann",
// whose first segment is an allocation scheme.
//
// An Address is a string that has been checked, or that this node made from one that was. Comparison and routing are on
// its bytes and on whole segments: "g.ab" is not below "g.a".
package address

import "strings"

// Address is an ILP address. Parse and ParseBytes are the way to one from outside.
type Address string

// MaxLength is the longest address, in bytes.
const MaxLength = 1023

// Error says what is wrong with an address. It is a constant, so it can be compared with errors.Is.
type Error string

// Error returns the defect in words.
func (e Error) Error() string { return "ilp address: " + string(e) }

// The defects of an address.
const (
	ErrTooLong  Error = "longer than 1023 characters"
	ErrScheme   Error = "unknown allocation scheme"
	ErrSegments Error = "needs a scheme and at least one segment, none of them empty"
	ErrChar     Error = "has a character that is not a letter, digit, '_', '~' or '-'"
)

// Parse returns s as an Address, or an Error.
func Parse(s string) (Address, error) {
	if err := validate([]byte(s)); err != nil {
		return "", err
	}
	return Address(s), nil
}

// ParseBytes is Parse for bytes from the wire. A byte of 0x80 or above is ErrChar, never masked.
func ParseBytes(b []byte) (Address, error) {
	if err := validate(b); err != nil {
		return "", err
	}
	return Address(b), nil
}

// Check is ParseBytes for who needs no copy: it returns an Error if b is not an address, and allocates nothing.
func Check(b []byte) error { return validate(b) }

// Validate returns an Error if a breaks a rule: useful for an address that came as a string type, unchecked.
func (a Address) Validate() error { return validate([]byte(a)) }

// validate looks at each byte once, four at a time and without a branch, since every packet that is decoded waits for it.
func validate(s []byte) error {
	if len(s) > MaxLength {
		return ErrTooLong
	}
	var seen, empty uint8 // the classes of all bytes; dot if a segment is empty
	previous := dot       // as if one stood in front
	rest := s
	for ; len(rest) >= 4; rest = rest[4:] {
		a, b, c, d := classes[rest[0]], classes[rest[1]], classes[rest[2]], classes[rest[3]]
		seen |= a | b | c | d
		empty |= previous&a | a&b | b&c | c&d
		previous = d
	}
	for _, c := range rest {
		class := classes[c]
		seen |= class
		empty |= previous & class
		previous = class
	}
	switch {
	case seen&other != 0:
		return ErrChar
	case seen != dot || empty != 0 || previous == dot:
		return ErrSegments
	case !scheme(s):
		return ErrScheme
	}
	return nil
}

// The classes of bytes. That of letters, digits, '_', '~' and '-', of which segments are made, is 0.
const (
	dot   uint8 = 1
	other uint8 = 2
)

// classes has each byte's class.
var classes = func() (table [256]uint8) {
	for i := range table {
		c := byte(i)
		switch {
		case c == '.':
			table[i] = dot
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '~', c == '-':
		default:
			table[i] = other
		}
	}
	return table
}()

// scheme reports whether s begins with an allocation scheme and a dot.
func scheme(s []byte) bool {
	for i, c := range s[:min(len(s), len("private."))] {
		if c == '.' {
			switch string(s[:i]) {
			case "g", "private", "example", "peer", "self", "test", "test1", "test2", "test3", "local":
				return true
			}
			return false
		}
	}
	return false
}

// Scheme returns the first segment.
func (a Address) Scheme() string {
	first, _, _ := strings.Cut(string(a), ".")
	return first
}

// HasPrefix reports whether a is p or lies below it, segment by segment. A prefix may be a bare scheme such as "test";
// every address has the empty prefix.
func (a Address) HasPrefix(p Address) bool {
	if !strings.HasPrefix(string(a), string(p)) {
		return false
	}
	return p == "" || len(a) == len(p) || a[len(p)] == '.'
}

// Append returns the address with segments added below a, or an Error if the result is not an address.
func (a Address) Append(segments ...string) (Address, error) {
	for _, segment := range segments {
		a += Address("." + segment)
	}
	return Parse(string(a))
}

// Below returns the first segment of a below prefix, and false if a is not below it. Segments after it don't matter.
func (a Address) Below(prefix Address) (segment string, ok bool) {
	if !a.HasPrefix(prefix) || len(a) <= len(prefix)+1 {
		return "", false
	}
	segment, _, _ = strings.Cut(string(a[len(prefix)+1:]), ".")
	return segment, true
}

// Live reports whether a belongs to the network where money is real.
func (a Address) Live() bool { return a.Scheme() == "g" }

// Test reports whether a belongs to a test network. A node serves live or test addresses, never both (RFC 34).
func (a Address) Test() bool { return strings.HasPrefix(a.Scheme(), "test") }
