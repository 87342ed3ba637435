package stream

import (
	"iter"

	"pochi/ilp/oer"
	"pochi/ilp/packet"
)

// PacketView is a plaintext that has been checked and stays in its bytes: reading it allocates nothing. It aliases them, so it
// is good for as long as nobody changes them.
type PacketView struct {
	// Type, Sequence and Amount are those of Packet.
	Type     packet.Type
	Sequence uint64
	Amount   uint64

	count  uint64
	frames []byte
}

// ViewPacket looks at a plaintext. It checks all that DecodePacket checks, every frame's contents included, and fails as it
// does: with ErrVersion, ErrFrameCount or an oer.Error.
func ViewPacket(b []byte) (PacketView, error) {
	r := oer.NewReader(b)
	version := r.Uint8()
	v := PacketView{Type: packet.Type(r.Uint8()), Sequence: r.VarUint(), Amount: r.VarUint(), count: r.VarUint()}
	v.frames = r.Rest()
	switch {
	case r.Err() != nil:
		return PacketView{}, r.Err()
	case version != currentVersion:
		return PacketView{}, ErrVersion
	case v.count > uint64(len(v.frames)/minFrame):
		return PacketView{}, ErrFrameCount
	}
	for range v.count {
		t, contents := FrameType(r.Uint8()), oer.NewReader(r.VarOctets())
		skipContents(t, &contents)
		if r.Err() != nil {
			return PacketView{}, r.Err()
		}
		if contents.Err() != nil {
			return PacketView{}, contents.Err()
		}
	}
	return v, nil
}

// Frames iterates over the frames as they stand, each with its contents. Frames of unknown type are among them.
func (v PacketView) Frames() iter.Seq2[FrameType, []byte] {
	return func(yield func(FrameType, []byte) bool) {
		r := oer.NewReader(v.frames)
		for range v.count {
			if !yield(FrameType(r.Uint8()), r.VarOctets()) {
				return
			}
		}
	}
}

// Packet returns the packet as a value. Unknown frames are left out; data in frames aliases the plaintext as the view does.
func (v PacketView) Packet() Packet {
	p := Packet{Type: v.Type, Sequence: v.Sequence, Amount: v.Amount}
	for t, contents := range v.Frames() {
		r := oer.NewReader(contents)
		if f := readContents(t, &r); f != nil {
			p.Frames = append(p.Frames, f)
		}
	}
	return p
}

// skipContents reads what readContents reads and makes nothing of it.
func skipContents(t FrameType, c *oer.Reader) {
	switch t {
	case TypeConnectionClose:
		c.Uint8()
		c.VarOctets()
	case TypeConnectionNewAddress:
		c.VarOctets()
	case TypeConnectionMaxData, TypeConnectionDataBlocked, TypeConnectionMaxStreamID, TypeConnectionStreamIDBlocked:
		c.VarUint()
	case TypeConnectionAssetDetails:
		c.VarOctets()
		c.Uint8()
	case TypeStreamClose:
		c.VarUint()
		c.Uint8()
		c.VarOctets()
	case TypeStreamMoney, TypeStreamMaxData, TypeStreamDataBlocked:
		c.VarUint()
		c.VarUint()
	case TypeStreamMaxMoney, TypeStreamMoneyBlocked:
		c.VarUint()
		saturating(c)
		c.VarUint()
	case TypeStreamData:
		c.VarUint()
		c.VarUint()
		c.VarOctets()
	case TypeStreamReceipt:
		c.VarUint()
		c.VarOctets()
	}
}
