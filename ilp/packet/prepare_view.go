package packet

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"pochi/ilp/address"
)

// PrepareView is a Prepare that is still in the bytes it arrived in, for a node that forwards it: reading allocates and
// copies nothing. RFC 27 lets a connector change amount and expiry only, which SetAmount and SetExpiresAt do in place. All
// other bytes stay as they came, also those after the last field and after the packet, which mean nothing here.
//
// It aliases the bytes that were given to ViewPrepare: it is good for as long as nobody else changes them, and rewriting is
// not safe for concurrent use. Make one with ViewPrepare; the zero value holds no packet.
type PrepareView struct {
	wire        []byte
	fixed       *[prepareFixed]byte // amount, expiry and condition
	expiresAt   time.Time
	destination []byte
	data        []byte
}

// ViewPrepare looks at a packet that must be a Prepare. It checks all that Decode checks, and fails as Decode does, or with
// ErrNotPrepare.
func ViewPrepare(b []byte) (v PrepareView, err error) {
	t, contents, err := open(b)
	switch {
	case err != nil:
		return PrepareView{}, err
	case t == TypeFulfill || t == TypeReject:
		return PrepareView{}, ErrNotPrepare
	case t != TypePrepare:
		return PrepareView{}, ErrType
	}
	fixed := contents.Octets(prepareFixed)
	v.destination, v.data = contents.VarOctets(), contents.VarOctets()
	if err := contents.Err(); err != nil {
		return PrepareView{}, err
	}
	v.wire, v.fixed = b, (*[prepareFixed]byte)(fixed)
	if v.expiresAt, err = parseTimestamp(v.expiry()); err != nil {
		return PrepareView{}, err
	}
	if err := address.Check(v.destination); err != nil {
		return PrepareView{}, err
	}
	if len(v.data) > MaxData {
		return PrepareView{}, ErrDataTooLong
	}
	return v, nil
}

// expiry returns where the expiry stands.
func (v *PrepareView) expiry() *[timestampSize]byte {
	return (*[timestampSize]byte)(v.fixed[8 : 8+timestampSize])
}

// Amount returns the amount, in units of the link's asset.
func (v *PrepareView) Amount() uint64 { return binary.BigEndian.Uint64(v.fixed[:8]) }

// ExpiresAt returns when the offer ends, in UTC and whole milliseconds.
func (v *PrepareView) ExpiresAt() time.Time { return v.expiresAt }

// Condition returns the SHA-256 hash of the fulfillment.
func (v *PrepareView) Condition() [32]byte { return [32]byte(v.fixed[8+timestampSize:]) }

// Destination returns the receiver's address, which has been checked. Its bytes must not be changed.
func (v *PrepareView) Destination() []byte { return v.destination }

// Data returns what is for the receiver alone. Its bytes must not be changed.
func (v *PrepareView) Data() []byte { return v.data }

// Bytes returns the packet to forward: the bytes that were received, with what was rewritten.
func (v *PrepareView) Bytes() []byte { return v.wire }

// Identity returns a hash of what no connector may change: condition, destination and data. Two packets that have it in common
// are one packet in two places.
func (v *PrepareView) Identity() [sha256.Size]byte {
	h := sha256.New()
	h.Write(v.fixed[8+timestampSize:])
	h.Write(v.destination)
	h.Write([]byte{0}) // no byte of an address
	h.Write(v.data)
	return [sha256.Size]byte(h.Sum(nil))
}

// SetAmount rewrites the amount: eight bytes.
func (v *PrepareView) SetAmount(amount uint64) { binary.BigEndian.PutUint64(v.fixed[:8], amount) }

// SetExpiresAt rewrites the expiry, cut to milliseconds: 17 bytes. Outside of the years 0 to 9999 it fails with ErrExpiry and
// changes nothing.
func (v *PrepareView) SetExpiresAt(t time.Time) error {
	if !putTimestamp(v.expiry(), t) {
		return ErrExpiry
	}
	v.expiresAt = time.UnixMilli(t.UnixMilli()).UTC()
	return nil
}

// Prepare returns the packet as a value. Its Data aliases the received bytes as the view does; the destination is a copy.
func (v *PrepareView) Prepare() Prepare {
	return Prepare{v.Amount(), v.expiresAt, v.Condition(), address.Address(v.destination), v.data}
}
