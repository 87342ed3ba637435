package ledger

import (
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
)

// entry is a command that took effect and is no transfer, as it is logged. From
// the log and the transfers alone the ledger can be made again.
type entry interface {
	kind() int64
	// body is the entry's fields in their order, integers big-endian.
	body() []byte
	// replay applies the entry to what came before it, or tells why it could
	// not have been accepted.
	replay(m *mirror) error
}

// The kinds of entry, in ledger_log.kind.
const (
	kindAsset int64 = iota + 1
	kindAccountOpened
	kindAccountClosed
	kindLimit
	kindHoldOpened
	kindHoldClosed
)

type assetOpened struct {
	ledger uint32
	asset  Asset
}

type accountOpened struct {
	id     ID
	ledger uint32
	code   uint16
	limit  uint64
}

type accountClosed struct{ id ID }

type limitSet struct {
	id    ID
	limit uint64
}

type holdOpened struct {
	key    holdKey
	amount uint64
}

type holdClosed struct {
	key      holdKey
	returned uint64
}

func (e assetOpened) kind() int64   { return kindAsset }
func (e accountOpened) kind() int64 { return kindAccountOpened }
func (e accountClosed) kind() int64 { return kindAccountClosed }
func (e limitSet) kind() int64      { return kindLimit }
func (e holdOpened) kind() int64    { return kindHoldOpened }
func (e holdClosed) kind() int64    { return kindHoldClosed }

func (e assetOpened) body() []byte {
	b := binary.BigEndian.AppendUint32(nil, e.ledger)
	return append(append(b, e.asset.Scale), e.asset.Code...)
}

func (e accountOpened) body() []byte {
	b := binary.BigEndian.AppendUint32(e.id[:], e.ledger)
	b = binary.BigEndian.AppendUint16(b, e.code)
	return binary.BigEndian.AppendUint64(b, e.limit)
}

func (e accountClosed) body() []byte { return e.id[:] }
func (e limitSet) body() []byte      { return binary.BigEndian.AppendUint64(e.id[:], e.limit) }
func (e holdOpened) body() []byte    { return e.key.body(e.amount) }
func (e holdClosed) body() []byte    { return e.key.body(e.returned) }

func (k holdKey) body(amount uint64) []byte {
	b := make([]byte, 0, 56)
	for _, id := range []ID{k.reference, k.debit, k.credit} {
		b = append(b, id[:]...)
	}
	return binary.BigEndian.AppendUint64(b, amount)
}

// decodeEntry reads what kind and body wrote, and nothing else.
func decodeEntry(kind int64, body []byte) (entry, error) {
	r := bodyReader{rest: body}
	var e entry
	switch kind {
	case kindAsset:
		e = assetOpened{uint32(r.uint(4)), Asset{Scale: uint8(r.uint(1)), Code: string(r.all())}}
	case kindAccountOpened:
		e = accountOpened{r.id(), uint32(r.uint(4)), uint16(r.uint(2)), r.uint(8)}
	case kindAccountClosed:
		e = accountClosed{r.id()}
	case kindLimit:
		e = limitSet{r.id(), r.uint(8)}
	case kindHoldOpened:
		e = holdOpened{holdKey{r.id(), r.id(), r.id()}, r.uint(8)}
	case kindHoldClosed:
		e = holdClosed{holdKey{r.id(), r.id(), r.id()}, r.uint(8)}
	default:
		return nil, fmt.Errorf("kind %d is unknown", kind)
	}
	if r.short || len(r.rest) > 0 {
		return nil, fmt.Errorf("body of kind %d has %d bytes", kind, len(body))
	}
	return e, nil
}

// bodyReader takes fields off a body; short says that there were too few bytes.
type bodyReader struct {
	rest  []byte
	short bool
}

func (r *bodyReader) take(n int) []byte {
	if len(r.rest) < n {
		r.short = true
		return make([]byte, n)
	}
	field := r.rest[:n]
	r.rest = r.rest[n:]
	return field
}

func (r *bodyReader) all() []byte { return r.take(len(r.rest)) }

func (r *bodyReader) id() ID { return uuid.UUID(r.take(len(ID{}))) }

func (r *bodyReader) uint(size int) (v uint64) {
	for _, b := range r.take(size) {
		v = v<<8 | uint64(b)
	}
	return v
}
