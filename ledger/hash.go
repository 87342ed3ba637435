package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// chainHash links a batch to the one before: SHA-256 over the previous hash,
// the batch's number and time, and its log entries and transfers in the order
// they took effect. Integers are 8 bytes, big-endian; what may differ in length
// comes after its length.
//
//	entry     'l' kind length body
//	transfer  't' id debit credit reference amount ledger code
//	draw      'd' the hold's credit account, then as a transfer
//	packets   'p' debit credit reference amount ledger code hold's number or 0, count
type chainHash struct {
	h   hash.Hash
	buf []byte
}

func newChainHash(previous [32]byte, seq, at int64) *chainHash {
	c := &chainHash{h: sha256.New(), buf: make([]byte, 0, 256)}
	c.h.Write(previous[:])
	c.begin(0)
	c.ints(uint64(seq), uint64(at))
	c.end()
	return c
}

// hashedTransfer is what is hashed of a transfer. One of packets has a count.
type hashedTransfer struct {
	posting
	ledger  uint32
	holdN   int64
	packets int64
}

func (c *chainHash) entry(kind int64, body []byte) {
	c.begin('l')
	c.ints(uint64(kind), uint64(len(body)))
	c.end()
	c.h.Write(body)
}

func (c *chainHash) transfer(t hashedTransfer) {
	switch {
	case t.packets > 0:
		c.begin('p')
	case t.drawn:
		c.begin('d')
		c.buf = append(append(c.buf, t.hold[:]...), t.ID[:]...)
	default:
		c.begin('t')
		c.buf = append(c.buf, t.ID[:]...)
	}
	c.buf = append(append(append(c.buf, t.Debit[:]...), t.Credit[:]...), t.Reference[:]...)
	c.ints(t.Amount, uint64(t.ledger), uint64(t.Code))
	if t.packets > 0 {
		c.ints(uint64(t.holdN), uint64(t.packets))
	}
	c.end()
}

// begin starts a piece, with a tag unless that is 0.
func (c *chainHash) begin(tag byte) {
	c.buf = c.buf[:0]
	if tag != 0 {
		c.buf = append(c.buf, tag)
	}
}

func (c *chainHash) ints(values ...uint64) {
	for _, v := range values {
		c.buf = binary.BigEndian.AppendUint64(c.buf, v)
	}
}

func (c *chainHash) end() { c.h.Write(c.buf) }

func (c *chainHash) sum() (out [32]byte) {
	c.h.Sum(out[:0])
	return out
}

// sealOf is what is kept beside the chain to tell where it ends: not the hash
// itself, which whoever cuts the chain off finds in the batch before.
func sealOf(last [32]byte) [32]byte {
	return sha256.Sum256(append([]byte("pochi ledger end"), last[:]...))
}
