package packet

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"pochi/ilp/address"
	"pochi/ilp/oer"
)

// Reject says that the money of a Prepare stays where it was, and why (RFC 27, section 3.3). It is an error too.
type Reject struct {
	// Code is the reason for machines. Any three bytes can arrive.
	Code Code
	// TriggeredBy is the node that made the reject. From the wire it is unchecked and may be empty.
	TriggeredBy address.Address
	// Message is the reason for people. From the wire it may be no valid UTF-8.
	Message string
	// Data depends on Code, at most MaxData bytes: see AmountTooLarge.
	Data []byte
}

// NewReject returns a reject of our own, with a message that is cut to the limit if it must be.
func NewReject(code Code, by address.Address, message string) *Reject {
	if len(message) > MaxMessage {
		end := MaxMessage
		for end > 0 && !utf8.RuneStart(message[end]) {
			end--
		}
		message = message[:end]
	}
	return &Reject{Code: code, TriggeredBy: by, Message: message}
}

// Type returns TypeReject.
func (*Reject) Type() Type { return TypeReject }

func (*Reject) reply() {}

// Error returns code, place and message in one line.
func (j *Reject) Error() string {
	text := fmt.Sprintf("rejected with %s", j.Code.label())
	if j.TriggeredBy != "" {
		text += " by " + printable(string(j.TriggeredBy))
	}
	if j.Message != "" {
		text += ": " + printable(j.Message)
	}
	return text
}

// printable replaces what could disturb a log or a terminal.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == utf8.RuneError {
			return '?'
		}
		return c
	}, s)
}

// Validate returns the first defect that RFC 27 forbids and decoding lets pass, or nil: ErrCode, ErrMessageTooLong,
// ErrMessageText, ErrDataTooLong, or an address.Error about TriggeredBy. An empty TriggeredBy is none: senders that don't know
// their address leave it out.
func (j *Reject) Validate() error {
	if !j.Code.wellFormed() {
		return ErrCode
	}
	if j.TriggeredBy != "" {
		if err := j.TriggeredBy.Validate(); err != nil {
			return err
		}
	}
	switch {
	case len(j.Message) > MaxMessage:
		return ErrMessageTooLong
	case !utf8.ValidString(j.Message):
		return ErrMessageText
	case len(j.Data) > MaxData:
		return ErrDataTooLong
	}
	return nil
}

// Append appends the encoded packet to dst. It fails with ErrCode, ErrTriggeredBy, ErrMessageTooLong or ErrDataTooLong.
// What was decoded can always be appended, so that a reject is relayed unchanged; Validate is stricter.
func (j *Reject) Append(dst []byte) ([]byte, error) {
	switch {
	case len(j.Code) != 3:
		return dst, ErrCode
	case len(j.TriggeredBy) > address.MaxLength:
		return dst, ErrTriggeredBy
	case len(j.Message) > MaxReject:
		return dst, ErrMessageTooLong
	case len(j.Data) > MaxData:
		return dst, ErrDataTooLong
	}
	size := len(j.Code) + field(len(j.TriggeredBy)) + field(len(j.Message)) + field(len(j.Data))
	dst = envelope(dst, TypeReject, size)
	dst = append(dst, j.Code...)
	dst = oer.AppendVarString(dst, string(j.TriggeredBy))
	dst = oer.AppendVarString(dst, j.Message)
	return oer.AppendVarOctets(dst, j.Data), nil
}
