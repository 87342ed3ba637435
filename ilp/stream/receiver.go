package stream

import (
	"encoding/base64"
	"io"

	"pochi/ilp/address"
	"pochi/ilp/oer"
)

// The strings from which a Receiver derives its own keys. They and the token's layout are a local choice; ours is that of
// @interledger/stream-receiver, so that its published vectors check this code.
const (
	labelToken  = "ilp_stream_connection_token"
	labelSecret = "ilp_stream_shared_secret"
)

// MaxTag is the longest tag that credentials can carry, in bytes.
const MaxTag = 64

// maxToken is the length of the token of a MaxTag tag: sealed flags, length and tag, in base64.
const maxToken = (sealSize + 2 + MaxTag + 2) / 3 * 4

// flagTag is the flags byte of a token that carries a tag and nothing else.
const flagTag = 1

// tokenText is how a token stands in an address: letters, digits, '-' and '_', one spelling for each token.
var tokenText = base64.RawURLEncoding.Strict()

// Receiver makes credentials for connections and recognises their packets, without remembering any: who is paid is
// encrypted into the address itself. So a restart forgets nothing, and what it does keep is there for speed. It is safe for concurrent use if its source of
// randomness is.
type Receiver struct {
	base      address.Address
	tokens    sealer
	secretKey [32]byte
	random    io.Reader
	known     connections
}

// NewReceiver returns the receiver for all addresses below base. The secret must stay the same for as long as credentials
// made with it should work; random is a cryptographic source. It fails if base is no address or too long.
func NewReceiver(base address.Address, secret [32]byte, random io.Reader) (*Receiver, error) {
	if err := CheckBase(base); err != nil {
		return nil, err
	}
	return &Receiver{
		base:      base,
		tokens:    newSealer(derive(secret, []byte(labelToken))),
		secretKey: derive(secret, []byte(labelSecret)),
		random:    random,
	}, nil
}

// CheckBase says why no receiver can be below base: it is no address, or ErrBase.
func CheckBase(base address.Address) error {
	if err := base.Validate(); err != nil {
		return err
	}
	if len(base)+1+maxToken > address.MaxLength {
		return ErrBase
	}
	return nil
}

// Prefix returns the address below which all of the receiver's addresses are.
func (r *Receiver) Prefix() address.Address { return r.base }

// Credentials returns a fresh address and secret for one connection, whose packets Identify will find to carry tag. It
// fails with ErrTag, or if the source of randomness does.
func (r *Receiver) Credentials(tag []byte) (address.Address, [32]byte, error) {
	if len(tag) > MaxTag {
		return "", [32]byte{}, ErrTag
	}
	token, err := r.tokens.seal(nil, r.random, oer.AppendVarOctets([]byte{flagTag}, tag))
	if err != nil {
		return "", [32]byte{}, err
	}
	destination, err := r.base.Append(tokenText.EncodeToString(token))
	if err != nil {
		return "", [32]byte{}, err
	}
	return destination, derive(r.secretKey, token), nil
}

// Identify returns the connection behind an address, and false if the address is not one that Credentials made. Segments
// after the token don't matter. Connections that are in use are not derived for each packet: they are the same for all.
func (r *Receiver) Identify(destination address.Address) (*Connection, bool) {
	segment, ok := destination.Below(r.base)
	if !ok || len(segment) > maxToken {
		return nil, false
	}
	if c := r.known.find(segment); c != nil {
		return c, true
	}
	c, ok := r.derive(segment)
	if ok {
		r.known.add(segment, c)
	}
	return c, ok
}

// derive makes the connection of a token.
func (r *Receiver) derive(segment string) (*Connection, bool) {
	token, err := tokenText.DecodeString(segment)
	if err != nil {
		return nil, false
	}
	plaintext, err := r.tokens.open(nil, token)
	if err != nil {
		return nil, false
	}
	fields := oer.NewReader(plaintext)
	flags, tag := fields.Uint8(), fields.VarOctets()
	if fields.Err() != nil || flags != flagTag {
		return nil, false
	}
	return &Connection{
		Tag:    tag,
		node:   r.base,
		keys:   NewKeys(derive(r.secretKey, token)),
		random: r.random,
	}, true
}
