package ledger

import (
	"bytes"
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
	kindHoldsMoved
	kindUnreservedOpened
	kindSuspended
	kindResolved
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
	data   ID
}

type accountClosed struct{ id ID }

type limitSet struct {
	id    ID
	limit uint64
}

type holdOpened struct {
	key     holdKey
	amount  uint64
	expires int64 // unix microseconds, 0 for never
}

type holdClosed struct {
	key      holdKey
	returned uint64
}

// holdsMoved is what a batch took into flight, hold by hold.
type holdsMoved []holdMoved

type holdMoved struct {
	hold   int64 // its number
	net    int64 // what was taken, less what was released
	toward int64 // the number of the account that it goes to; 0 when nothing is in flight
}

type unreservedOpened struct{ key holdKey }

// suspended is what recovery put into suspense. The transfer of it follows.
type suspended struct {
	reference, bearer, counterparty ID
	amount                          uint64
	together                        int64 // the number of the first item of its group
}

// resolved ends an item of suspense. The transfer of it follows.
type resolved struct {
	item  int64
	state suspenseState
}

func (e assetOpened) kind() int64      { return kindAsset }
func (e accountOpened) kind() int64    { return kindAccountOpened }
func (e accountClosed) kind() int64    { return kindAccountClosed }
func (e limitSet) kind() int64         { return kindLimit }
func (e holdOpened) kind() int64       { return kindHoldOpened }
func (e holdClosed) kind() int64       { return kindHoldClosed }
func (e holdsMoved) kind() int64       { return kindHoldsMoved }
func (e unreservedOpened) kind() int64 { return kindUnreservedOpened }
func (e suspended) kind() int64        { return kindSuspended }
func (e resolved) kind() int64         { return kindResolved }

func (e assetOpened) body() []byte {
	b := binary.BigEndian.AppendUint32(nil, e.ledger)
	return append(append(b, e.asset.Scale), e.asset.Code...)
}

func (e accountOpened) body() []byte {
	b := binary.BigEndian.AppendUint32(e.id[:], e.ledger)
	b = binary.BigEndian.AppendUint16(b, e.code)
	b = binary.BigEndian.AppendUint64(b, e.limit)
	if e.data != (ID{}) {
		b = append(b, e.data[:]...)
	}
	return b
}

func (e accountClosed) body() []byte { return e.id[:] }
func (e limitSet) body() []byte      { return binary.BigEndian.AppendUint64(e.id[:], e.limit) }
func (e holdClosed) body() []byte    { return e.key.body(e.returned) }

func (e holdOpened) body() []byte {
	b := e.key.body(e.amount)
	if e.expires != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(e.expires))
	}
	return b
}

func (e holdsMoved) body() []byte {
	var b []byte
	for _, m := range e {
		b = binary.AppendUvarint(b, uint64(m.hold))
		b = binary.AppendVarint(b, m.net)
		b = binary.AppendUvarint(b, uint64(m.toward))
	}
	return b
}

func (e unreservedOpened) body() []byte { return e.key.body() }

func (e suspended) body() []byte {
	return holdKey{e.reference, e.bearer, e.counterparty}.body(e.amount, uint64(e.together))
}

func (e resolved) body() []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(e.item)), byte(e.state))
}

func (k holdKey) body(numbers ...uint64) []byte {
	b := make([]byte, 0, 64)
	for _, id := range []ID{k.reference, k.debit, k.credit} {
		b = append(b, id[:]...)
	}
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// decodeEntry reads what kind and body wrote, and nothing else.
func decodeEntry(kind int64, body []byte) (entry, error) {
	r := bodyReader{rest: body}
	var e entry
	switch kind {
	case kindAsset:
		e = assetOpened{uint32(r.uint(4)), Asset{Scale: uint8(r.uint(1)), Code: string(r.all())}}
	case kindAccountOpened:
		e = accountOpened{r.id(), uint32(r.uint(4)), uint16(r.uint(2)), r.uint(8), optional(&r, r.id)}
	case kindAccountClosed:
		e = accountClosed{r.id()}
	case kindLimit:
		e = limitSet{r.id(), r.uint(8)}
	case kindHoldOpened:
		e = holdOpened{r.holdKey(), r.uint(8), optional(&r, r.int)}
	case kindHoldClosed:
		e = holdClosed{r.holdKey(), r.uint(8)}
	case kindHoldsMoved:
		e = r.holdsMoved()
	case kindUnreservedOpened:
		e = unreservedOpened{r.holdKey()}
	case kindSuspended:
		e = suspended{r.id(), r.id(), r.id(), r.uint(8), r.int()}
	case kindResolved:
		e = resolved{r.int(), suspenseState(r.uint(1))}
	default:
		return nil, fmt.Errorf("kind %d is unknown", kind)
	}
	if r.short || len(r.rest) > 0 || !bytes.Equal(e.body(), body) { // there is one way to write an entry
		return nil, fmt.Errorf("body of kind %d has %d bytes, or is not as it was written", kind, len(body))
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

// optional reads a field that is only written when it isn't zero.
func optional[T any](r *bodyReader, read func() T) (zero T) {
	if len(r.rest) == 0 {
		return zero
	}
	return read()
}

func (r *bodyReader) holdKey() holdKey { return holdKey{r.id(), r.id(), r.id()} }

func (r *bodyReader) int() int64 { return int64(r.uint(8)) }

func (r *bodyReader) holdsMoved() (e holdsMoved) {
	r.short = len(r.rest) == 0
	for len(r.rest) > 0 && !r.short {
		e = append(e, holdMoved{r.unsigned(), r.signed(), r.unsigned()})
	}
	return e
}

func (r *bodyReader) unsigned() int64 {
	v, n := binary.Uvarint(r.rest)
	r.take(max(n, 0))
	r.short = r.short || n <= 0
	return int64(v)
}

func (r *bodyReader) signed() int64 {
	v, n := binary.Varint(r.rest)
	r.take(max(n, 0))
	r.short = r.short || n <= 0
	return v
}

func (r *bodyReader) id() ID { return uuid.UUID(r.take(len(ID{}))) }

func (r *bodyReader) uint(size int) (v uint64) {
	for _, b := range r.take(size) {
		v = v<<8 | uint64(b)
	}
	return v
}
