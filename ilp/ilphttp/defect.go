package ilphttp

import (
	"errors"
	"fmt"

	"pochi/ilp/address"
	"pochi/ilp/oer"
	"pochi/ilp/packet"
)

// defect tells a peer why a body is not the packet that it should be.
func defect(body []byte, err error) string {
	if len(body) == 0 {
		return "the body is empty"
	}
	switch packet.Type(body[0]) {
	case packet.TypePrepare, packet.TypeFulfill, packet.TypeReject:
		return "the ILP packet is wrong: " + inWords(err)
	}
	return fmt.Sprintf("no ILP packet: it begins with byte 0x%02x", body[0])
}

// inWords returns a defect without the name of the package that found it.
func inWords(err error) string {
	var ofField oer.Error
	var ofPacket packet.Error
	var ofAddress address.Error
	switch {
	case errors.As(err, &ofField):
		return string(ofField)
	case errors.As(err, &ofPacket):
		return string(ofPacket)
	case errors.As(err, &ofAddress):
		return "address: " + string(ofAddress)
	}
	return "it is damaged"
}
