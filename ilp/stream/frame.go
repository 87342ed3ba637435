package stream

import "pochi/ilp/oer"

// FrameType is the first byte of a frame.
type FrameType uint8

// The types of frames (RFC 29, section 5.3).
const (
	TypeConnectionClose           FrameType = 0x01
	TypeConnectionNewAddress      FrameType = 0x02
	TypeConnectionMaxData         FrameType = 0x03
	TypeConnectionDataBlocked     FrameType = 0x04
	TypeConnectionMaxStreamID     FrameType = 0x05
	TypeConnectionStreamIDBlocked FrameType = 0x06
	TypeConnectionAssetDetails    FrameType = 0x07
	TypeStreamClose               FrameType = 0x10
	TypeStreamMoney               FrameType = 0x11
	TypeStreamMaxMoney            FrameType = 0x12
	TypeStreamMoneyBlocked        FrameType = 0x13
	TypeStreamData                FrameType = 0x14
	TypeStreamMaxData             FrameType = 0x15
	TypeStreamDataBlocked         FrameType = 0x16
	TypeStreamReceipt             FrameType = 0x17
)

// ErrorCode is why a connection or a stream is closed (RFC 29, section 5.4).
type ErrorCode uint8

// The codes.
const (
	CodeNoError           ErrorCode = 1
	CodeInternalError     ErrorCode = 2
	CodeEndpointBusy      ErrorCode = 3
	CodeFlowControlError  ErrorCode = 4
	CodeStreamIDError     ErrorCode = 5
	CodeStreamStateError  ErrorCode = 6
	CodeFrameFormatError  ErrorCode = 7
	CodeProtocolViolation ErrorCode = 8
	CodeApplicationError  ErrorCode = 9
)

// Frame is one part of a Packet: a value of one of the types below that are named after the FrameTypes.
type Frame interface {
	Type() FrameType
	appendContents(dst []byte) []byte
}

// minFrame is the size of the smallest frame: a type and the length of empty contents.
const minFrame = 2

// readContents reads a frame's contents; a frame of unknown type is nil. Bytes after the last field are ignored.
func readContents(t FrameType, c *oer.Reader) Frame {
	switch t {
	case TypeConnectionClose:
		return ConnectionClose{ErrorCode(c.Uint8()), string(c.VarOctets())}
	case TypeConnectionNewAddress:
		return ConnectionNewAddress{string(c.VarOctets())}
	case TypeConnectionMaxData:
		return ConnectionMaxData{c.VarUint()}
	case TypeConnectionDataBlocked:
		return ConnectionDataBlocked{c.VarUint()}
	case TypeConnectionMaxStreamID:
		return ConnectionMaxStreamID{c.VarUint()}
	case TypeConnectionStreamIDBlocked:
		return ConnectionStreamIDBlocked{c.VarUint()}
	case TypeConnectionAssetDetails:
		return ConnectionAssetDetails{string(c.VarOctets()), c.Uint8()}
	case TypeStreamClose:
		return StreamClose{c.VarUint(), ErrorCode(c.Uint8()), string(c.VarOctets())}
	case TypeStreamMoney:
		return StreamMoney{c.VarUint(), c.VarUint()}
	case TypeStreamMaxMoney:
		return StreamMaxMoney{c.VarUint(), saturating(c), c.VarUint()}
	case TypeStreamMoneyBlocked:
		return StreamMoneyBlocked{c.VarUint(), saturating(c), c.VarUint()}
	case TypeStreamData:
		return StreamData{c.VarUint(), c.VarUint(), c.VarOctets()}
	case TypeStreamMaxData:
		return StreamMaxData{c.VarUint(), c.VarUint()}
	case TypeStreamDataBlocked:
		return StreamDataBlocked{c.VarUint(), c.VarUint()}
	case TypeStreamReceipt:
		return StreamReceipt{c.VarUint(), c.VarOctets()}
	}
	return nil
}

// saturating reads a limit that counts as 2^64-1 if it is larger (RFC 29, section 5.3).
func saturating(c *oer.Reader) uint64 {
	n, _ := c.VarUintSaturating()
	return n
}
