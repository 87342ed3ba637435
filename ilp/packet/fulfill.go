package packet

import (
	"crypto/sha256"

	"pochi/ilp/oer"
)

// Fulfill proves that the receiver has the money (RFC 27, section 3.2): from here on it is owed, hop by hop.
type Fulfill struct {
	// Fulfillment is the preimage of the Prepare's condition.
	Fulfillment [32]byte
	// Data is for the sender alone, at most MaxData bytes.
	Data []byte
}

// Type returns TypeFulfill.
func (*Fulfill) Type() Type { return TypeFulfill }

func (*Fulfill) reply() {}

// Fulfills reports whether f is the proof that condition asks for.
func (f *Fulfill) Fulfills(condition [32]byte) bool {
	return sha256.Sum256(f.Fulfillment[:]) == condition
}

// Append appends the encoded packet to dst. It fails with ErrDataTooLong.
func (f *Fulfill) Append(dst []byte) ([]byte, error) {
	if len(f.Data) > MaxData {
		return dst, ErrDataTooLong
	}
	dst = envelope(dst, TypeFulfill, len(f.Fulfillment)+field(len(f.Data)))
	dst = append(dst, f.Fulfillment[:]...)
	return oer.AppendVarOctets(dst, f.Data), nil
}
