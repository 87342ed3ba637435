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
type chainHash struct{ h hash.Hash }

func newChainHash(previous [32]byte, seq, at int64) chainHash {
	c := chainHash{sha256.New()}
	c.h.Write(previous[:])
	c.ints(uint64(seq), uint64(at))
	return c
}

func (c chainHash) entry(kind int64, body []byte) {
	c.h.Write([]byte{'l'})
	c.ints(uint64(kind), uint64(len(body)))
	c.h.Write(body)
}

func (c chainHash) transfer(t postedTransfer) {
	if t.drawn {
		c.h.Write([]byte{'d'})
		c.h.Write(t.hold[:])
	} else {
		c.h.Write([]byte{'t'})
	}
	for _, id := range []ID{t.ID, t.Debit, t.Credit, t.Reference} {
		c.h.Write(id[:])
	}
	c.ints(t.Amount, uint64(t.ledger), uint64(t.Code))
}

func (c chainHash) ints(values ...uint64) {
	var b [8]byte
	for _, v := range values {
		binary.BigEndian.PutUint64(b[:], v)
		c.h.Write(b[:])
	}
}

func (c chainHash) sum() (out [32]byte) {
	c.h.Sum(out[:0])
	return out
}

// sealOf is what is kept beside the chain to tell where it ends: not the hash
// itself, which whoever cuts the chain off finds in the batch before.
func sealOf(last [32]byte) [32]byte {
	return sha256.Sum256(append([]byte("pochi ledger end"), last[:]...))
}
