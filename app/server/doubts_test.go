package server

import (
	"testing"

	"pochi/app/payments"
	"pochi/app/peers"

	"github.com/google/uuid"
)

// What may have arrived though the answer was lost counts as in flight to the
// peer, also after a restart, until somebody settles it.
func TestDoubtsCountAsInFlight(t *testing.T) {
	for name, accept := range map[string]bool{"accepted": true, "dismissed": false} {
		t.Run(name, func(t *testing.T) {
			ann, ben := newNeighbour(t, "ann"), newNeighbour(t, "ben")
			join(t, ann, ben, mode{}, mode{})
			limit := uint64(25_00)
			if _, err := ann.admin().UpdatePeer(t.Context(), "ben", peers.Change{MaxInFlightValue: &limit}); err != nil {
				t.Fatal(err)
			}
			id := ann.quote(ben, "25")
			ben.front.loses.Store(true)
			ann.confirm(id)
			if p := ann.outcome(id); p.State != payments.Failed || p.Doubted.Value != 25_00 {
				t.Errorf("%+v", p)
			}
			ben.front.loses.Store(false)
			blocked := func() {
				t.Helper()
				_, err := ann.payments.Quote(t.Context(), ann.person.ID, payments.QuoteRequest{
					AccountID: ann.person.Account, To: ben.person.Pointer, Amount: "1", Fixed: payments.FixedDebit,
				})
				if err == nil {
					t.Error("more may be in flight than was agreed")
				}
			}
			blocked()
			ann.stop()
			ann.start()
			blocked()
			settled, err := ann.admin().ResolveDoubt(t.Context(), "ben", peers.Resolution{Reference: id, Accept: accept})
			if err != nil || settled.Payment == nil || *settled.Payment != id || settled.Payer != "ann@example.com" {
				t.Errorf("%+v, %v", settled, err)
			}
			if p := ann.pay(ben, "25"); p.State != payments.Completed {
				t.Errorf("after the settlement: %+v", p)
			}
			want := int64(25_00)
			if accept {
				want += 25_00 // as by Ben's books
			}
			if has, owed := ann.standing(ann.db.Read); has != 75_00 || owed != want {
				t.Errorf("Ann has %d, Ben is owed %d, want %d", has, owed, want)
			}
			if has, owed := ben.standing(ben.db.Read); has != 150_00 || owed != -50_00 {
				t.Errorf("Ben has %d, and is owed %d", has, -owed)
			}
			if _, err := ann.admin().ResolveDoubt(t.Context(), "ben", peers.Resolution{Reference: uuid.New()}); err == nil {
				t.Error("something was in doubt under another reference")
			}
		})
	}
}
