package stream

import "pochi/ilp/oer"

// StreamClose ends one stream.
type StreamClose struct {
	StreamID uint64
	Code     ErrorCode
	Message  string
}

// Type returns TypeStreamClose.
func (StreamClose) Type() FrameType { return TypeStreamClose }

func (f StreamClose) appendContents(dst []byte) []byte {
	return oer.AppendVarString(append(oer.AppendVarUint(dst, f.StreamID), byte(f.Code)), f.Message)
}

// StreamMoney gives a stream its share of the packet's amount.
type StreamMoney struct{ StreamID, Shares uint64 }

// Type returns TypeStreamMoney.
func (StreamMoney) Type() FrameType { return TypeStreamMoney }

func (f StreamMoney) appendContents(dst []byte) []byte {
	return appendVarUints(dst, f.StreamID, f.Shares)
}

// StreamMaxMoney is how much the sender of the frame takes on a stream in all. A larger ReceiveMax reads as 2^64-1.
type StreamMaxMoney struct{ StreamID, ReceiveMax, TotalReceived uint64 }

// Type returns TypeStreamMaxMoney.
func (StreamMaxMoney) Type() FrameType { return TypeStreamMaxMoney }

func (f StreamMaxMoney) appendContents(dst []byte) []byte {
	return appendVarUints(dst, f.StreamID, f.ReceiveMax, f.TotalReceived)
}

// StreamMoneyBlocked is how much the sender of the frame would like to send. A larger SendMax reads as 2^64-1.
type StreamMoneyBlocked struct{ StreamID, SendMax, TotalSent uint64 }

// Type returns TypeStreamMoneyBlocked.
func (StreamMoneyBlocked) Type() FrameType { return TypeStreamMoneyBlocked }

func (f StreamMoneyBlocked) appendContents(dst []byte) []byte {
	return appendVarUints(dst, f.StreamID, f.SendMax, f.TotalSent)
}

// StreamData carries bytes of a stream.
type StreamData struct {
	StreamID, Offset uint64
	Data             []byte
}

// Type returns TypeStreamData.
func (StreamData) Type() FrameType { return TypeStreamData }

func (f StreamData) appendContents(dst []byte) []byte {
	return oer.AppendVarOctets(appendVarUints(dst, f.StreamID, f.Offset), f.Data)
}

// StreamMaxData is how many bytes the sender of the frame takes on a stream.
type StreamMaxData struct{ StreamID, MaxOffset uint64 }

// Type returns TypeStreamMaxData.
func (StreamMaxData) Type() FrameType { return TypeStreamMaxData }

func (f StreamMaxData) appendContents(dst []byte) []byte {
	return appendVarUints(dst, f.StreamID, f.MaxOffset)
}

// StreamDataBlocked is how many bytes the sender of the frame would like to send on a stream.
type StreamDataBlocked struct{ StreamID, MaxOffset uint64 }

// Type returns TypeStreamDataBlocked.
func (StreamDataBlocked) Type() FrameType { return TypeStreamDataBlocked }

func (f StreamDataBlocked) appendContents(dst []byte) []byte {
	return appendVarUints(dst, f.StreamID, f.MaxOffset)
}

// StreamReceipt carries a receipt (RFC 39, deprecated), unread.
type StreamReceipt struct {
	StreamID uint64
	Receipt  []byte
}

// Type returns TypeStreamReceipt.
func (StreamReceipt) Type() FrameType { return TypeStreamReceipt }

func (f StreamReceipt) appendContents(dst []byte) []byte {
	return oer.AppendVarOctets(oer.AppendVarUint(dst, f.StreamID), f.Receipt)
}

func appendVarUints(dst []byte, values ...uint64) []byte {
	for _, n := range values {
		dst = oer.AppendVarUint(dst, n)
	}
	return dst
}
