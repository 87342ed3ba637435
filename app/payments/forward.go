package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"pochi/app/peers"
	"pochi/db"
	"pochi/ilp/connector"
	"pochi/ledger"
)

// Take implements connector.Books. A payment's money is in its hold, everybody
// else's and the wallet's own for exchanging are taken from their balances.
func (b *Books) Take(ctx context.Context, d connector.Delivery) error {
	chain, err := b.firstMoves(ctx, d, leg.take)
	if err != nil {
		return err
	}
	unit := b.guarded(ctx, d, b.unit(chain, b.rows(d, func(tx db.Tx) error { return stillSending(ctx, tx, d) })))
	return nextHop(credit(d, refusal(b.Writer.Submit(ctx, unit))))
}

// nextHop tells a next node that was removed a moment ago from a payee whose
// account is closed: another way may be there the next time.
func nextHop(err error) error {
	var refused *ledger.Error
	if errors.As(err, &refused) && errors.Is(refused.Err, ledger.ErrAccountClosed) {
		return fmt.Errorf("%w: %w", connector.ErrBusy, refused)
	}
	return err
}

// rows are rows of a payment of ours, none if there is none behind the packet.
func (b *Books) rows(d connector.Delivery, rows func(db.Tx) error) func(db.Tx) error {
	if !fromPayment(d) {
		return nil
	}
	return rows
}

func stillSending(ctx context.Context, tx db.Tx, d connector.Delivery) error {
	var one int
	err := tx.QueryRowContext(ctx, "SELECT 1 FROM outgoing_payments WHERE id = ? AND account_id = ? AND state = 'sending'",
		d.From.Reference[:], d.From.Account[:]).Scan(&one)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: the payment has ended", connector.ErrRefused)
	case err != nil:
		return fmt.Errorf("look up the outgoing payment: %w", err)
	}
	return nil
}

// Post implements connector.Books. Of a payment of ours at least the packet's
// minimum has arrived, with what the receiver said of earlier ones; the payment's
// end may know more.
func (b *Books) Post(ctx context.Context, d connector.Delivery) error {
	if d.Authority != nil {
		return b.postUsed(ctx, d)
	}
	return b.untilDone(ctx, d, leg.post, b.rows(d, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE outgoing_payments SET sent_amount = sent_amount + ?, packets = packets + 1,
			delivered_amount = delivered_amount + min(?, ? - delivered_amount) WHERE id = ?`,
			d.AmountIn, min(d.Minimum, ledger.AmountMax), ledger.AmountMax, d.From.Reference[:])
		if err != nil {
			return fmt.Errorf("write the outgoing payment: %w", err)
		}
		return nil
	}))
}

// Release implements connector.Books. What is in doubt goes back too, since
// nothing is owed without a fulfillment in time, but a payment of ours isn't sent
// again for it, and what the peer may claim is written down.
func (b *Books) Release(ctx context.Context, d connector.Delivery, doubt string) error {
	if doubt == "" {
		return b.untilDone(ctx, d, leg.release, nil)
	}
	return b.untilDone(ctx, d, leg.release, func(tx db.Tx) error { return b.doubtRows(ctx, tx, d, doubt) })
}

func (b *Books) doubtRows(ctx context.Context, tx db.Tx, d connector.Delivery, cause string) error {
	if fromPayment(d) {
		_, err := tx.ExecContext(ctx, "UPDATE outgoing_payments SET doubted_amount = doubted_amount + ? WHERE id = ?",
			d.AmountIn, d.From.Reference[:])
		if err != nil {
			return fmt.Errorf("write the outgoing payment: %w", err)
		}
	}
	return peers.Doubt{Peer: d.To.Account, Reference: referenceOf(d), Amount: d.AmountOut, Cause: cause}.Record(ctx, tx, b.Now())
}
