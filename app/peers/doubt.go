package peers

import (
	"context"
	"fmt"
	"time"

	"pochi/db"

	"github.com/google/uuid"
)

// Doubt is an answer that was lost: the peer may have fulfilled, and claim the
// amount.
type Doubt struct {
	Peer      uuid.UUID
	Reference uuid.UUID // what the packet moved for
	Amount    uint64    // units of the peer's asset
	Cause     string
}

// Record writes a doubt down, in the transaction that gives the money back. Those
// about the same peer and reference are one row, as long as that is open.
func (d Doubt) Record(ctx context.Context, tx db.Tx, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO peer_doubts (peer, reference, packets, amount, first_at, last_at, cause, state) VALUES (?, ?, 1, ?, ?, ?, ?, 0)
		ON CONFLICT (peer, reference) WHERE state = 0 DO UPDATE SET packets = packets + 1, last_at = excluded.last_at, cause = excluded.cause,
		amount = iif(amount > 9223372036854775807 - excluded.amount, 9223372036854775807, amount + excluded.amount)`,
		d.Peer[:], d.Reference[:], d.Amount, at.UnixMicro(), at.UnixMicro(), d.Cause)
	if err != nil {
		return fmt.Errorf("write down what a peer may claim: %w", err)
	}
	return nil
}
