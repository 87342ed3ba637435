package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pochi/app/agreements"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Agreements is what this package needs of what people let apps do. Errors are
// problems in words for the app.
type Agreements interface {
	// Find returns an agreement, or problem.NotFound.
	Find(ctx context.Context, id uuid.UUID) (agreements.Agreement, error)
	// Allow says whether a payment may use an agreement now, and on which account of the
	// ledger of authority that is counted.
	Allow(ctx context.Context, id uuid.UUID, use agreements.Use) (agreements.Allowance, error)
	// Spent is told that something was used. It is quick.
	Spent(id uuid.UUID)
}

// ChargeRequest is a payment that an app asks for under an agreement.
type ChargeRequest struct {
	AgreementID uuid.UUID
	Key         string        // the app's Idempotency-Key: with it the same request is one charge
	Body        [32]byte      // SHA-256 of the request
	Receiver    string        // payment pointer or URL
	Fixed       Fixed         // which side Amount is on
	Amount      string        // in the smallest unit of the agreement's asset or, with FixedReceive, of the receiver's: digits
	Asset       *ledger.Asset // that the app thinks Amount is in; nil for whatever it is
	Description string        // what it is for, in the app's words, "" when it says nothing
}

// Charge makes a payment from an agreement's account, which uses the agreement's
// allowance: in one commit both are reserved, or neither. What has begun ends as it
// would, though the agreement is revoked meanwhile. It returns as soon as that
// is done; Wait waits until the payment has ended. A key that was used before
// returns that charge as it is now.
//
// Errors: problem.KeyReused when that was for another Body; what Agreements.Allow
// refuses; problem.Insufficient when the account has too little; problem.TooMany when
// too many charges are on their way; problems with the fields receiver, amount and description.
// What was refused is forgotten: its key may be used again. None of them tells what the account has.
func (s *Service) Charge(ctx context.Context, req ChargeRequest) (Charge, error) {
	if c, found, err := s.chargedBefore(ctx, req); found || err != nil {
		return c, err
	}
	c, err := s.charge(ctx, req)
	if err != nil {
		if c, found, again := s.chargedBefore(ctx, req); found { // somebody was faster, with the same key
			return c, again
		}
	}
	return c, err
}

// charge makes a charge and returns it as it was committed.
func (s *Service) charge(ctx context.Context, req ChargeRequest) (Charge, error) {
	if err := describable(req.Description); err != nil {
		return Charge{}, err
	}
	b, err := s.bill(ctx, req)
	if err != nil {
		return Charge{}, chargeProblem(err)
	}
	for range allowTries {
		allowance, err := s.Agreements.Allow(ctx, req.AgreementID, agreements.Use{Amount: b.cost.Value, Receiver: b.allowed})
		if err != nil {
			return Charge{}, err
		}
		o, err := s.openingOfCharge(ctx, req, b, allowance.Authority)
		if err != nil {
			return Charge{}, err
		}
		err = s.begin(ctx, o, b.connection)
		if errors.Is(err, connector.ErrBusy) || errors.Is(err, connector.ErrRefused) {
			continue // the agreement isn't what it was: what it is now, Allow says
		}
		if err != nil {
			return Charge{}, s.refusedCharge(err, o)
		}
		s.Agreements.Spent(req.AgreementID)
		return o.charged(), nil
	}
	return Charge{}, problem.New(problem.Unavailable, "This agreement is being changed. Nothing was taken; try again.")
}

// allowTries is how often a charge begins anew because its agreement was changed in
// the same moment.
const allowTries = 8

// bill is what a charge costs.
type bill struct {
	Quote
	connection
	cost    ledger.Amount // of the agreement: never worth less than the debit
	allowed string        // the receiver as the agreement has to name it
}

// charging is what a charge is beside its payment.
type charging struct {
	reserve
	request ChargeRequest
	guard   func() error // of the agreement
}

// openingOfCharge opens the payment and the reserve of a charge, unless its agreement
// has changed.
func (s *Service) openingOfCharge(ctx context.Context, req ChargeRequest, b bill, authority connector.Authority) (*opening, error) {
	account, err := s.authorities.opening(ctx, req.AgreementID, authority)
	if err != nil {
		return nil, err
	}
	o := newOpening(b.Quote, s.Clock.Now().UTC().Truncate(time.Microsecond))
	o.charge = &charging{
		reserve: reserve{charge: b.ID, authority: authority.Account, amount: b.cost, debit: b.DebitAmount.Value},
		request: req, guard: authority.Guard,
	}
	// The agreement is asked first: whoever has used it up isn't told what the account has.
	o.chain = append(ledger.Chain{account, o.charge.hold()}, o.chain...)
	return o, nil
}

// rows writes a payment, as it is by then, and the charge that it is, if it is one.
// The agreement may have changed: its guard says so where nothing can come in between.
func (c *charging) rows(ctx context.Context, tx db.Tx, p Outgoing, payment func() error) error {
	if c == nil {
		return payment()
	}
	if c.guard != nil {
		if err := c.guard(); err != nil {
			return err
		}
	}
	if err := payment(); err != nil {
		return err
	}
	var used sql.NullInt64
	if p.State.Ended() {
		used = spent(c.amount.Value)
	} else if err := c.room(ctx, tx); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO charges (id, agreement_id, idempotency_key, body, authority, asset_code, asset_scale,
		reserved_amount, spent_amount, description, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID[:], c.request.AgreementID[:], c.request.Key, c.request.Body[:], c.authority[:], c.amount.Asset.Code, c.amount.Asset.Scale,
		c.amount.Value, used, c.request.Description, p.CreatedAt.UnixMicro())
	return err
}

// chargesOnTheWay is how many charges of one agreement may be on their way to other
// wallets: its owner's own payments wait behind them.
const chargesOnTheWay = 8

// room refuses a charge when too many of its agreement haven't ended.
func (c *charging) room(ctx context.Context, tx db.Tx) error {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM charges c JOIN outgoing_payments o ON o.id = c.id AND o.state = 'sending'
		WHERE c.agreement_id = ? AND c.spent_amount IS NULL`, c.request.AgreementID[:]).Scan(&n)
	if err != nil || n < chargesOnTheWay {
		return err
	}
	busy := problem.New(problem.TooMany, "%d charges of this agreement are on their way, which is the most there can be. Nothing was taken; try again when one has ended.", n)
	busy.RetryAfter = time.Second
	return busy
}

// begin opens a payment and has it sent.
func (s *Service) begin(ctx context.Context, o *opening, c connection) error {
	s.quoted.keep(Quote{ID: o.ID, CreatedAt: o.CreatedAt, ExpiresAt: o.CreatedAt.Add(s.QuoteTTL)}, c)
	if s.payAtOnce(ctx, o) {
		s.quoted.forget(o.ID)
		return nil
	}
	err := o.refused
	if err == nil {
		err = s.Ledger.Submit(ctx, o.chain, func(tx db.Tx) error {
			return o.charge.rows(ctx, tx, o.Outgoing, func() error { return insertOutgoing(ctx, tx, o.Outgoing) })
		})
	}
	if err != nil {
		s.quoted.forget(o.ID)
		return err
	}
	s.launch(o.ID, &o.Outgoing)
	return nil
}

// refusedCharge says why a charge couldn't begin.
func (s *Service) refusedCharge(err error, o *opening) error {
	var refused *ledger.Error
	switch {
	case errors.As(err, &refused) && errors.Is(err, ledger.ErrInsufficient) && o.isReserve(refused.Command):
		exceeded := problem.New(problem.LimitExceeded, "This agreement has less than %s left for now. Nothing was taken.", o.charge.amount)
		exceeded.Field = "amount"
		return exceeded.Because(err)
	case errors.Is(err, ledger.ErrInsufficient):
		return problem.New(problem.Insufficient, "There isn't enough money in the account of this agreement. Nothing was taken.").Because(err)
	case errors.Is(err, ledger.ErrAccountClosed):
		return problem.New(problem.Conflict, "The account of this agreement was closed. Nothing was taken.").Because(err)
	}
	if problem.CodeOf(err) != problem.Internal {
		return err
	}
	return fmt.Errorf("charge: %w", err)
}

// isReserve reports whether a command reserves what the charge uses of its agreement.
func (o *opening) isReserve(command ledger.Command) bool {
	hold, ok := command.(ledger.OpenHold)
	return ok && hold.Debit == o.charge.authority
}

// chargeProblem names the fields as a ChargeRequest does.
func chargeProblem(err error) error {
	var e *problem.Error
	if !errors.As(err, &e) || e.Field != "to" {
		return err
	}
	named := e.Because(err)
	named.Field = "receiver"
	return named
}
