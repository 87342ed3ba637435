package stream

import "pochi/ilp/oer"

// ConnectionClose ends the connection.
type ConnectionClose struct {
	Code    ErrorCode
	Message string
}

// Type returns TypeConnectionClose.
func (ConnectionClose) Type() FrameType { return TypeConnectionClose }

func (f ConnectionClose) appendContents(dst []byte) []byte {
	return oer.AppendVarString(append(dst, byte(f.Code)), f.Message)
}

// ConnectionNewAddress tells the peer where to send packets. From the wire the address is unchecked; an empty one asks for
// the peer's asset and gives nothing.
type ConnectionNewAddress struct{ Address string }

// Type returns TypeConnectionNewAddress.
func (ConnectionNewAddress) Type() FrameType { return TypeConnectionNewAddress }

func (f ConnectionNewAddress) appendContents(dst []byte) []byte {
	return oer.AppendVarString(dst, f.Address)
}

// ConnectionMaxData is how many bytes the sender of the frame takes on all streams together.
type ConnectionMaxData struct{ MaxOffset uint64 }

// Type returns TypeConnectionMaxData.
func (ConnectionMaxData) Type() FrameType { return TypeConnectionMaxData }

func (f ConnectionMaxData) appendContents(dst []byte) []byte {
	return oer.AppendVarUint(dst, f.MaxOffset)
}

// ConnectionDataBlocked is how many bytes the sender of the frame would like to send.
type ConnectionDataBlocked struct{ MaxOffset uint64 }

// Type returns TypeConnectionDataBlocked.
func (ConnectionDataBlocked) Type() FrameType { return TypeConnectionDataBlocked }

func (f ConnectionDataBlocked) appendContents(dst []byte) []byte {
	return oer.AppendVarUint(dst, f.MaxOffset)
}

// ConnectionMaxStreamID is the highest stream that the peer may open.
type ConnectionMaxStreamID struct{ MaxStreamID uint64 }

// Type returns TypeConnectionMaxStreamID.
func (ConnectionMaxStreamID) Type() FrameType { return TypeConnectionMaxStreamID }

func (f ConnectionMaxStreamID) appendContents(dst []byte) []byte {
	return oer.AppendVarUint(dst, f.MaxStreamID)
}

// ConnectionStreamIDBlocked is the stream that the sender of the frame would like to open.
type ConnectionStreamIDBlocked struct{ MaxStreamID uint64 }

// Type returns TypeConnectionStreamIDBlocked.
func (ConnectionStreamIDBlocked) Type() FrameType { return TypeConnectionStreamIDBlocked }

func (f ConnectionStreamIDBlocked) appendContents(dst []byte) []byte {
	return oer.AppendVarUint(dst, f.MaxStreamID)
}

// ConnectionAssetDetails is the asset of the sender of the frame. It never changes within a connection.
type ConnectionAssetDetails struct {
	Code  string
	Scale uint8
}

// Type returns TypeConnectionAssetDetails.
func (ConnectionAssetDetails) Type() FrameType { return TypeConnectionAssetDetails }

func (f ConnectionAssetDetails) appendContents(dst []byte) []byte {
	return append(oer.AppendVarString(dst, f.Code), f.Scale)
}
