package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"pochi/ilp/oer"
	"pochi/ilp/packet"
)

// ilpInputMax is how many bytes are read: more than the largest packet in hex,
// with white space between its bytes.
const ilpInputMax = 1 << 20

func (ilpDecode) Run(p *program) error { return decodePacket(os.Stdin, p.out) }

// The packets as JSON, with the field names of RFC 27. Amounts are texts, since
// many a reader of JSON rounds large numbers; octets are hex.
type (
	preparePacket struct {
		Type               string `json:"type"`
		Amount             string `json:"amount"`
		ExpiresAt          string `json:"expiresAt"` // RFC 3339, in UTC with milliseconds
		ExecutionCondition string `json:"executionCondition"`
		Destination        string `json:"destination"`
		Data               string `json:"data"`
		IgnoredBytes       int    `json:"ignoredBytes,omitempty"`
	}
	fulfillPacket struct {
		Type         string `json:"type"`
		Fulfillment  string `json:"fulfillment"`
		Data         string `json:"data"`
		IgnoredBytes int    `json:"ignoredBytes,omitempty"`
	}
	rejectPacket struct {
		Type           string          `json:"type"`
		Code           string          `json:"code"`
		Name           string          `json:"name,omitempty"` // what RFC 27 calls the code
		TriggeredBy    string          `json:"triggeredBy"`
		Message        string          `json:"message"`
		Data           string          `json:"data"`
		AmountTooLarge *amountTooLarge `json:"amountTooLarge,omitempty"` // what F08's data says
		IgnoredBytes   int             `json:"ignoredBytes,omitempty"`
	}
	amountTooLarge struct {
		ReceivedAmount string `json:"receivedAmount"`
		MaximumAmount  string `json:"maximumAmount"`
	}
)

// decodePacket prints the ILP packet that in has, in hex or as it is. What is
// malformed gives an error that names the defect; a reject that a connector would
// relay although it breaks a rule is malformed here.
func decodePacket(in io.Reader, out io.Writer) error {
	input, err := io.ReadAll(io.LimitReader(in, ilpInputMax+1))
	if err != nil {
		return err
	}
	if len(input) > ilpInputMax {
		return fmt.Errorf("the input is larger than %d bytes: no packet is", ilpInputMax)
	}
	p, wire, err := readPacket(input)
	if err != nil {
		return err
	}
	ignored, err := ignoredBytes(p, wire)
	if err != nil {
		return err
	}
	switch p := p.(type) {
	case *packet.Prepare:
		return json.NewEncoder(out).Encode(preparePacket{
			Type: p.Type().String(), Amount: strconv.FormatUint(p.Amount, 10),
			ExpiresAt: p.ExpiresAt.Format("2006-01-02T15:04:05.000Z"), ExecutionCondition: hex.EncodeToString(p.Condition[:]),
			Destination: string(p.Destination), Data: hex.EncodeToString(p.Data), IgnoredBytes: ignored,
		})
	case *packet.Fulfill:
		return json.NewEncoder(out).Encode(fulfillPacket{
			Type: p.Type().String(), Fulfillment: hex.EncodeToString(p.Fulfillment[:]), Data: hex.EncodeToString(p.Data),
			IgnoredBytes: ignored,
		})
	case *packet.Reject:
		if err := p.Validate(); err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(rejectPacket{
			Type: p.Type().String(), Code: string(p.Code), Name: p.Code.Name(), TriggeredBy: string(p.TriggeredBy),
			Message: p.Message, Data: hex.EncodeToString(p.Data), AmountTooLarge: newAmountTooLarge(p), IgnoredBytes: ignored,
		})
	}
	return packet.ErrType
}

// newAmountTooLarge returns what F08 says about amounts, nil if it says nothing.
func newAmountTooLarge(j *packet.Reject) *amountTooLarge {
	a, ok := packet.ParseAmountTooLarge(j.Data)
	if j.Code != packet.TooLarge || !ok {
		return nil
	}
	return &amountTooLarge{strconv.FormatUint(a.Received, 10), strconv.FormatUint(a.Maximum, 10)}
}

// readPacket decodes the input, and returns the bytes of the packet too. Input of
// nothing but hex digits and white space is hex. One kind of packet could look like
// that by itself, a Fulfill (0x0d is white space) with digits in all of its fields,
// so what is no packet in hex may still be one as it is. All other input is binary.
func readPacket(input []byte) (packet.Packet, []byte, error) {
	text := bytes.Join(bytes.Fields(input), nil)
	if len(text) == 0 {
		return nil, nil, errors.New("the input is empty: a packet is expected, in hex or binary")
	}
	binary, errBinary := packet.Decode(input)
	if i := bytes.IndexFunc(text, notHex); i >= 0 {
		if errBinary != nil && isText(input) {
			return nil, nil, fmt.Errorf("the input is not hex: it has %q", text[i])
		}
		return binary, input, errBinary
	}
	wire, err := hex.DecodeString(string(text))
	if err != nil {
		err = errors.New("the hex has an odd number of digits")
	}
	var p packet.Packet
	if err == nil {
		p, err = packet.Decode(wire)
	}
	if err != nil && errBinary == nil {
		return binary, input, nil
	}
	return p, wire, err
}

func notHex(c rune) bool {
	return (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F')
}

// isText reports whether b is printable ASCII and white space only.
func isText(b []byte) bool {
	return !bytes.ContainsFunc(b, func(c rune) bool { return (c < ' ' || c > '~') && (c < '\t' || c > '\r') })
}

// ignoredBytes returns how many bytes of wire mean nothing: those after the last
// field and after the packet.
func ignoredBytes(p packet.Packet, wire []byte) (int, error) {
	canonical, err := p.Append(nil)
	if err != nil {
		return 0, err
	}
	received, written := oer.NewReader(wire[1:]), oer.NewReader(canonical[1:])
	inside := len(received.VarOctets()) - len(written.VarOctets())
	return inside + len(received.Rest()), errors.Join(received.Err(), written.Err())
}
