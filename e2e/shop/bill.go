package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// billDeal asks for the price once more: for this month's flowers, or for a bouquet that wasn't paid.
func (s *shop) billDeal(w http.ResponseWriter, r *http.Request) {
	defer s.deals.lock(r.PathValue("id"))()
	d, ok := s.mine(w, r)
	if !ok {
		return
	}
	if d.Kind != tips && d.Stage == agreed {
		if err := s.bill(r.Context(), &d); err != nil {
			s.fail(w, err)
			return
		}
	}
	http.Redirect(w, r, "/deals/"+d.ID, http.StatusSeeOther)
}

// mine returns the deal that the path names, if it is the visitor's.
func (s *shop) mine(w http.ResponseWriter, r *http.Request) (deal, bool) {
	d, ok := s.deals.find(visitor(w, r), r.PathValue("id"))
	if !ok || d.Stage == asked || d.Stage == denied {
		http.NotFound(w, r)
		return deal{}, false
	}
	return d, true
}

// bill charges the price. Where an earlier charge has no known outcome, it is that one again. What can't be charged is written
// down with the reason; an error says that nobody knows yet.
func (s *shop) bill(ctx context.Context, d *deal) error {
	if n := len(d.Bills); n == 0 || !d.Bills[n-1].open() {
		d.Bills = append(d.Bills, bill{Key: fmt.Sprintf("%s-%d", d.ID, n+1), At: time.Now()})
		if err := s.deals.save(*d); err != nil {
			return err
		}
	}
	last := &d.Bills[len(d.Bills)-1]
	token, err := s.access(ctx, d)
	if err == nil {
		last.Payment, err = s.wallet.charge(ctx, token, d.Agreement, last.Key, s.order(*d))
	}
	if no, ok := refused(err); ok && no.Status < http.StatusInternalServerError && no.Status != http.StatusTooManyRequests {
		last.Refused, err = no.Detail, nil
	} else if noMore(err) {
		last.Refused, err = "This agreement has ended.", nil
	}
	if err != nil {
		return fmt.Errorf("charge: %w", err)
	}
	if d.Kind == bouquet && last.Paid() {
		s.leave(ctx, d)
	}
	return s.deals.save(*d)
}

// order is what the wallet is to pay. A bouquet's price has to arrive; what a subscription costs is what is taken.
func (s *shop) order(d deal) order {
	if d.Kind == bouquet {
		return order{Receiver: s.Pointer, ReceiveAmount: amountOf(d.Price, s.Asset)}
	}
	return order{Receiver: s.Pointer, DebitAmount: amountOf(d.Price, s.Asset)}
}
