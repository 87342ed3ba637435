// Package packet reads and writes the three packets of the Interledger protocol, version 4 (RFC 27): a Prepare offers
// money under a condition, and the answer is either a Fulfill, which proves the condition and makes the money owed, or a
// Reject, which says why nothing is.
//
// Decoding is strict about what a packet means (lengths, limits, timestamps, addresses) and ignores bytes after the last
// field, outside and inside the envelope, as RFC 30 asks. A Reject is read leniently: whatever its code, sender and text
// are, it is the answer that releases money, and losing it over a stray byte would help nobody. Encoding is canonical.
//
// Data fields of decoded packets alias the bytes that were decoded. PrepareView and ReplyView go further: they stay in those
// bytes, allocate nothing, and are what a node uses that passes packets on.
package packet

import (
	"fmt"

	"pochi/ilp/oer"
)

// Type is the first byte of a packet.
type Type uint8

// The types of packets.
const (
	TypePrepare Type = 12
	TypeFulfill Type = 13
	TypeReject  Type = 14
)

// String returns the type's name in lower case: "prepare", "fulfill" or "reject".
func (t Type) String() string {
	switch t {
	case TypePrepare:
		return "prepare"
	case TypeFulfill:
		return "fulfill"
	case TypeReject:
		return "reject"
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// The limits that RFC 27 sets, in bytes.
const (
	MaxData    = 32767
	MaxMessage = 8191
	// MaxPrepare, MaxFulfill and MaxReject are the sizes of the largest legal packets.
	MaxPrepare = 33857
	MaxFulfill = 32806
	MaxReject  = 41997
)

// Packet is a *Prepare, a *Fulfill or a *Reject.
type Packet interface {
	// Type returns the type that stands in the packet's first byte.
	Type() Type
	// Append appends the encoded packet to dst. It fails with an Error if a field breaks a limit.
	Append(dst []byte) ([]byte, error)
}

// Reply is the answer to a Prepare: a *Fulfill or a *Reject, or a *ReplyView of one that is passed on as it came.
type Reply interface {
	Packet
	reply()
}

// Error names a defect of a packet. It is a constant, so it can be compared with errors.Is. Defects of single fields may
// also be an oer.Error or an address.Error.
type Error string

// Error returns the defect in words.
func (e Error) Error() string { return "ilp packet: " + string(e) }

// The defects of packets.
const (
	ErrType           Error = "not a Prepare, Fulfill or Reject"
	ErrNotReply       Error = "a Prepare where an answer to one is expected"
	ErrNotPrepare     Error = "not a Prepare"
	ErrDataTooLong    Error = "data is longer than 32767 bytes"
	ErrExpiry         Error = "expiry is not a time of the form YYYYMMDDHHmmSSfff"
	ErrCode           Error = "error code is not F, T or R and two digits"
	ErrTriggeredBy    Error = "the triggering address is longer than 1023 bytes"
	ErrMessageTooLong Error = "message is longer than 8191 bytes"
	ErrMessageText    Error = "message is not UTF-8"
)

// Decode reads one packet of any type: a *Prepare, a *Fulfill or a *Reject. Trailing bytes are ignored. It fails with an Error,
// an oer.Error or an address.Error.
func Decode(b []byte) (Packet, error) {
	if len(b) > 0 && Type(b[0]) == TypePrepare {
		p, err := DecodePrepare(b)
		if err != nil {
			return nil, err // and not a Packet that is a nil *Prepare
		}
		return p, nil
	}
	reply, err := DecodeReply(b)
	if err != nil {
		return nil, err
	}
	return reply, nil
}

// DecodePrepare reads a packet that must be a Prepare. It fails as Decode does, or with ErrNotPrepare.
func DecodePrepare(b []byte) (*Prepare, error) {
	v, err := ViewPrepare(b)
	if err != nil {
		return nil, err
	}
	p := v.Prepare()
	return &p, nil
}

// DecodeReply reads a packet that must be a *Fulfill or a *Reject. It fails as Decode does, or with ErrNotReply.
func DecodeReply(b []byte) (Reply, error) {
	v, err := ViewReply(b)
	if err != nil {
		return nil, err
	}
	return v.Reply(), nil
}

// open takes the envelope off.
func open(b []byte) (Type, oer.Reader, error) {
	r := oer.NewReader(b)
	t := Type(r.Uint8())
	contents := r.VarOctets()
	return t, oer.NewReader(contents), r.Err()
}

// envelope appends the type and the length of contents that are size bytes long.
func envelope(dst []byte, t Type, size int) []byte {
	return oer.AppendLength(append(dst, byte(t)), size)
}

// field returns how many bytes a variable-length field of n bytes takes.
func field(n int) int { return oer.LengthSize(n) + n }
