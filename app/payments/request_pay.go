package payments

import (
	"context"
	"fmt"
	"strings"

	"pochi/app/problem"
	"pochi/ilp"
	"pochi/ilp/pointer"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

// resolveRequest finds who is paid at a request's address. One that can't be paid any
// more says so.
func (s *Service) resolveRequest(ctx context.Context, p pointer.Pointer, id uuid.UUID) (Receiver, error) {
	r, err := s.FindRequest(ctx, id)
	if err == nil {
		err = r.payable(problem.Invalid)
	}
	switch problem.CodeOf(err) {
	case "":
		return Receiver{Pointer: p, Local: r.local(), Request: &r}, nil
	case problem.NotFound, problem.Invalid:
		return Receiver{}, problem.Field("to", "%s", problem.MessageOf(err))
	}
	return Receiver{}, fmt.Errorf("resolve %s: %w", p, err)
}

// allowed is what an agreement that names its receivers must name for this one: the
// pointer that a request of ours is paid at, here and now. What another wallet's
// request pays only that wallet knows: its own address has to be named.
func (s *Service) allowed(r Receiver) string {
	if r.Request != nil {
		return "$" + s.Host + "/" + r.Request.Pointer
	}
	return r.Pointer.String()
}

// OfferRequest is Offer for a payment request, and says besides how much is asked.
// It returns problem.NotFound for one that can't be paid any more.
func (s *Service) OfferRequest(r Request) (spsp.Details, error) {
	if err := r.payable(problem.NotFound); err != nil {
		return spsp.Details{}, err
	}
	to, secret, err := s.Credentials.Credentials(newTag(r.payee()))
	if err != nil {
		return spsp.Details{}, fmt.Errorf("credentials for request %s: %w", r.ID, err)
	}
	return spsp.Details{DestinationAccount: to, SharedSecret: secret, Invoice: r.invoice()}, nil
}

// invoice is how much the request asks for, as other wallets are told.
func (r Request) invoice() spsp.Invoice {
	return spsp.Invoice{Asset: ilp.Asset(r.Amount.Asset), Amount: r.Amount.Value, Received: min(r.Received.Value, r.Amount.Value)}
}

// filledIn is what a person asks for who leaves it to the receiver how much: what that
// still wants.
func (p pricing) filledIn(ctx context.Context, req QuoteRequest) (QuoteRequest, error) {
	i := p.invoice
	if strings.TrimSpace(req.Amount) != "" || i.Left() == 0 || i.Left() > ledger.AmountMax {
		return req, nil
	}
	asset, err := p.receiveAsset(ctx)
	if err != nil {
		return req, err
	}
	if asset != ledger.Asset(i.Asset) {
		return req, p.probeProblem(&stream.Failure{Reason: stream.AssetChanged})
	}
	req.Fixed, req.Amount = FixedReceive, ledger.Amount{Value: i.Left(), Asset: asset}.Decimal()
	return req, nil
}

// fits refuses to promise a receiver more than it said it takes. What a request takes
// beyond what it asks for is for rounding: payers aren't told of it.
func (p pricing) fits(amount ledger.Amount) error {
	most, known := p.limit()
	if !known || amount.Value <= most {
		return nil
	}
	left := ledger.Amount{Value: p.invoice.Left(), Asset: amount.Asset}
	switch {
	case left.Value == 0 || ilp.Asset(left.Asset) != p.invoice.Asset:
		return problem.Field("amount", "No more than %s can be paid here.", ledger.Amount{Value: most, Asset: amount.Asset}.Whole())
	case p.invoice.Received > 0:
		return problem.Field("amount", "This would bring %s: only %s of this request is left to pay.", amount.Whole(), left.Whole())
	}
	return problem.Field("amount", "This would bring %s: this request asks for %s.", amount.Whole(), left.Whole())
}
