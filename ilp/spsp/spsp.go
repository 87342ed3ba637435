// Package spsp is the Simple Payment Setup Protocol (RFC 9): a GET of a payment pointer's URL answers with an ILP address
// and a secret, with which a STREAM connection to the receiver begins. Both are fresh in each answer.
package spsp

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"pochi/ilp/address"
)

// ContentType is the type of the answer, ContentTypeOld what it was once called. Accept is what a client asks with.
const (
	ContentType    = "application/spsp4+json"
	ContentTypeOld = "application/spsp+json"
	Accept         = ContentType + ", " + ContentTypeOld
)

// Details is the answer to a query.
type Details struct {
	// DestinationAccount is where the packets go.
	DestinationAccount address.Address
	// SharedSecret is known to sender and receiver only.
	SharedSecret [32]byte
	// Invoice is zero when the receiver asks for no certain amount.
	Invoice Invoice
}

// wire is Details as JSON has it; unknown members are ignored.
type wire struct {
	DestinationAccount string `json:"destination_account"`
	SharedSecret       string `json:"shared_secret"`
	invoiceWire
}

// MarshalJSON returns the answer's body. The secret is standard base64 with padding.
func (d Details) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{string(d.DestinationAccount), base64.StdEncoding.EncodeToString(d.SharedSecret[:]), d.Invoice.wire()})
}

// UnmarshalJSON reads an answer's body: a valid address and a secret of 32 bytes, in base64 of either alphabet, or an error. An
// invoice that makes no sense is none.
func (d *Details) UnmarshalJSON(b []byte) error {
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("spsp: %w", err)
	}
	to, err := address.Parse(w.DestinationAccount)
	if err != nil {
		return fmt.Errorf("spsp: destination_account: %w", err)
	}
	secret, err := decodeSecret(w.SharedSecret)
	if err != nil {
		return fmt.Errorf("spsp: shared_secret: %w", err)
	}
	*d = Details{to, secret, w.invoice()}
	return nil
}

// decodeSecret never puts the text into its error: it is a secret.
func decodeSecret(s string) (secret [32]byte, err error) {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	if strings.ContainsAny(s, "\r\n") { // encoding/base64 would skip them
		return secret, fmt.Errorf("has line breaks")
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(secret) {
		return secret, fmt.Errorf("is not 32 bytes of base64")
	}
	return [32]byte(b), nil
}
