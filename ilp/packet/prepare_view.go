package packet

import (
	"encoding/binary"
	"time"

	"pochi/ilp/address"
	"pochi/ilp/oer"
)

// PrepareView is a Prepare that is still in the bytes it arrived in, for a node that forwards it: reading allocates and
// copies nothing. RFC 27 lets a connector change amount and expiry only, which SetAmount and SetExpiresAt do in place. All
// other bytes stay as they came, also those after the last field and after the packet, which mean nothing here.
//
// It aliases the bytes that were given to ViewPrepare: it is good for as long as nobody else changes them, and rewriting is
// not safe for concurrent use. Make one with ViewPrepare; the zero value holds no packet.
type PrepareView struct {
	wire        []byte
	fixed       []byte // amount, expiry and condition
	expiresAt   time.Time
	destination []byte
	data        []byte
}

// ViewPrepare looks at a packet that must be a Prepare. It checks all that Decode checks, and fails as Decode does, or with
// ErrNotPrepare.
func ViewPrepare(b []byte) (PrepareView, error) {
	t, contents, err := open(b)
	switch {
	case err != nil:
		return PrepareView{}, err
	case t == TypeFulfill || t == TypeReject:
		return PrepareView{}, ErrNotPrepare
	case t != TypePrepare:
		return PrepareView{}, ErrType
	}
	return viewPrepare(b, contents)
}

func viewPrepare(wire []byte, r oer.Reader) (PrepareView, error) {
	fixed := r.Octets(prepareFixed)
	destination := r.VarOctets()
	data := r.VarOctets()
	if err := r.Err(); err != nil {
		return PrepareView{}, err
	}
	expiresAt, err := parseTimestamp([timestampSize]byte(fixed[8:]))
	if err != nil {
		return PrepareView{}, err
	}
	if err := address.Check(destination); err != nil {
		return PrepareView{}, err
	}
	if len(data) > MaxData {
		return PrepareView{}, ErrDataTooLong
	}
	return PrepareView{wire, fixed, expiresAt, destination, data}, nil
}

// Amount returns the amount, in units of the link's asset.
func (v *PrepareView) Amount() uint64 { return binary.BigEndian.Uint64(v.fixed) }

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

// SetAmount rewrites the amount: eight bytes.
func (v *PrepareView) SetAmount(amount uint64) { binary.BigEndian.PutUint64(v.fixed, amount) }

// SetExpiresAt rewrites the expiry, cut to milliseconds: 17 bytes. Outside of the years 0 to 9999 it fails with ErrExpiry and
// changes nothing.
func (v *PrepareView) SetExpiresAt(t time.Time) error {
	if !fitsTimestamp(t) {
		return ErrExpiry
	}
	t = t.UTC().Truncate(time.Millisecond)
	appendTimestamp(v.fixed[8:8], t)
	v.expiresAt = t
	return nil
}

// Prepare returns the packet as a value. Its Data aliases the received bytes as the view does; the destination is a copy.
func (v *PrepareView) Prepare() Prepare {
	return Prepare{v.Amount(), v.expiresAt, v.Condition(), address.Address(v.destination), v.data}
}
