package payments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/bits"
	"runtime/debug"
	"time"

	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

const (
	sendersMax = 1024            // payments that send at once; more wait
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
		s.launch(id)
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

// launch starts a payment's sender, unless it has one, or before Start.
func (s *Service) launch(id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil || s.running[id] != nil {
		return
	}
	ctx, done := s.ctx, make(chan struct{})
	s.running[id] = done
	s.workers.Go(func() {
		s.work(ctx, id)
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

// work sees a payment to its end. When that can't be written, or something
// breaks, it tries again: as long as the row says "sending" money is held.
func (s *Service) work(ctx context.Context, id uuid.UUID) {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-s.slots }()
	for pause := retryMin; ; pause = min(2*pause, retryMax) {
		err := s.attempt(ctx, id)
		if err == nil || ctx.Err() != nil {
			return // ended, or stopped: then the next run goes on
		}
		s.Log.Error("a payment could not be ended; it is tried again", "payment", id, "error", err)
		if s.Clock.Sleep(ctx, pause) != nil {
			return
		}
	}
}

// attempt sends what is left of a payment and writes its end. A panic is an
// error: one payment must not stop the wallet.
func (s *Service) attempt(ctx context.Context, id uuid.UUID) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v\n%s", value, debug.Stack())
		}
	}()
	p, err := findOutgoing(ctx, s.DB.Read, id)
	if err != nil {
		return err
	}
	if p.State != Sending {
		return nil
	}
	why, failure := s.send(ctx, p)
	if ctx.Err() != nil {
		return ctx.Err() // stopped, not failed
	}
	if failure != nil {
		s.Log.Info("payment ended early", "payment", id, "cause", failure)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	return s.finish(end, p, why)
}

// send sends what is left of a payment. It returns why not all of it was sent,
// for the person and for the log.
func (s *Service) send(ctx context.Context, p Outgoing) (why string, err error) {
	order := orderOf(p)
	if order.done.Sent == order.amount {
		return order.why, nil
	}
	receiver, err := s.Resolve(ctx, p.Receiver)
	if err != nil {
		return failureReason(err, false), err
	}
	details, err := s.details(ctx, receiver)
	if err != nil {
		return failureReason(err, false), err
	}
	sender := stream.NewSender(stream.SenderConfig{
		Link:        s.Links.Link(connector.FromWallet(p.AccountID, ilp.Asset(p.DebitAmount.Asset), p.ID)),
		Destination: details.DestinationAccount, Secret: details.SharedSecret, Clock: s.Clock, Random: s.Random,
	})
	local := receiver.Local != nil
	_, err = sender.Send(ctx, stream.SendParams{
		Amount:       order.amount,
		MinDelivered: order.min,
		Asset:        ilp.Asset(p.ReceiveAmount.Asset),
		Whole:        local, // each packet rounds down, and nothing on this way needs it cut
		MaxRounding:  1,     // what going on after a restart may cost; the quote has the rest in it
		Deadline:     s.Clock.Now().Add(s.SendTimeout),
		Done:         order.done,
	})
	return cmp.Or(failureReason(err, local), order.why), err
}

// order is what a payment's own packets have to deliver: all of it but what
// went into suspense, which is never sent again.
type order struct {
	amount uint64        // of the debit
	min    uint64        // that has to arrive for it
	done   stream.Result // what of it earlier packets did
	why    string        // that isn't the whole debit, for the person; else ""
}

func orderOf(p Outgoing) order {
	o := order{
		amount: p.DebitAmount.Value, min: p.ReceiveAmount.Value,
		done: stream.Result{Sent: p.SentAmount.Value, Delivered: p.DeliveredAmount.Value},
	}
	suspended := p.Suspended.Open.Value + p.Suspended.Released.Value + p.Suspended.Paid.Value
	if suspended == 0 {
		return o
	}
	o.amount -= suspended
	o.done.Sent -= p.Suspended.Paid.Value
	o.why = suspendedReason
	high, low := bits.Mul64(o.min, o.amount)
	if o.min, _ = bits.Div64(high, low, p.DebitAmount.Value); o.min == 0 {
		o.amount = o.done.Sent // so little is left that nothing would arrive
	}
	return o
}

// finish returns what is left of the hold and writes the final state. What was
// sent is read from the row, which commits with each packet: the sender may
// have been told less than what happened.
func (s *Service) finish(ctx context.Context, p Outgoing, why string) error {
	return s.Ledger.Submit(ctx, ledger.Chain{closingOf(p)}, func(tx db.Tx) error {
		return endRow(ctx, tx, p.ID, Sending, why, s.Clock.Now())
	})
}

// closingOf returns what is left of a payment's hold to its account.
func closingOf(p Outgoing) ledger.CloseHold {
	return ledger.CloseHold{Reference: p.ID, Debit: p.AccountID, Credit: outgoingAccount(ilp.Asset(p.DebitAmount.Asset))}
}

// errEnded: the payment isn't in the state any more from which it was to end.
var errEnded = errors.New("the payment has ended before")

// endRow ends a payment that is in a state: completed when all of it was sent,
// else failed for the reason. One that needed review is returned by that. It
// returns errEnded when its state is another.
func endRow(ctx context.Context, tx db.Tx, id uuid.UUID, from State, why string, now time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE outgoing_payments SET
		state = CASE WHEN sent_amount = debit_amount THEN 'completed' ELSE 'failed' END,
		reason = CASE WHEN sent_amount = debit_amount THEN '' ELSE ?1 END, ended_at = ?2,
		returned = state = 'needs_review'
		WHERE id = ?3 AND state = ?4`, why, now.UnixMicro(), id[:], from)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("payment %s: %w", id, errEnded), err)
	}
	return nil
}
