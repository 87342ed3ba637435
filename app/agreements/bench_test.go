package agreements_test

import (
	"testing"

	"github.com/google/uuid"
)

// What a packet asks of its agreement, and its guard on the writer's goroutine.
func BenchmarkAgreementsPacket(b *testing.B) {
	w := newWallet(b)
	a := w.approve(w.person("ann"), monthly(b))
	for b.Loop() {
		terms, err := w.Agreement(ctx, a.ID, 1)
		if err != nil || terms.Authority.Guard() != nil {
			b.Fatal(err)
		}
	}
}

// The same for one of many agreements.
func BenchmarkAgreementsPacketOfMany(b *testing.B) {
	w := newWallet(b)
	ann, ids := w.person("ann"), make([]uuid.UUID, 256)
	for i := range ids {
		ids[i] = w.approve(ann, monthly(b)).ID
	}
	for i := 0; b.Loop(); i++ {
		if _, err := w.Agreement(ctx, ids[i%len(ids)], 1); err != nil {
			b.Fatal(err)
		}
	}
}
