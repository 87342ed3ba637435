package payments

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"runtime/debug"
	"time"

	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

const (
	retryMin   = time.Second     // before a payment that couldn't be ended is tried again, doubling
	retryMax   = 2 * time.Minute // the longest such pause
	endTimeout = 30 * time.Second
)

// Start takes up every payment that an earlier run left unfinished, and sends
// all that are confirmed from now on, until ctx ends. Drain then waits for the
// senders; what has not ended by then is taken up by the next run.
func (s *Service) Start(ctx context.Context) error {
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	left, err := s.unfinished(ctx)
	if err != nil {
		return fmt.Errorf("look for unfinished payments: %w", err)
	}
	for _, id := range left {
		s.launch(id, nil)
	}
	return nil
}

// Drain returns when nothing sends any more. The context of Start must have
// ended, and nothing may be confirmed any more.
func (s *Service) Drain() {
	s.mu.Lock()
	s.ctx = nil
	s.mu.Unlock()
	s.workers.Wait()
}

func (s *Service) unfinished(ctx context.Context) ([]uuid.UUID, error) {
	rows, err := s.DB.Read.QueryContext(ctx, "SELECT id FROM outgoing_payments WHERE state = 'sending' ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

// launch starts a payment's sender, unless it has one, or before Start. What is
// known of a payment that has just been confirmed needn't be read.
func (s *Service) launch(id uuid.UUID, known *Outgoing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil || s.running[id] != nil {
		return
	}
	ctx, done := s.ctx, make(chan struct{})
	s.running[id] = done
	s.workers.Go(func() {
		s.work(ctx, id, known)
		s.mu.Lock()
		delete(s.running, id)
		s.mu.Unlock()
		close(done)
	})
}

// Wait returns when the payment has no sender at work, or ctx ends.
func (s *Service) Wait(ctx context.Context, id uuid.UUID) {
	s.mu.Lock()
	done := s.running[id]
	s.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// work sees a payment to its end. What fails or breaks is tried again: as long as
// the row says "sending" money is held. Once all was sent that could be, only the
// end is tried again, never the sending.
func (s *Service) work(ctx context.Context, id uuid.UUID, known *Outgoing) {
	var p Outgoing
	var end ending
	sent := s.untilDone(ctx, id, func() (err error) {
		p, end, err = s.attempt(ctx, id, known)
		known = nil // it isn't what it was
		return err
	})
	if !sent || p.State != Sending {
		return // stopped, and the next run goes on; or it has ended
	}
	var state State
	ended := s.untilDone(ctx, id, func() (err error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		state, err = s.finish(ctx, p, end)
		return err
	})
	if !ended {
		return
	}
	s.tally.count(state)
	if end.goodbye != nil {
		s.sayGoodbye(end.goodbye)
	}
}

// untilDone does a part of the work until it succeeds. It returns false when it was
// stopped.
func (s *Service) untilDone(ctx context.Context, id uuid.UUID, do func() error) bool {
	for pause := retryMin; ; pause = min(2*pause, retryMax) {
		err := do()
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		s.Log.Error("a payment could not be ended; it is tried again", "payment", id, "error", err)
		if s.Clock.Sleep(ctx, pause) != nil {
			return false
		}
	}
}

// caught, deferred, makes an error of a panic: one payment must not stop the wallet.
func caught(err *error) {
	if value := recover(); value != nil {
		*err = fmt.Errorf("panic: %v\n%s", value, debug.Stack())
	}
}

// attempt sends what is left of a payment.
func (s *Service) attempt(ctx context.Context, id uuid.UUID, known *Outgoing) (p Outgoing, end ending, err error) {
	defer caught(&err)
	if known != nil {
		p = *known
	} else if p, err = findOutgoing(ctx, s.DB.Read, id); err != nil || p.State != Sending {
		return p, end, err
	}
	end, failure := s.send(ctx, p)
	if ctx.Err() != nil { // stopped, not failed
		s.keepDelivered(ctx, id, end)
		return p, end, ctx.Err()
	}
	if failure != nil {
		s.Log.Info("payment ended early", "payment", id, "cause", failure)
	}
	return p, end, nil
}

// keepDelivered writes down what the receiver says that it got, which is more than
// the packets' minimums: the next run pays for the rest only.
func (s *Service) keepDelivered(ctx context.Context, id uuid.UUID, end ending) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	err := s.DB.Write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE outgoing_payments SET delivered_amount = max(delivered_amount, ?) WHERE id = ? AND state = 'sending'",
			end.delivered, id[:])
		return err
	})
	if err != nil {
		s.Log.Error("what arrived of a payment could not be written down: more may be sent than it needs", "payment", id, "error", err)
	}
}

// ending is what is known of a payment when nothing more of it is sent.
type ending struct {
	why       string // not all of it was sent, for the person; else ""
	delivered uint64 // what the receiver at another wallet says that it got
	goodbye   func() // tells that receiver, nil if there is nobody to tell
}

// send sends what is left of a payment. It returns why not all of it was sent, for
// the log too.
func (s *Service) send(ctx context.Context, p Outgoing) (ending, error) {
	defer s.quoted.forget(p.ID)
	order := orderOf(p)
	if order.reached() {
		return ending{why: order.why}, nil
	}
	receiver, err := s.Resolve(ctx, p.Receiver)
	if err != nil {
		return ending{why: s.failureReason(err, false)}, err
	}
	if receiver.Local == nil {
		release, err := s.slots.take(ctx, p.UserID)
		if err != nil {
			return ending{}, err
		}
		defer release()
	}
	return s.sendTo(ctx, receiver, p, order)
}

// sendTo sends what the order says, as long as ctx and the payment have time.
func (s *Service) sendTo(ctx context.Context, receiver Receiver, p Outgoing, order order) (ending, error) {
	local, life := receiver.Local != nil, s.SendTimeout
	if end, ends := ctx.Deadline(); ends {
		life = min(life, time.Until(end))
	}
	c, err := s.pay(ctx, receiver, p)
	if err != nil {
		return ending{why: s.failureReason(err, false)}, err
	}
	result, err := c.Send(ctx, stream.SendParams{
		Amount:       order.amount,
		MinDelivered: order.min,
		FixedReceive: order.fixed == FixedReceive,
		Asset:        ilp.Asset(p.ReceiveAmount.Asset),
		Whole:        local, // each packet rounds down, and nothing on this way needs it cut
		MaxRounding:  max(p.Packets, 1),
		Deadline:     s.Clock.Now().Add(life),
		Done:         order.done,
	})
	end := ending{why: cmp.Or(s.failureReason(err, local), order.why)}
	if !local {
		end.delivered = min(result.Delivered, ledger.AmountMax)
		end.goodbye = func() { c.Close(ctx) }
	}
	return end, err
}

// order is what a payment's own packets have to deliver: all of it but what
// may have arrived and isn't known to have, which is never sent again.
type order struct {
	amount uint64        // of the debit
	min    uint64        // that has to arrive for it
	fixed  Fixed         // what ends it
	done   stream.Result // what of it earlier packets did; each may be a unit behind its share, because of rounding
	why    string        // that isn't the whole debit, for the person; else ""
}

// reached reports whether nothing is left to send.
func (o order) reached() bool {
	return o.done.Sent >= o.amount || o.fixed == FixedReceive && o.done.Delivered >= o.min
}

func orderOf(p Outgoing) order {
	o := order{
		amount: p.DebitAmount.Value, min: p.ReceiveAmount.Value, fixed: p.Fixed,
		done: stream.Result{Sent: p.SentAmount.Value, Delivered: p.DeliveredAmount.Value},
	}
	suspended := p.Suspended.Open.Value + p.Suspended.Released.Value + p.Suspended.Paid.Value + p.InFlight.Value
	unknown := suspended + p.Doubted.Value
	if unknown == 0 {
		return o
	}
	if o.why = doubtedReason; suspended > 0 {
		o.why = suspendedReason
	}
	o.amount -= min(unknown, o.amount)
	o.done.Sent -= p.Suspended.Paid.Value
	high, low := bits.Mul64(o.min, o.amount)
	if o.min, _ = bits.Div64(high, low, p.DebitAmount.Value); o.min == 0 {
		o.amount = o.done.Sent // so little is left that nothing would arrive
	}
	return o
}

// finish returns what is left of the hold and writes the final state, which it
// returns, unless the last packet has done that. What was sent is read from the row,
// which commits with each packet: the sender may have been told less than what
// happened.
func (s *Service) finish(ctx context.Context, p Outgoing, end ending) (state State, err error) {
	err = s.DB.Read.QueryRowContext(ctx, "SELECT state FROM outgoing_payments WHERE id = ?", p.ID[:]).Scan(&state)
	if err != nil || state != Sending {
		return state, err
	}
	chain, rows, err := endsOf(ctx, s.DB.Read, p, func(tx db.Tx) (err error) {
		state, err = endRow(ctx, tx, p.ID, Sending, end, s.Clock.Now())
		return err
	})
	if err != nil {
		return "", err
	}
	return state, s.Ledger.Submit(ctx, chain, rows)
}

// closingsOf returns what is left of a payment's hold to its account, and closes the
// holds of what the wallet exchanged for its packets. The ledger refuses that while
// anything is in flight.
func closingsOf(ctx context.Context, tx db.Tx, p Outgoing) (ledger.Chain, error) {
	chain := ledger.Chain{closingOf(p.ID, p.AccountID, ilp.Asset(p.DebitAmount.Asset))}
	rows, err := tx.QueryContext(ctx, `SELECT d.id, c.id FROM holds h JOIN accounts d ON d.n = h.debit JOIN accounts c ON c.n = h.credit
		WHERE h.reference = ? AND h.unreserved = 1 AND h.closed = 0`, p.ID[:])
	if err != nil {
		return nil, fmt.Errorf("look up the holds of payment %s: %w", p.ID, err)
	}
	defer rows.Close()
	for rows.Next() {
		end := ledger.CloseHold{Reference: p.ID}
		if err := rows.Scan(&end.Debit, &end.Credit); err != nil {
			return nil, fmt.Errorf("look up the holds of payment %s: %w", p.ID, err)
		}
		chain = append(chain, end)
	}
	return chain, rows.Err()
}

// closingOf returns what is left of a payment's reservation to its account.
func closingOf(payment, account uuid.UUID, asset ilp.Asset) ledger.CloseHold {
	return ledger.CloseHold{Reference: payment, Debit: account, Credit: outgoingAccount(asset)}
}

// errEnded: the payment isn't in the state any more from which it was to end.
var errEnded = errors.New("the payment has ended before")

// reached is SQL for what makes an outgoing payment complete: all of it was sent, or
// what was to be received, if that was what counts. delivered is what arrived.
func reached(delivered string) string {
	return "(sent_amount = debit_amount OR fixed = 'receive' AND " + delivered + " >= receive_amount)"
}

// endRow ends a payment that is in a state: completed or, for the reason, failed,
// which it returns. One that needed review is returned by that. It returns errEnded
// when its state is another.
func endRow(ctx context.Context, tx db.Tx, id uuid.UUID, from State, end ending, now time.Time) (state State, err error) {
	reached := reached("max(delivered_amount, ?5)")
	err = tx.QueryRowContext(ctx, `UPDATE outgoing_payments SET
		state = CASE WHEN `+reached+` THEN 'completed' ELSE 'failed' END,
		reason = CASE WHEN `+reached+` THEN '' ELSE ?1 END, ended_at = ?2,
		delivered_amount = max(delivered_amount, ?5), returned = state = 'needs_review'
		WHERE id = ?3 AND state = ?4 RETURNING state`, end.why, now.UnixMicro(), id[:], from, end.delivered).Scan(&state)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", fmt.Errorf("payment %s: %w", id, errEnded)
	case err != nil:
		return "", fmt.Errorf("end payment %s: %w", id, err)
	}
	return state, nil
}
