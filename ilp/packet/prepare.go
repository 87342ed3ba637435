package packet

import (
	"time"

	"pochi/ilp/address"
	"pochi/ilp/oer"
)

// Prepare offers Amount to Destination until ExpiresAt, to whoever knows the preimage of Condition (RFC 27, section 3.1).
type Prepare struct {
	// Amount is in units of the link's asset.
	Amount uint64
	// ExpiresAt is when the offer ends. It travels in whole milliseconds; the rest is cut off.
	ExpiresAt time.Time
	// Condition is the SHA-256 hash of the fulfillment.
	Condition [32]byte
	// Destination is whom the money is for.
	Destination address.Address
	// Data is for the receiver alone, at most MaxData bytes.
	Data []byte
}

// prepareFixed is the size of the fields before the destination.
const prepareFixed = 8 + timestampSize + 32

// Type returns TypePrepare.
func (*Prepare) Type() Type { return TypePrepare }

// Validate returns the first defect that makes p impossible to send, or nil.
func (p *Prepare) Validate() error {
	if err := p.Destination.Validate(); err != nil {
		return err
	}
	if len(p.Data) > MaxData {
		return ErrDataTooLong
	}
	if !fitsTimestamp(p.ExpiresAt) {
		return ErrExpiry
	}
	return nil
}

// Append appends the encoded packet to dst. It fails as Validate does.
func (p *Prepare) Append(dst []byte) ([]byte, error) {
	if err := p.Validate(); err != nil {
		return dst, err
	}
	dst = envelope(dst, TypePrepare, prepareFixed+field(len(p.Destination))+field(len(p.Data)))
	dst = oer.AppendUint64(dst, p.Amount)
	dst = appendTimestamp(dst, p.ExpiresAt)
	dst = append(dst, p.Condition[:]...)
	dst = oer.AppendVarString(dst, string(p.Destination))
	return oer.AppendVarOctets(dst, p.Data), nil
}
