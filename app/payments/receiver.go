package payments

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pochi/app/accounts"
	"pochi/app/fetch"
	"pochi/app/problem"
	"pochi/ilp/pointer"
	"pochi/ilp/spsp"
)

// Receiver is who a pointer leads to, as far as this wallet can know.
type Receiver struct {
	Pointer pointer.Pointer
	// Local is set when the pointer is one of ours.
	Local *accounts.Payee
	// Request is set when it is the address of a payment request of ours.
	Request *Request
}

// Name returns the public name, "" when the other wallet tells none.
func (r Receiver) Name() string {
	if r.Local == nil {
		return ""
	}
	return r.Local.PersonName
}

// payee is whom the pointer pays, if it is one of ours.
func (r Receiver) payee() payee {
	switch {
	case r.Request != nil:
		return r.Request.payee()
	case r.Local != nil:
		return payee{pointer: r.Local.ID, account: r.Local.AccountID}
	}
	return payee{}
}

// Resolve reads a pointer as a person typed it and, when it is one of ours,
// finds who is behind it, or behind the payment request whose address it is. Errors
// are problems with the field "to".
func (s *Service) Resolve(ctx context.Context, text string) (Receiver, error) {
	p, err := s.Pointers.Parse(strings.TrimSpace(text))
	if err != nil {
		return Receiver{}, problem.Field("to", "%s", err.Error())
	}
	r := Receiver{Pointer: p}
	if p.Host() != s.Host {
		return r, nil
	}
	if id, ok := requestID(p.Path()); ok {
		return s.resolveRequest(ctx, p, id)
	}
	payee, err := s.Accounts.PayeeByName(ctx, strings.TrimPrefix(p.Path(), "/"))
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return Receiver{}, problem.Field("to", "%s", problem.MessageOf(err))
	case err != nil:
		return Receiver{}, fmt.Errorf("resolve %s: %w", p, err)
	}
	r.Local = &payee
	return r, nil
}

// details returns where to send packets for a receiver: our own credentials,
// or what the other wallet answers. Errors are problems with the field "to".
func (s *Service) details(ctx context.Context, r Receiver) (spsp.Details, error) {
	switch {
	case r.Request != nil:
		return s.OfferRequest(*r.Request)
	case r.Local != nil:
		return s.Offer(*r.Local)
	}
	details, err := s.SPSP.Query(ctx, r.Pointer.URL())
	if err == nil {
		return details, nil
	}
	if errors.Is(err, fetch.ErrNotAllowed) {
		return spsp.Details{}, problem.Field("to", "This payment pointer leads to an address where no wallet can be.").Because(err)
	}
	var failed *spsp.Error
	if !errors.As(err, &failed) {
		return spsp.Details{}, fmt.Errorf("query %s: %w", r.Pointer, err)
	}
	if _, request := requestID(r.Pointer.Path()); request && failed.Reason == spsp.NotFound {
		return spsp.Details{}, problem.Field("to", "This payment request can't be paid: it has been paid, or has ended.").Because(err)
	}
	return spsp.Details{}, problem.Field("to", "%s", failed.Reason.Error()).Because(err)
}

// Offer makes fresh STREAM credentials with which anybody can pay one of our
// pointers, and pays the account that it names now. Nothing is stored: the
// address itself says whose it is.
func (s *Service) Offer(p accounts.Payee) (spsp.Details, error) {
	to, secret, err := s.Credentials.Credentials(newTag(payee{pointer: p.ID, account: p.AccountID}))
	if err != nil {
		return spsp.Details{}, fmt.Errorf("credentials for %s: %w", p.Name, err)
	}
	return spsp.Details{DestinationAccount: to, SharedSecret: secret}, nil
}
