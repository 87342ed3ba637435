package stream

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"io"
	"slices"
)

// The strings from which keys are derived (RFC 29, sections 3.1 and 4.3).
const (
	labelEncryption  = "ilp_stream_encryption"
	labelFulfillment = "ilp_stream_fulfillment"
)

const (
	ivSize   = 12
	tagSize  = 16
	sealSize = ivSize + tagSize // what Seal adds
)

// Keys are derived from a connection's secret: one encrypts in both directions, the other makes fulfillments. They are
// safe for concurrent use.
type Keys struct {
	box         sealer
	fulfillment macKey
}

// NewKeys derives the keys of a connection.
func NewKeys(secret [32]byte) *Keys {
	return &Keys{
		box:         newSealer(derive(secret, []byte(labelEncryption))),
		fulfillment: newMacKey(derive(secret, []byte(labelFulfillment))),
	}
}

// Seal encrypts plaintext under an initialization vector from random, which fails only if random does.
func (k *Keys) Seal(random io.Reader, plaintext []byte) ([]byte, error) {
	return k.AppendSeal(nil, random, plaintext)
}

// AppendSeal is Seal that appends to dst, which must not overlap plaintext. If dst has room for 44 bytes more than plaintext
// has, nothing is allocated.
func (k *Keys) AppendSeal(dst []byte, random io.Reader, plaintext []byte) ([]byte, error) {
	return k.box.seal(dst, random, plaintext)
}

// Open decrypts what Seal made, by either end. Anything else is ErrDecrypt.
func (k *Keys) Open(data []byte) ([]byte, error) { return k.AppendOpen(nil, data) }

// AppendOpen is Open that appends the plaintext to dst, which must not overlap data; data stays as it is. If dst has room for
// as much as data has, nothing is allocated.
func (k *Keys) AppendOpen(dst, data []byte) ([]byte, error) { return k.box.open(dst, data) }

// Fulfillment returns what fulfills a Prepare with this data, which is the whole encrypted blob.
func (k *Keys) Fulfillment(data []byte) [32]byte { return k.fulfillment.sum(data) }

// Condition returns the condition that fulfillment fulfills.
func Condition(fulfillment [32]byte) [32]byte { return sha256.Sum256(fulfillment[:]) }

// derive is HMAC-SHA256.
func derive(key [32]byte, data []byte) [32]byte {
	k := newMacKey(key)
	return k.sum(data)
}

// macKey is a key of HMAC-SHA256 as it goes into the hash: padded to a block, once for each of the two rounds (RFC 2104).
// Unlike crypto/hmac's it is safe for concurrent use, and costs no allocation.
type macKey struct{ inner, outer [sha256.BlockSize]byte }

func newMacKey(key [32]byte) (k macKey) {
	copy(k.inner[:], key[:])
	k.outer = k.inner
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	return k
}

// sum allocates only for data that is longer than money's packets are.
func (k *macKey) sum(data []byte) [32]byte {
	var room [512]byte
	inner := sha256.Sum256(append(append(room[:0], k.inner[:]...), data...))
	return sha256.Sum256(append(append(room[:0], k.outer[:]...), inner[:]...))
}

// sealer is AES-256-GCM in STREAM's order: IV, tag, ciphertext (RFC 29, section 4.2).
type sealer struct{ aead cipher.AEAD }

func newSealer(key [32]byte) sealer {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("stream: " + err.Error()) // a key of 32 bytes is always accepted
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("stream: " + err.Error()) // AES blocks are always accepted
	}
	return sealer{aead}
}

// seal appends initialization vector, tag and ciphertext to dst.
func (s sealer) seal(dst []byte, random io.Reader, plaintext []byte) ([]byte, error) {
	start := len(dst)
	out := slices.Grow(dst, sealSize+len(plaintext)+tagSize)[:start+sealSize]
	iv, tag := out[start:start+ivSize], out[start+ivSize:]
	if _, err := io.ReadFull(random, iv); err != nil {
		return dst, err
	}
	// Go puts the tag last: encrypt behind the place for it, then move it there.
	out = s.aead.Seal(out, iv, plaintext, nil)
	end := len(out) - tagSize
	copy(tag, out[end:])
	return out[:end], nil
}

// open appends the plaintext to dst.
func (s sealer) open(dst, data []byte) ([]byte, error) {
	if len(data) < sealSize {
		return dst, ErrDecrypt
	}
	start := len(dst)
	out := slices.Grow(dst, len(data)-ivSize)
	out = append(append(out, data[sealSize:]...), data[ivSize:sealSize]...) // the tag last, as Go expects it
	out, err := s.aead.Open(out[:start], data[:ivSize], out[start:], nil)
	if err != nil {
		return dst, ErrDecrypt
	}
	return out, nil
}
