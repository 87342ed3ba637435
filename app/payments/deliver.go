package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pochi/db"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Deliver implements connector.Books for receivers of this wallet.
func (b *Books) Deliver(ctx context.Context, d connector.Delivery) error {
	if d.From.Account == d.To.Account {
		return errOneself()
	}
	to, err := b.line(ctx, d.To)
	if err != nil {
		return err
	}
	if !fromPayment(d) {
		return b.arrive(ctx, d, to)
	}
	chain, err := paymentChain(d)
	if err != nil {
		return err
	}
	if o := openingOf(ctx); o != nil {
		return b.deliverAtOnce(ctx, d, o, chain, to)
	}
	return full(d, refusal(b.Writer.Submit(ctx, b.paymentUnit(ctx, d, chain, to))))
}

// paymentUnit is a packet of a payment. The one that brings the rest of the debit
// ends the payment, too.
func (b *Books) paymentUnit(ctx context.Context, d connector.Delivery, chain ledger.Chain, to line) db.Unit {
	var last bool
	var reserved *reserve // of the last packet, if the payment is a charge
	return db.Unit{
		Apply: func(tx db.Tx) (undo func(), err error) {
			if last, err = isLast(ctx, tx, d); err != nil {
				return nil, err
			}
			if last {
				end, of, err := lastOf(ctx, tx, d)
				if err != nil {
					return nil, err
				}
				chain, reserved = append(chain, end...), of
			}
			return b.Ledger.Apply(tx, chain)
		},
		Rows: func(tx db.Tx) error {
			if reserved != nil {
				if err := reserved.writeAll(ctx, tx); err != nil {
					return err
				}
			}
			return b.paymentRows(ctx, tx, d, to, last, b.Now())
		},
	}
}

// isLast reports whether nothing is left of a payment after this packet: then its
// hold has nothing in flight, either. A payment that has other holds is ended with
// them, by itself.
func isLast(ctx context.Context, tx db.Tx, d connector.Delivery) (last bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM outgoing_payments o WHERE id = ?1 AND sent_amount + ?2 = debit_amount)
		AND NOT EXISTS (SELECT 1 FROM holds WHERE reference = ?1 AND unreserved = 1 AND closed = 0)`,
		d.From.Reference[:], d.AmountIn).Scan(&last)
	if err != nil {
		return false, fmt.Errorf("look up the payment: %w", err)
	}
	return last, nil
}

func errOneself() error {
	return fmt.Errorf("%w: it would pay the account it comes from", connector.ErrRefused)
}

// arrive pays somebody of this wallet from another node's account, or under an
// agreement. The receiver's line is written when the batch ends.
func (b *Books) arrive(ctx context.Context, d connector.Delivery, to line) error {
	chain, err := b.firstMoves(ctx, d, leg.packet)
	if err != nil {
		return err
	}
	ended, err := b.lines.admit(d, b.Now())
	if err != nil {
		return err
	}
	err = b.Writer.Submit(ctx, b.guarded(ctx, d, db.Unit{Apply: func(tx db.Tx) (func(), error) {
		undoChain, err := b.applyMoved(ctx, tx, d, chain)
		if err != nil {
			return nil, err
		}
		undoLine := b.arrivals.add(to, d.AmountOut)
		return func() { undoLine(); undoChain() }, nil
	}}))
	ended(err)
	b.spent(d, err)
	return full(d, credit(d, refusal(err)))
}

// paymentChain draws on the payment's hold and pays the payee, through the
// exchange accounts when the currencies differ, within the cap of the request if it
// pays one.
func paymentChain(d connector.Delivery) (ledger.Chain, error) {
	legs, err := moneyLegs(d)
	if err != nil {
		return nil, err
	}
	first := legs[0]
	draw := ledger.Draw{
		Reference: first.reference, Debit: first.debit, Credit: first.via, To: first.to, Amount: first.amount, Code: CodePayment,
	}
	if draw.ID, err = uuid.NewV7(); err != nil {
		return nil, err
	}
	chain := ledger.Chain{draw}
	for _, l := range legs[1:] {
		t := ledger.Transfer{Debit: l.debit, Credit: l.to, Amount: l.amount, Code: l.code, Reference: l.reference}
		if t.ID, err = uuid.NewV7(); err != nil {
			return nil, err
		}
		chain = append(chain, t)
	}
	for _, l := range capLegs(d) {
		chain = append(chain, l.packet())
	}
	return chain, nil
}

// paymentRows adds a packet to the payment on both sides. The payer's must
// still be sending, in the currency that was quoted: a pointer may have come
// to pay another account since. The last packet ends it.
func (b *Books) paymentRows(ctx context.Context, tx db.Tx, d connector.Delivery, to line, last bool, at time.Time) error {
	now := at.UnixMicro()
	var sender, senderName string
	err := tx.QueryRowContext(ctx, `UPDATE outgoing_payments
		SET sent_amount = sent_amount + ?1, delivered_amount = delivered_amount + ?2, packets = packets + 1,
		state = CASE WHEN ?3 THEN 'completed' ELSE state END, ended_at = CASE WHEN ?3 THEN ?4 ELSE ended_at END
		WHERE id = ?5 AND state = 'sending' AND receive_code = ?6 AND receive_scale = ?7
		RETURNING `+senderOf("outgoing_payments.user_id", "outgoing_payments.account_id")+`,
		(SELECT name FROM users WHERE id = outgoing_payments.user_id)`,
		d.AmountIn, d.AmountOut, last, now, d.From.Reference[:], d.To.Asset.Code, d.To.Asset.Scale).Scan(&sender, &senderName)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: the payment has ended, or its receiver's currency changed", connector.ErrRefused)
	case err != nil:
		return fmt.Errorf("write the outgoing payment: %w", err)
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO incoming_payments
		(id, user_id, account_id, pointer_id, sender, sender_name, received_amount, packets, created_at, updated_at, request_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET received_amount = received_amount + excluded.received_amount,
		packets = packets + 1, updated_at = excluded.updated_at WHERE account_id = excluded.account_id AND request_id IS excluded.request_id`,
		d.From.Reference[:], to.user[:], to.account[:], to.pointer[:], sender, senderName, d.AmountOut, now, now, orNull(to.request))
	if err != nil {
		return fmt.Errorf("write the incoming payment: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 { // the pointer pays another account since the last packet
		return errors.Join(fmt.Errorf("%w: the receiving account changed", connector.ErrRefused), err)
	}
	return nil
}
