package payments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ledger"
)

// opening is how a payment begins: a hold for its whole debit, and its row. A payment
// within this wallet is opened by the packet that delivers it, which ends it, too: the
// opening travels in the packet's context, from Confirm to Deliver, and all is one
// commit.
type opening struct {
	Outgoing // as it begins; once it is delivered, as it ended
	chain    ledger.Chain
	charge   *charging // nil for what a person confirms
	refused  error     // why it can't be opened, by itself either; nil while that isn't known
}

func newOpening(q Quote, now time.Time) *opening {
	hold := ledger.OpenHold{
		Reference: q.ID, Debit: q.AccountID, Credit: outgoingAccount(ilp.Asset(q.DebitAmount.Asset)), Amount: q.DebitAmount.Value,
	}
	return &opening{Outgoing: beginning(q, now), chain: ledger.Chain{hold}}
}

// end is how the packet that delivers all of the payment ends it.
func (o *opening) end() (ledger.Chain, error) {
	chain := ledger.Chain{closingOf(o.ID, o.AccountID, ilp.Asset(o.DebitAmount.Asset))}
	if o.charge == nil {
		return chain, nil
	}
	end, err := o.charge.end(o.charge.amount.Value)
	return append(chain, end...), err
}

type openingKey struct{} // of the context's value

// openingOf returns the opening of a payment that isn't open yet, else nil.
func openingOf(ctx context.Context) *opening {
	o, _ := ctx.Value(openingKey{}).(*opening)
	return o
}

// payAtOnce opens, delivers and ends a payment within this wallet in one commit. It
// returns false when nothing was done, or nobody knows: unless the opening was refused,
// opening the payment by itself then tells why, and the worker goes on.
func (s *Service) payAtOnce(ctx context.Context, o *opening) bool {
	if !s.works() {
		return false
	}
	if err := s.sendAtOnce(ctx, o); err != nil && o.refused == nil {
		s.Log.Info("a payment is not made at once", "payment", o.ID, "cause", err)
	}
	if o.State != Completed {
		return false
	}
	s.tally.count(Completed)
	return true
}

func (s *Service) sendAtOnce(ctx context.Context, o *opening) (err error) {
	defer caught(&err)
	receiver, err := s.Resolve(ctx, o.Receiver)
	if err != nil || receiver.Local == nil {
		return err
	}
	_, err = s.sendTo(context.WithValue(ctx, openingKey{}, o), receiver, o.Outgoing, orderOf(o.Outgoing))
	return err
}

// works reports whether payments are sent: it is after Start, and nothing stops yet.
func (s *Service) works() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx != nil && s.ctx.Err() == nil
}

// ended is the payment after the packet that delivers all of it.
func (o *opening) ended(d connector.Delivery, now time.Time) Outgoing {
	p := o.Outgoing
	p.State, p.EndedAt, p.Packets = Completed, now, 1
	p.SentAmount.Value, p.DeliveredAmount.Value = d.AmountIn, d.AmountOut
	return p
}

// deliverAtOnce delivers the packet that opens its payment. Whatever is wrong refuses
// the packet for good: it isn't to be sent again in this way.
func (b *Books) deliverAtOnce(ctx context.Context, d connector.Delivery, o *opening, chain ledger.Chain, to line) error {
	if d.AmountIn != o.DebitAmount.Value || d.To.Asset != ilp.Asset(o.ReceiveAmount.Asset) {
		return fmt.Errorf("%w: it isn't the payment that was quoted", connector.ErrRefused)
	}
	p := o.ended(d, b.Now().UTC().Truncate(time.Microsecond))
	end, err := o.end()
	if err != nil {
		return fmt.Errorf("%w: %w", connector.ErrRefused, err)
	}
	err = b.Writer.Submit(ctx, b.unit(slices.Concat(o.chain, chain, end), func(tx db.Tx) error {
		return o.charge.rows(ctx, tx, p, func() error { return insertBoth(ctx, tx, p, to) })
	}))
	switch {
	case err == nil:
		o.Outgoing = p
		return nil
	case errors.Is(err, db.ErrStopped):
		return fmt.Errorf("%w: %w", connector.ErrUnknown, err)
	case o.unopened(err):
		o.refused = err
	}
	return fmt.Errorf("%w: %w", connector.ErrRefused, full(d, err))
}

// unopened reports whether an error is about the opening, not the delivery: a command
// of the opening's own was refused, or the guard of its agreement said no.
func (o *opening) unopened(err error) bool {
	var refused *ledger.Error
	if errors.As(err, &refused) {
		return refused.Index < len(o.chain)
	}
	return errors.Is(err, connector.ErrBusy) || errors.Is(err, connector.ErrRefused)
}

// insertBoth writes a payment that was made at once, on both sides.
func insertBoth(ctx context.Context, tx db.Tx, p Outgoing, to line) error {
	if err := insertOutgoing(ctx, tx, p); err != nil {
		return fmt.Errorf("write the outgoing payment: %w", err)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO incoming_payments
		(id, user_id, account_id, pointer_id, sender, sender_name, received_amount, packets, created_at, updated_at, request_id)
		SELECT ?1, ?2, ?3, ?4, `+senderOf("?5", "?6")+`, name, ?7, ?8, ?9, ?9, ?10 FROM users WHERE id = ?5`,
		p.ID[:], to.user[:], to.account[:], to.pointer[:], p.UserID[:], p.AccountID[:], p.DeliveredAmount.Value, p.Packets, p.EndedAt.UnixMicro(),
		orNull(to.request))
	if err != nil {
		return fmt.Errorf("write the incoming payment: %w", err)
	}
	return nil
}

// senderOf is SQL for the pointer that a payee is told: the account's, if it has one,
// else another of the person's.
func senderOf(user, account string) string {
	return "coalesce((SELECT name FROM pointers WHERE user_id = " + user + " ORDER BY account_id <> " + account + ", id LIMIT 1), '')"
}
