package oer

import (
	"encoding/binary"
	"math/bits"
)

// AppendUint64 appends n as eight bytes, big-endian.
func AppendUint64(dst []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(dst, n) }

// AppendLength appends the canonical length determinant of n octets. n is not negative.
func AppendLength(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n))
	}
	size := octets(uint64(n))
	return appendBigEndian(append(dst, 0x80|byte(size)), uint64(n), size)
}

// AppendVarOctets appends b with its length in front.
func AppendVarOctets(dst, b []byte) []byte { return append(AppendLength(dst, len(b)), b...) }

// AppendVarString appends s with its length in front.
func AppendVarString(dst []byte, s string) []byte { return append(AppendLength(dst, len(s)), s...) }

// AppendVarUint appends n as a variable-length unsigned integer in its shortest form; zero is one octet.
func AppendVarUint(dst []byte, n uint64) []byte {
	size := octets(n)
	return appendBigEndian(append(dst, byte(size)), n, size)
}

// InsertLength puts the length determinant in front of what was appended to dst from start on: of contents that are written
// before their length is known. start is at most len(dst).
func InsertLength(dst []byte, start int) []byte {
	n := len(dst) - start
	size := LengthSize(n)
	var room [1 + 8]byte
	dst = append(dst, room[:size]...)
	copy(dst[start+size:], dst[start:start+n])
	AppendLength(dst[:start], n)
	return dst
}

// LengthSize returns how many bytes AppendLength appends for n.
func LengthSize(n int) int {
	if n < 0x80 {
		return 1
	}
	return 1 + octets(uint64(n))
}

// octets returns how many bytes n needs, at least one.
func octets(n uint64) int { return max(1, (bits.Len64(n)+7)/8) }

func appendBigEndian(dst []byte, n uint64, size int) []byte {
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(n>>shift))
	}
	return dst
}
