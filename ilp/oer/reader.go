// Package oer reads and writes the subset of Octet Encoding Rules that Interledger uses (RFC 30): fixed-size unsigned
// integers, length determinants, variable-length octet strings and variable-length unsigned integers.
//
// Reading is strict: only the canonical encoding of a length or an integer is accepted, and a length is believed only if
// that many bytes are really there, so no input can make a reader allocate or panic. Writing is canonical, by functions
// that append to a slice.
package oer

import (
	"encoding/binary"
	"math"
)

// Reader takes fields off the front of a byte slice. It never allocates: octet strings alias the slice it was made from.
//
// The first defect sticks: it is kept for Err, and every later read returns a zero value. So a decoder can read all of
// its fields and look at Err once, before it believes any of them.
type Reader struct {
	rest []byte
	err  error
}

// NewReader returns a Reader at the start of b.
func NewReader(b []byte) Reader { return Reader{rest: b} }

// Err returns the first defect found, an Error, or nil.
func (r *Reader) Err() error { return r.err }

// Rest returns the bytes that are not read yet.
func (r *Reader) Rest() []byte { return r.rest }

// Octets reads n bytes. Without n bytes left it returns nil and the defect is ErrShort.
func (r *Reader) Octets(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.rest) {
		r.fail(ErrShort)
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// Uint8 reads one byte.
func (r *Reader) Uint8() uint8 {
	if b := r.Octets(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint64 reads eight bytes, big-endian.
func (r *Reader) Uint64() uint64 {
	if b := r.Octets(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// VarOctets reads a length determinant and that many bytes.
func (r *Reader) VarOctets() []byte { return r.Octets(r.length()) }

// VarUint reads a variable-length unsigned integer. Above 2^64-1 the defect is ErrUintTooLarge.
func (r *Reader) VarUint() uint64 {
	n, saturated := r.VarUintSaturating()
	if saturated {
		r.fail(ErrUintTooLarge)
		return 0
	}
	return n
}

// VarUintSaturating reads a variable-length unsigned integer of any size; above 2^64-1 it returns 2^64-1 and true, as
// STREAM asks for some of its limits (RFC 29, section 5.3).
func (r *Reader) VarUintSaturating() (n uint64, saturated bool) {
	b := r.VarOctets()
	switch {
	case r.err != nil:
		return 0, false
	case len(b) == 0:
		r.fail(ErrUintEmpty)
		return 0, false
	case b[0] == 0 && len(b) > 1:
		r.fail(ErrUintNotCanonical)
		return 0, false
	case len(b) > 8:
		return math.MaxUint64, true
	}
	return bigEndian(b), false
}

// length reads a length determinant: one byte below 128, else 0x80|n and n bytes big-endian. A length that no slice can
// have is returned as -1, which Octets refuses.
func (r *Reader) length() int {
	first := r.Uint8()
	if first < 0x80 {
		return int(first)
	}
	size := int(first &^ 0x80)
	if size == 0 || size > 8 {
		r.fail(ErrLengthForm)
		return -1
	}
	b := r.Octets(size)
	if b == nil {
		return -1
	}
	n := bigEndian(b)
	if b[0] == 0 || n < 0x80 {
		r.fail(ErrLengthNotCanonical)
		return -1
	}
	if n > math.MaxInt {
		return -1
	}
	return int(n)
}

func (r *Reader) fail(err Error) {
	if r.err == nil {
		r.err, r.rest = err, nil
	}
}

// bigEndian reads up to eight bytes as an integer.
func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}
