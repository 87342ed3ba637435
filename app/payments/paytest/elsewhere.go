package paytest

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"

	"pochi/app/payments"
	"pochi/ilp/spsp"

	"github.com/google/uuid"
)

// Elsewhere is the other wallets as one asks them for payment details: none
// answers, unless a test put one there.
type Elsewhere struct {
	// Answer answers for all of them, if it is set.
	Answer func() (spsp.Details, error)

	mu    sync.Mutex
	hosts map[string]*Wallet
	asked int
}

// Query implements payments.SPSP.
func (e *Elsewhere) Query(ctx context.Context, address string) (spsp.Details, error) {
	e.mu.Lock()
	e.asked++
	answer := e.Answer
	var there *Wallet
	u, err := url.Parse(address)
	if err == nil {
		there = e.hosts[u.Host]
	}
	e.mu.Unlock()
	switch {
	case answer != nil:
		return answer()
	case there == nil:
		return spsp.Details{}, &spsp.Error{Reason: spsp.NoAnswer, Err: errors.New("connection refused")}
	}
	return there.offer(ctx, strings.TrimPrefix(u.Path, "/"))
}

// Asked returns how often somebody was asked.
func (e *Elsewhere) Asked() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked
}

func (e *Elsewhere) add(w *Wallet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.hosts == nil {
		e.hosts = map[string]*Wallet{}
	}
	e.hosts[w.Host] = w
}

// offer is what the wallet's SPSP server answers.
func (w *Wallet) offer(ctx context.Context, name string) (spsp.Details, error) {
	w.mu.Lock()
	people, service := w.Accounts, w.Payments
	w.mu.Unlock()
	if id, ok := strings.CutPrefix(name, "requests/"); ok {
		return offerRequest(ctx, service, uuid.MustParse(id))
	}
	p, err := people.PayeeByName(ctx, name)
	if err != nil {
		return spsp.Details{}, &spsp.Error{Reason: spsp.NoAnswer, Err: err}
	}
	return service.Offer(p)
}

func offerRequest(ctx context.Context, service *payments.Service, id uuid.UUID) (spsp.Details, error) {
	r, err := service.FindRequest(ctx, id)
	if err != nil {
		return spsp.Details{}, &spsp.Error{Reason: spsp.NotFound, Err: err}
	}
	details, err := service.OfferRequest(r)
	if err != nil {
		return spsp.Details{}, &spsp.Error{Reason: spsp.NotFound, Err: err}
	}
	return details, nil
}

// Reach lets the wallet be asked for payment details.
func (e *Elsewhere) Reach(w *Wallet) { e.add(w) }
