package db

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ErrHead: the head row is not as a writer left it. Going on would hide that.
var ErrHead = errors.New("the head row was changed by something other than the wallet: run `pochi check`, and restore a backup")

// Head is the row that fences writers out and says how far the database is.
type Head struct {
	Seq   int64 // of the last batch
	Epoch int64 // raised by a restore
	At    int64 // of the last batch, unix microseconds
}

// Seal returns what is stored beside the row: SHA-256 over "pochi head" and its
// numbers, 8 bytes each, big-endian. It gives away whoever edits the row alone.
func (h Head) Seal() [32]byte {
	b := []byte("pochi head")
	for _, v := range []int64{h.Seq, h.Epoch, h.At} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	return sha256.Sum256(b)
}

// readHead returns the head row, or ErrHead.
func readHead(ctx context.Context, tx Tx) (Head, error) {
	var h Head
	var seal []byte
	if err := tx.QueryRowContext(ctx, "SELECT seq, epoch, at, seal FROM head").Scan(&h.Seq, &h.Epoch, &h.At, &seal); err != nil {
		return h, fmt.Errorf("read head: %w", err)
	}
	if want := h.Seal(); string(seal) != string(want[:]) {
		return h, ErrHead
	}
	return h, nil
}

// moveHead fences other writers out: whoever finds another seq or epoch than
// it left there stops.
func (w *Writer) moveHead(ctx context.Context, batch Batch) error {
	next := Head{Seq: batch.Seq, Epoch: w.head.Epoch, At: batch.At.UnixMicro()}
	seal := next.Seal()
	res, err := w.conn.ExecContext(ctx, "UPDATE head SET seq = ?, at = ?, seal = ? WHERE seq = ? AND epoch = ?",
		next.Seq, next.At, seal[:], w.head.Seq, w.head.Epoch)
	if err != nil {
		return fmt.Errorf("move head: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(ErrFenced, err)
	}
	return nil
}

// tick returns the batch's time: now, or just after the last batch when the
// clock went back.
func (w *Writer) tick() time.Time {
	at, last := w.now().UTC().Truncate(time.Microsecond), time.UnixMicro(w.head.At).UTC()
	if !at.After(last) {
		at = last.Add(time.Microsecond)
	}
	return at
}
