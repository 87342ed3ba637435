package ledger_test

import (
	"testing"
	"time"

	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// A transfer and a hold are found as soon as they are committed, from memory and
// from disk.
func TestLookups(t *testing.T) {
	w, clock := newTimedWorld(t)
	f := w.outgoing(100)
	until := clock.now().Add(time.Hour).Truncate(time.Microsecond).UTC()
	draw := f.draw(5)
	w.do(f.openUntil(60, until), f.take(20), draw)
	for range 2 {
		got, err := w.ledger.FindTransfer(t.Context(), draw.ID)
		want := ledger.Line{
			Seq: got.Seq, ID: draw.ID, At: got.At, Debit: draw.Debit, Credit: draw.To, Amount: 5, Code: draw.Code, Reference: draw.Reference,
		}
		if diff := cmp.Diff(want, got); err != nil || got.Seq == 0 || got.At.IsZero() || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		if err := w.ledger.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	hold, err := ledger.FindHold(t.Context(), w.db.Read, f.reference, f.debit, f.credit)
	want := ledger.Hold{
		Reference: f.reference, Debit: f.debit, Credit: f.credit, Reserved: 35, InFlight: 20, Drawn: 5, Toward: f.toward, Expires: until,
	}
	if diff := cmp.Diff(want, hold); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	_, err = w.ledger.FindTransfer(t.Context(), newID())
	w.want(err, ledger.ErrTransferUnknown)
	_, err = ledger.FindHold(t.Context(), w.db.Read, newID(), f.debit, f.credit)
	w.want(err, ledger.ErrHoldUnknown)
}
