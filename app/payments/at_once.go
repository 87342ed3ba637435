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
	rows     func(db.Tx) error
	reserve  *reserve // of a charge, else nil
}

func newOpening(ctx context.Context, q Quote, now time.Time) *opening {
	hold := ledger.OpenHold{
		Reference: q.ID, Debit: q.AccountID, Credit: outgoingAccount(ilp.Asset(q.DebitAmount.Asset)), Amount: q.DebitAmount.Value,
	}
	return &opening{
		Outgoing: beginning(q, now), chain: ledger.Chain{hold},
		rows: func(tx db.Tx) error { return insertOutgoing(ctx, tx, q, now) },
	}
}

// end is how the packet that delivers all of the payment ends it.
func (o *opening) end() (ledger.Chain, error) {
	chain := ledger.Chain{closingOf(o.ID, o.AccountID, ilp.Asset(o.DebitAmount.Asset))}
	if o.reserve == nil {
		return chain, nil
	}
	end, err := o.reserve.end(o.reserve.amount.Value)
	return append(chain, end...), err
}

type openingKey struct{} // of the context's value

// openingOf returns the opening of a payment that isn't open yet, else nil.
func openingOf(ctx context.Context) *opening {
	o, _ := ctx.Value(openingKey{}).(*opening)
	return o
}

// payAtOnce opens, delivers and ends a payment within this wallet in one commit. It
// returns false when nothing was done, or nobody knows: opening the payment by itself
// then tells why, and the worker goes on.
func (s *Service) payAtOnce(ctx context.Context, o *opening) bool {
	if !s.works() {
		return false
	}
	if err := s.sendAtOnce(ctx, o); err != nil {
		s.Log.Info("a payment is not made at once", "payment", o.ID, "cause", err)
	}
	return o.State == Completed
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

// deliverAtOnce delivers the packet that opens its payment. Whatever is wrong refuses
// the packet for good: it isn't to be sent again in this way.
func (b *Books) deliverAtOnce(ctx context.Context, d connector.Delivery, o *opening, chain ledger.Chain, to line) error {
	if d.AmountIn != o.DebitAmount.Value {
		return fmt.Errorf("%w: it isn't the whole payment", connector.ErrRefused)
	}
	now := b.Now().UTC().Truncate(time.Microsecond)
	end, err := o.end()
	if err != nil {
		return fmt.Errorf("%w: %w", connector.ErrRefused, err)
	}
	err = b.Writer.Submit(ctx, b.unit(slices.Concat(o.chain, chain, end), func(tx db.Tx) error {
		if err := o.rows(tx); err != nil {
			return err
		}
		if o.reserve != nil {
			if err := o.reserve.writeAll(ctx, tx); err != nil {
				return err
			}
		}
		return b.paymentRows(ctx, tx, d, to, true, now)
	}))
	switch {
	case err == nil:
		o.State, o.EndedAt, o.Packets = Completed, now, 1
		o.SentAmount, o.DeliveredAmount.Value = o.DebitAmount, d.AmountOut
		return nil
	case errors.Is(err, db.ErrStopped):
		return fmt.Errorf("%w: %w", connector.ErrUnknown, err)
	}
	return fmt.Errorf("%w: %w", connector.ErrRefused, full(d, err))
}
