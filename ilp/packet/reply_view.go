package packet

import (
	"crypto/sha256"

	"pochi/ilp/address"
	"pochi/ilp/oer"
)

// ReplyView is a Fulfill or a Reject that is still in the bytes it arrived in, for a node that relays it unchanged: reading
// allocates and copies nothing.
//
// It aliases the bytes that were given to ViewReply: it is good for as long as nobody changes them. Make one with ViewReply;
// the zero value holds no packet. Methods for the other type of reply return zero values.
type ReplyView struct {
	wire                       []byte
	fulfillment                []byte // nil in a Reject
	code, triggeredBy, message []byte // nil in a Fulfill
	data                       []byte
}

// ViewReply looks at a packet that must be a Fulfill or a Reject. It checks all that Decode checks, and fails as Decode does,
// or with ErrNotReply.
func ViewReply(b []byte) (ReplyView, error) {
	t, contents, err := open(b)
	switch {
	case err != nil:
		return ReplyView{}, err
	case t == TypeFulfill:
		return viewFulfill(b, contents)
	case t == TypeReject:
		return viewReject(b, contents)
	case t == TypePrepare:
		return ReplyView{}, ErrNotReply
	}
	return ReplyView{}, ErrType
}

func viewFulfill(wire []byte, r oer.Reader) (ReplyView, error) {
	v := ReplyView{wire: wire, fulfillment: r.Octets(32), data: r.VarOctets()}
	switch {
	case r.Err() != nil:
		return ReplyView{}, r.Err()
	case len(v.data) > MaxData:
		return ReplyView{}, ErrDataTooLong
	}
	return v, nil
}

func viewReject(wire []byte, r oer.Reader) (ReplyView, error) {
	v := ReplyView{wire: wire, code: r.Octets(3), triggeredBy: r.VarOctets(), message: r.VarOctets(), data: r.VarOctets()}
	switch {
	case r.Err() != nil:
		return ReplyView{}, r.Err()
	case len(v.triggeredBy) > address.MaxLength:
		return ReplyView{}, ErrTriggeredBy
	case len(v.message) > MaxReject:
		return ReplyView{}, ErrMessageTooLong
	case len(v.data) > MaxData:
		return ReplyView{}, ErrDataTooLong
	}
	return v, nil
}

// Type returns TypeFulfill or TypeReject.
func (v *ReplyView) Type() Type {
	if v.fulfillment != nil {
		return TypeFulfill
	}
	return TypeReject
}

// Append appends the packet to dst as it was received, so that a ReplyView can be relayed as a Reply. It never fails.
func (v *ReplyView) Append(dst []byte) ([]byte, error) { return append(dst, v.wire...), nil }

func (*ReplyView) reply() {}

// Bytes returns the packet to relay: the bytes that were received.
func (v *ReplyView) Bytes() []byte { return v.wire }

// Fulfills reports whether it is a Fulfill with the proof that condition asks for.
func (v *ReplyView) Fulfills(condition [32]byte) bool {
	return v.fulfillment != nil && sha256.Sum256(v.fulfillment) == condition
}

// Fulfillment returns the preimage that a Fulfill brings.
func (v *ReplyView) Fulfillment() (fulfillment [32]byte) {
	copy(fulfillment[:], v.fulfillment)
	return fulfillment
}

// Code returns the code of a Reject. One that RFC 27 doesn't list is the only thing that costs an allocation.
func (v *ReplyView) Code() Code { return codeOf(v.code) }

// TriggeredBy returns which node made the Reject. It is unchecked and may be empty.
func (v *ReplyView) TriggeredBy() []byte { return v.triggeredBy }

// Message returns the text of a Reject. It may be no valid UTF-8.
func (v *ReplyView) Message() []byte { return v.message }

// Data returns what is for the sender, or depends on a Reject's code.
func (v *ReplyView) Data() []byte { return v.data }

// Reply returns the packet as a *Fulfill or a *Reject. Its Data aliases the received bytes as the view does.
func (v *ReplyView) Reply() Reply {
	if v.fulfillment != nil {
		return &Fulfill{[32]byte(v.fulfillment), v.data}
	}
	return &Reject{v.Code(), address.Address(v.triggeredBy), string(v.message), v.data}
}
