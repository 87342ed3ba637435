package payments

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"pochi/app/accounts"
	"pochi/app/problem"
	"pochi/ilp"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Fixed says which side's amount the person chose.
type Fixed string

// The sides.
const (
	FixedDebit   Fixed = "debit"   // what leaves the account
	FixedReceive Fixed = "receive" // what arrives
)

// QuoteRequest is what a person asks for, as they typed it.
type QuoteRequest struct {
	AccountID uuid.UUID
	To        string // a payment pointer, or the address of a payment request
	Amount    string // in the account's asset, or in the receiver's; "" for what a payment request asks for
	Fixed     Fixed
}

// Quote is an offer: this leaves the account, that arrives.
type Quote struct {
	ID            uuid.UUID
	UserID        uuid.UUID
	AccountID     uuid.UUID
	Receiver      string // payment pointer
	ReceiverName  string // "" when the other wallet tells none
	Fixed         Fixed
	AskedAmount   ledger.Amount // what the person typed, on the side they fixed
	Rate          string        // "1 USD = 0.9137 EUR", "" within a currency
	DebitAmount   ledger.Amount
	ReceiveAmount ledger.Amount
	CreatedAt     time.Time
	ExpiresAt     time.Time
	Confirmed     bool // there is a payment with this id, or will be in a moment
}

// Quote finds out, with packets that nobody can fulfill, what would arrive,
// and keeps the offer until it expires. Errors are problems with the fields
// account, to and amount; no money moves.
func (s *Service) Quote(ctx context.Context, userID uuid.UUID, req QuoteRequest) (Quote, error) {
	ctx, cancel := context.WithTimeout(ctx, quoteTimeout)
	defer cancel()
	account, err := s.ownAccount(ctx, userID, req.AccountID)
	if err != nil {
		return Quote{}, err
	}
	receiver, err := s.Resolve(ctx, req.To)
	if err != nil {
		return Quote{}, err
	}
	if receiver.Local != nil && receiver.Local.AccountID == account.ID {
		return Quote{}, problem.Field("to", "This pointer pays %s, the account you are sending from.", account.Name)
	}
	if err := s.exchangeable(account, receiver); err != nil {
		return Quote{}, err
	}
	p, c, err := s.pricing(ctx, account, receiver)
	if err != nil {
		return Quote{}, err
	}
	if req, err = p.filledIn(ctx, req); err != nil {
		return Quote{}, err
	}
	asked, debit, receive, err := p.price(ctx, req)
	if err != nil {
		return Quote{}, err
	}
	q := s.newQuote(p, req.Fixed, asked, debit, receive)
	s.quoted.keep(q, c)
	return q, s.saveQuote(ctx, q)
}

// pricing returns what finds a quote from an account, over the connection that it
// begins.
func (s *Service) pricing(ctx context.Context, account accounts.Account, receiver Receiver) (pricing, connection, error) {
	c, err := s.connect(ctx, receiver, account.ID, ilp.Asset(account.Asset()))
	if err != nil {
		return pricing{}, connection{}, err
	}
	p := pricing{account: account, receiver: receiver, rates: s.Rates, own: s.Address, probe: c.ProbeWhole, probeReceive: c.ProbeReceiveWhole, asset: c.Asset, limit: c.Limit, invoice: c.invoice}
	if receiver.Local == nil {
		p.probe, p.probeReceive = c.Probe, c.ProbeReceive
	}
	return p, c, nil
}

// newQuote is a quote as of now.
func (s *Service) newQuote(p pricing, fixed Fixed, asked, debit, receive ledger.Amount) Quote {
	now := s.Clock.Now().UTC().Truncate(time.Microsecond)
	return Quote{
		ID: uuid.Must(uuid.NewV7()), UserID: p.account.UserID, AccountID: p.account.ID,
		Receiver: p.receiver.Pointer.String(), ReceiverName: p.receiver.Name(), Fixed: fixed,
		AskedAmount: asked, Rate: s.Rates.Describe(debit.Asset.Code, receive.Asset.Code),
		DebitAmount: debit, ReceiveAmount: receive, CreatedAt: now, ExpiresAt: now.Add(s.QuoteTTL),
	}
}

// exchangeable refuses a receiver of ours in a currency to which there is no
// rate any more, or none that is up to date.
func (s *Service) exchangeable(from accounts.Account, to Receiver) error {
	if to.Local == nil {
		return nil
	}
	here, there := from.Asset().Code, to.Local.Asset.Code
	return rateProblem(s.Rates.Check(here, there), here, there)
}

// quoteTimeout is how long a person waits for a quote at the most.
const quoteTimeout = 10 * time.Second

// quoteKept is how long an expired quote can still be shown and renewed.
const quoteKept = 24 * time.Hour

// FindQuote returns a quote of the person, also an expired one, or
// problem.NotFound.
func (s *Service) FindQuote(ctx context.Context, userID, id uuid.UUID) (Quote, error) {
	q, here := s.quoted.find(id)
	if here && q.UserID == userID {
		return q, nil
	}
	return s.findQuote(ctx, userID, id)
}

func (s *Service) findQuote(ctx context.Context, userID, id uuid.UUID) (Quote, error) {
	var q Quote
	var created, expires int64
	err := s.DB.Read.QueryRowContext(ctx, `SELECT q.id, q.user_id, q.account_id, q.receiver, q.receiver_name, q.fixed, q.asked_amount, q.rate,
		q.debit_amount, s.code, s.scale, q.receive_amount, q.receive_code, q.receive_scale, q.created_at, q.expires_at,
		EXISTS (SELECT 1 FROM outgoing_payments o WHERE o.id = q.id)
		FROM quotes q JOIN accounts a ON a.id = q.account_id JOIN assets s ON s.ledger = a.ledger
		WHERE q.id = ? AND q.user_id = ?`, id[:], userID[:]).Scan(
		&q.ID, &q.UserID, &q.AccountID, &q.Receiver, &q.ReceiverName, &q.Fixed, &q.AskedAmount.Value, &q.Rate,
		&q.DebitAmount.Value, &q.DebitAmount.Asset.Code, &q.DebitAmount.Asset.Scale,
		&q.ReceiveAmount.Value, &q.ReceiveAmount.Asset.Code, &q.ReceiveAmount.Asset.Scale, &created, &expires, &q.Confirmed)
	if errors.Is(err, sql.ErrNoRows) {
		return Quote{}, problem.New(problem.NotFound, "There is no such quote. Start the payment again.")
	}
	q.AskedAmount.Asset = q.DebitAmount.Asset
	if q.Fixed == FixedReceive {
		q.AskedAmount.Asset = q.ReceiveAmount.Asset
	}
	q.CreatedAt, q.ExpiresAt = time.UnixMicro(created).UTC(), time.UnixMicro(expires).UTC()
	return q, err
}

// Renew asks again what an earlier quote asked.
func (s *Service) Renew(ctx context.Context, userID, id uuid.UUID) (Quote, error) {
	q, err := s.FindQuote(ctx, userID, id)
	if err != nil {
		return Quote{}, err
	}
	return s.Quote(ctx, userID, QuoteRequest{AccountID: q.AccountID, To: q.Receiver, Amount: q.AskedAmount.Decimal(), Fixed: q.Fixed})
}
