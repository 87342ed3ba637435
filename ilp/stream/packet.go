// Package stream is STREAM, the transport protocol by which two parties move money through ILP packets (RFC 29).
//
// Both ends know a secret. Each Prepare carries an encrypted STREAM packet for the receiver, and each answer one for the
// sender; fulfillments are made from the secret too, so a sender can tell that it was the receiver who answered.
//
// A Receiver is stateless: all it needs to know is in the address. A Sender probes a path and pays over it, with a
// minimum for what must arrive that comes from outside the path.
//
// Receipts (RFC 39, deprecated) are read as frames and otherwise left alone. Streams are not told apart: a connection
// pays one payee, so shares, stream limits and data are answered with nothing, and all of a packet's amount counts.
package stream

import (
	"pochi/ilp/oer"
	"pochi/ilp/packet"
)

// Packet is the plaintext of a STREAM packet (RFC 29, section 5.2).
type Packet struct {
	// Type is the type of the ILP packet that carries it; a receiver discards it in any other.
	Type packet.Type
	// Sequence counts the sender's packets. A reply has that of its request.
	Sequence uint64
	// Amount is the least to accept, on a Prepare, or what was received, on a reply.
	Amount uint64
	Frames []Frame
}

// currentVersion is the only version of STREAM.
const currentVersion = 1

// Error names a defect of a STREAM packet or of its encryption. It is a constant, so it can be compared with errors.Is.
// Defects of single fields may also be an oer.Error.
type Error string

// Error returns the defect in words.
func (e Error) Error() string { return "stream: " + string(e) }

// The defects.
const (
	ErrVersion    Error = "unknown version"
	ErrFrameCount Error = "more frames announced than could follow"
	ErrDecrypt    Error = "can't be decrypted"
	ErrTag        Error = "tag is longer than 64 bytes"
	ErrBase       Error = "address leaves no room for a token"
)

// DecodePacket reads a plaintext. Unknown frames are left out; what follows the last frame is padding. Data in frames
// aliases b. It fails with ErrVersion, ErrFrameCount or an oer.Error.
func DecodePacket(b []byte) (Packet, error) {
	v, err := ViewPacket(b)
	if err != nil {
		return Packet{}, err
	}
	return v.Packet(), nil
}

// Append appends the encoded packet to dst, without padding.
func (p *Packet) Append(dst []byte) []byte {
	dst = append(dst, currentVersion, byte(p.Type))
	dst = oer.AppendVarUint(dst, p.Sequence)
	dst = oer.AppendVarUint(dst, p.Amount)
	dst = oer.AppendVarUint(dst, uint64(len(p.Frames)))
	for _, f := range p.Frames {
		dst = append(dst, byte(f.Type()))
		start := len(dst)
		dst = oer.InsertLength(f.appendContents(dst), start)
	}
	return dst
}
