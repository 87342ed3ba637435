package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
)

// chainHash links a batch to the one before: SHA-256 over the previous hash,
// the batch's number and time, the accounts that it opened in the order of
// their ids, and its transfers in the order they were applied. Integers are
// 8 bytes, big-endian.
type chainHash struct{ h hash.Hash }

func newChainHash(previous [32]byte, seq, at int64) chainHash {
	c := chainHash{sha256.New()}
	c.h.Write(previous[:])
	c.ints(uint64(seq), uint64(at))
	return c
}

func (c chainHash) account(a Account) {
	c.h.Write([]byte{'a'})
	c.h.Write(a.ID[:])
	c.ints(uint64(a.Ledger), uint64(a.Code), a.Limit)
}

func (c chainHash) transfer(t postedTransfer) {
	c.h.Write([]byte{'t'})
	for _, id := range []ID{t.ID, t.Debit, t.Credit, t.Reference} {
		c.h.Write(id[:])
	}
	c.ints(t.Amount, uint64(t.ledger), uint64(t.Code))
	if t.drawn {
		c.h.Write([]byte{'d'})
	}
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

func sortAccounts(accounts []*Account) {
	slices.SortFunc(accounts, func(a, b *Account) int { return bytes.Compare(a.ID[:], b.ID[:]) })
}
