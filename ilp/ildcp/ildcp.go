// Package ildcp is the Interledger Dynamic Configuration Protocol (RFC 31): a child asks its parent, with a Prepare to
// Destination, which address it has and what asset the link between them counts. The answer is the data of a Fulfill.
package ildcp

import (
	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/oer"
)

// Destination is the address that asks. As with all peer protocols the Prepare has amount 0 and the condition that a
// fulfillment of 32 zero bytes fulfills.
const Destination address.Address = "peer.config"

// Config is what the child learns.
type Config struct {
	// Address is the child's own.
	Address address.Address
	// Asset is what amounts on the link count.
	Asset ilp.Asset
}

// Append appends the encoded answer to dst.
func (c Config) Append(dst []byte) []byte {
	dst = oer.AppendVarString(dst, string(c.Address))
	dst = append(dst, c.Asset.Scale)
	return oer.AppendVarString(dst, c.Asset.Code)
}

// Decode reads an answer. It fails with an oer.Error or an address.Error; bytes after the last field are ignored.
func Decode(data []byte) (Config, error) {
	r := oer.NewReader(data)
	child, scale, code := r.VarOctets(), r.Uint8(), r.VarOctets()
	if err := r.Err(); err != nil {
		return Config{}, err
	}
	a, err := address.ParseBytes(child)
	if err != nil {
		return Config{}, err
	}
	return Config{a, ilp.Asset{Code: string(code), Scale: scale}}, nil
}
