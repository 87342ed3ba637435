package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// State is where an outgoing payment stands.
type State string

// The states. A failed payment may have been delivered in part: the amounts
// say how much. One that needs review was on its way when the wallet that this
// one was restored from was backed up: nothing is sent until an admin ends it.
const (
	Sending     State = "sending"
	NeedsReview State = "needs_review"
	Completed   State = "completed"
	Failed      State = "failed"
)

// Ended reports whether the state is final: nothing is reserved any more.
func (s State) Ended() bool { return s == Completed || s == Failed }

// Outgoing is a confirmed payment. Its id is its quote's: a quote is spent
// once.
type Outgoing struct {
	ID              uuid.UUID
	UserID          uuid.UUID
	AccountID       uuid.UUID
	Receiver        string // payment pointer
	ReceiverName    string
	Fixed           Fixed
	Rate            string        // as quoted, "" within a currency
	DebitAmount     ledger.Amount // what was confirmed
	ReceiveAmount   ledger.Amount // what was quoted
	SentAmount      ledger.Amount // what left the account for good
	DeliveredAmount ledger.Amount // what is known to have arrived
	Doubted         ledger.Amount // of what was sent to other nodes and came back: the answers were lost, so it may have arrived
	Packets         uint64        // that were fulfilled
	InFlight        ledger.Amount // on its way to another node right now, or when the wallet crashed
	Suspended       Suspended
	Returned        bool // an admin ended its review
	State           State
	Reason          string // why it failed or needs review, a sentence for the person
	CreatedAt       time.Time
	EndedAt         time.Time // zero until it has ended

	// Of a charge: which app made it, and under which agreement.
	App         string
	AgreementID uuid.UUID
	Description string // what it is for, in the app's words
}

// Suspended is what was in flight to another node whenever the wallet crashed,
// by what became of it.
type Suspended struct {
	Open     ledger.Amount // being checked: it may have arrived
	Released ledger.Amount // didn't arrive, and is back on the account
	Paid     ledger.Amount // arrived, and is part of the sent amount
}

// Held returns what the payment has reserved on the account: nothing once it
// has ended.
func (p Outgoing) Held() ledger.Amount {
	held := ledger.Amount{Asset: p.DebitAmount.Asset}
	if !p.State.Ended() {
		held.Value = p.DebitAmount.Value - p.SentAmount.Value - p.InFlight.Value - p.Suspended.Open.Value - p.Suspended.Released.Value
	}
	return held
}

// Back returns what of the debit went back to the account, or never left it, once
// the payment has ended.
func (p Outgoing) Back() ledger.Amount {
	back := ledger.Amount{Asset: p.DebitAmount.Asset}
	if p.State.Ended() {
		back.Value = p.DebitAmount.Value - p.SentAmount.Value - p.Suspended.Open.Value
	}
	return back
}

// Confirm turns a quote into a payment. Within this wallet one commit is all of it.
// Otherwise one reserves the whole debit and writes the payment, and sending begins at
// once. Confirming again returns the same payment. Errors: problem.NotFound, problem.Gone when the quote has
// expired, problem.Conflict when the money is no longer there.
func (s *Service) Confirm(ctx context.Context, userID, quoteID uuid.UUID) (Outgoing, error) {
	q, err := s.FindQuote(ctx, userID, quoteID)
	if q.Confirmed || problem.CodeOf(err) == problem.NotFound { // quotes are forgotten before payments
		if p, err := s.FindOutgoing(ctx, userID, quoteID); err == nil {
			return p, nil
		}
	}
	if err != nil {
		return Outgoing{}, err
	}
	now := s.Clock.Now().UTC().Truncate(time.Microsecond)
	if !now.Before(q.ExpiresAt) {
		return Outgoing{}, problem.New(problem.Gone, "This quote has expired. Nothing was taken; get a new quote.")
	}
	o := newOpening(q, now)
	s.quoted.confirm(q.ID)
	if s.payAtOnce(ctx, o) {
		s.unsaved.drop(q.ID)
		s.quoted.forget(q.ID)
		s.made.put(q.ID, o.Outgoing)
		return o.Outgoing, nil
	}
	if err = o.refused; err == nil {
		err = s.Ledger.Submit(ctx, o.chain, func(tx db.Tx) error { return insertOutgoing(ctx, tx, o.Outgoing) })
	}
	switch {
	case errors.Is(err, ledger.ErrHoldExists): // somebody was faster: the same click, twice
		return s.FindOutgoing(ctx, userID, quoteID)
	case errors.Is(err, ledger.ErrInsufficient):
		return Outgoing{}, problem.New(problem.Conflict, "There is no longer enough money in this account. Nothing was taken.").Because(err)
	case errors.Is(err, ledger.ErrAccountClosed):
		return Outgoing{}, problem.New(problem.Conflict, "This account has been closed. Nothing was taken.").Because(err)
	case err != nil:
		return Outgoing{}, fmt.Errorf("confirm quote %s: %w", quoteID, err)
	}
	s.unsaved.drop(q.ID)
	s.launch(q.ID, &o.Outgoing)
	return o.Outgoing, nil
}

// beginning is a payment that has just been confirmed.
func beginning(q Quote, now time.Time) Outgoing {
	debited, received := ledger.Amount{Asset: q.DebitAmount.Asset}, ledger.Amount{Asset: q.ReceiveAmount.Asset}
	return Outgoing{
		ID: q.ID, UserID: q.UserID, AccountID: q.AccountID, Receiver: q.Receiver, ReceiverName: q.ReceiverName, Rate: q.Rate, Fixed: q.Fixed,
		DebitAmount: q.DebitAmount, ReceiveAmount: q.ReceiveAmount, SentAmount: debited, DeliveredAmount: received,
		InFlight: debited, Doubted: debited, Suspended: Suspended{Open: debited, Released: debited, Paid: debited},
		State: Sending, CreatedAt: now,
	}
}

// insertOutgoing writes a payment that begins, or one that has ended already.
func insertOutgoing(ctx context.Context, tx db.Tx, p Outgoing) error {
	ended := sql.NullInt64{Int64: p.EndedAt.UnixMicro(), Valid: p.State.Ended()}
	_, err := tx.ExecContext(ctx, `INSERT INTO outgoing_payments (id, user_id, account_id, receiver, receiver_name, rate,
		fixed, debit_amount, receive_amount, receive_code, receive_scale, sent_amount, delivered_amount, packets, state, reason, created_at, ended_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?)`,
		p.ID[:], p.UserID[:], p.AccountID[:], p.Receiver, p.ReceiverName, p.Rate, string(p.Fixed), p.DebitAmount.Value,
		p.ReceiveAmount.Value, p.ReceiveAmount.Asset.Code, p.ReceiveAmount.Asset.Scale, p.SentAmount.Value, p.DeliveredAmount.Value,
		p.Packets, string(p.State), p.CreatedAt.UnixMicro(), ended)
	return err
}

// FindOutgoing returns an outgoing payment of the person, or problem.NotFound.
func (s *Service) FindOutgoing(ctx context.Context, userID, id uuid.UUID) (Outgoing, error) {
	p, err := s.findMade(ctx, id)
	if err == nil && p.UserID != userID {
		return Outgoing{}, errNoPayment()
	}
	return p, err
}

// findMade finds a payment that was made at once in memory, if it is one of the
// last: whoever confirmed it looks at it next, and nothing of it changes any more.
func (s *Service) findMade(ctx context.Context, id uuid.UUID) (Outgoing, error) {
	if p, here := s.made.get(id); here {
		return p, nil
	}
	return findOutgoing(ctx, s.DB.Read, id)
}

const outgoingQuery = `SELECT o.id, o.user_id, o.account_id, o.receiver, o.receiver_name, o.rate,
	o.fixed, o.packets, o.doubted_amount, o.debit_amount, o.receive_amount, o.sent_amount, o.delivered_amount, s.code, s.scale, o.receive_code, o.receive_scale,
	o.state, o.reason, o.created_at, o.ended_at, o.returned,
	(SELECT coalesce(sum(h.in_flight), 0) FROM holds h WHERE h.reference = o.id AND h.debit = a.n),
	(SELECT coalesce(sum(x.amount), 0) FROM suspense x WHERE x.reference = o.id AND x.bearer = a.n AND x.state = 0),
	(SELECT coalesce(sum(x.amount), 0) FROM suspense x WHERE x.reference = o.id AND x.bearer = a.n AND x.state = 1),
	(SELECT coalesce(sum(x.amount), 0) FROM suspense x WHERE x.reference = o.id AND x.bearer = a.n AND x.state = 2),
	coalesce(g.app, ''), g.id, coalesce(c.description, '')
	FROM outgoing_payments o JOIN accounts a ON a.id = o.account_id JOIN assets s ON s.ledger = a.ledger
	LEFT JOIN charges c ON c.id = o.id LEFT JOIN agreements g ON g.id = c.agreement_id `

func findOutgoing(ctx context.Context, tx db.Tx, id uuid.UUID) (Outgoing, error) {
	p, err := scanOutgoing(tx.QueryRowContext(ctx, outgoingQuery+"WHERE o.id = ?", id[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return Outgoing{}, errNoPayment()
	}
	return p, err
}

func scanOutgoing(row interface{ Scan(...any) error }) (Outgoing, error) {
	var p Outgoing
	var created int64
	var ended sql.NullInt64
	var agreement uuid.NullUUID
	err := row.Scan(&p.ID, &p.UserID, &p.AccountID, &p.Receiver, &p.ReceiverName, &p.Rate,
		&p.Fixed, &p.Packets, &p.Doubted.Value, &p.DebitAmount.Value, &p.ReceiveAmount.Value, &p.SentAmount.Value, &p.DeliveredAmount.Value,
		&p.DebitAmount.Asset.Code, &p.DebitAmount.Asset.Scale, &p.ReceiveAmount.Asset.Code, &p.ReceiveAmount.Asset.Scale,
		&p.State, &p.Reason, &created, &ended, &p.Returned, &p.InFlight.Value,
		&p.Suspended.Open.Value, &p.Suspended.Released.Value, &p.Suspended.Paid.Value, &p.App, &agreement, &p.Description)
	p.AgreementID = agreement.UUID
	for _, debited := range []*ledger.Amount{&p.SentAmount, &p.Doubted, &p.InFlight, &p.Suspended.Open, &p.Suspended.Released, &p.Suspended.Paid} {
		debited.Asset = p.DebitAmount.Asset
	}
	p.DeliveredAmount.Asset = p.ReceiveAmount.Asset
	p.CreatedAt = time.UnixMicro(created).UTC()
	if ended.Valid {
		p.EndedAt = time.UnixMicro(ended.Int64).UTC()
	}
	return p, err
}

func errNoPayment() error { return problem.New(problem.NotFound, "There is no such payment.") }
