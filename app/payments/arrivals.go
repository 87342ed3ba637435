package payments

import (
	"context"
	"database/sql/driver"
	"fmt"

	"pochi/db"
)

// arrivals writes down what arrives from other nodes: an incoming payment for
// each connection, with the sum and the number of its packets. It is a
// db.Participant: the packets of a batch are summed up in memory, and written with
// one statement when it ends. All of it belongs to the writer's goroutine.
//
// Nothing may fail when a batch is written, since that stops the wallet: the
// pointers, accounts, requests and people of lines exist for ever (see fact), no sum is 0,
// and none is more than its account's credits.
type arrivals struct {
	sums   map[line]arrival
	values []driver.Value
}

// arrival is what a batch brings for a line.
type arrival struct{ amount, packets uint64 }

func newArrivals() *arrivals { return &arrivals{sums: map[line]arrival{}} }

// add adds a packet. Undo takes it out again, before anything else is added.
func (a *arrivals) add(l line, amount uint64) (undo func()) {
	before, begun := a.sums[l]
	a.sums[l] = arrival{before.amount + amount, before.packets + 1}
	return func() {
		if a.sums[l] = before; !begun {
			delete(a.sums, l)
		}
	}
}

// Flush implements db.Participant.
func (a *arrivals) Flush(_ context.Context, tx db.BatchTx, b db.Batch) error {
	if len(a.sums) == 0 {
		return nil
	}
	a.values = a.values[:0]
	now := b.At.UnixMicro()
	for l, sum := range a.sums {
		a.values = append(a.values, l.id[:], l.user[:], l.account[:], l.pointer[:], "", "", int64(sum.amount), int64(sum.packets), now, now, orNull(l.request))
	}
	err := tx.Insert(`INSERT INTO incoming_payments
		(id, user_id, account_id, pointer_id, sender, sender_name, received_amount, packets, created_at, updated_at, request_id)`,
		`ON CONFLICT (id) DO UPDATE SET received_amount = received_amount + excluded.received_amount,
		packets = packets + excluded.packets, updated_at = excluded.updated_at`, 11, a.values)
	if err != nil {
		return fmt.Errorf("write what arrived: %w", err)
	}
	return nil
}

// Committed implements db.Participant.
func (a *arrivals) Committed() {
	clear(a.sums)
	clear(a.values)
}
