package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

const (
	sendersMax   = 64               // payments that send at once; more wait
	graceRestart = 10 * time.Second // what a payment gets after a restart, however late it is
	graceEnd     = 5 * time.Second  // to write the end of a payment whose time is over
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

func (s *Service) work(ctx context.Context, id uuid.UUID) {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-s.slots }()
	log := s.Log.With("payment", id)
	p, err := findOutgoing(ctx, s.DB.Read, id)
	if err != nil {
		log.Error("a payment could not be read", "error", err)
		return
	}
	failure := s.send(ctx, p)
	if ctx.Err() != nil {
		return // stopped, not failed: the next run goes on
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceEnd)
	defer cancel()
	if err := s.finish(end, p, failure); err != nil {
		log.Error("the end of a payment could not be written; it is taken up again at the next start", "error", err)
	}
	if failure != nil {
		log.Info("payment ended early", "cause", failure)
	}
}

// send sends what is left of a payment. It returns why not all of it was sent.
func (s *Service) send(ctx context.Context, p Outgoing) error {
	if p.SentAmount.Value == p.DebitAmount.Value {
		return nil
	}
	deadline := p.DeadlineAt
	if grace := s.started.Add(graceRestart); grace.After(deadline) {
		deadline = grace
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	receiver, err := s.Resolve(ctx, p.Receiver)
	if err != nil {
		return err
	}
	details, err := s.details(ctx, receiver)
	if err != nil {
		return err
	}
	sender := stream.NewSender(stream.SenderConfig{
		Link: s.Links.Link(connector.Sender{
			Account: p.AccountID, Asset: ilp.Asset(p.DebitAmount.Asset), Reference: p.ID,
		}),
		Destination: details.DestinationAccount, Secret: details.SharedSecret, Clock: s.Clock, Random: s.Random,
	})
	_, err = sender.Send(ctx, stream.SendParams{
		Amount:       p.DebitAmount.Value - p.SentAmount.Value,
		MinDelivered: stillOwed(p),
		Asset:        ilp.Asset(p.ReceiveAmount.Asset),
	})
	return err
}

// stillOwed returns the least that must yet arrive.
func stillOwed(p Outgoing) uint64 {
	if p.DeliveredAmount.Value >= p.ReceiveAmount.Value {
		return 1
	}
	return p.ReceiveAmount.Value - p.DeliveredAmount.Value
}

// finish returns what is left of the hold and writes the final state. What was
// sent is read from the row, which commits with each packet: the sender may
// have been told less than what happened.
func (s *Service) finish(ctx context.Context, p Outgoing, failure error) error {
	chain := ledger.Chain{ledger.CloseHold{
		Reference: p.ID, Debit: p.AccountID, Credit: outgoingAccount(ilp.Asset(p.DebitAmount.Asset)),
	}}
	return s.Ledger.Submit(ctx, chain, func(tx db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE outgoing_payments SET
			state = CASE WHEN sent_amount = debit_amount THEN 'completed' ELSE 'failed' END,
			reason = CASE WHEN sent_amount = debit_amount THEN '' ELSE ? END, ended_at = ?
			WHERE id = ? AND state = 'sending'`, reason(failure), s.Clock.Now().UnixMicro(), p.ID[:])
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(fmt.Errorf("payment %s has ended before", p.ID), err)
		}
		return nil
	})
}

// reason is what the person reads about a failure.
func reason(err error) string {
	var failure *stream.Failure
	if errors.As(err, &failure) {
		return failure.Reason.Message()
	}
	return problem.MessageOf(err)
}
