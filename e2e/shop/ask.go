package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/oauth2"
)

// wayShare is the part of a bouquet's price, one in so many, that is asked for besides: the way to the shop may cost something.
const wayShare = 50

// askMax is how long a bouquet may be paid.
const askMax = time.Hour

// buy asks for a bouquet's price, once.
func (s *shop) buy(w http.ResponseWriter, r *http.Request) {
	at := slices.IndexFunc(flowers, func(f flower) bool { return f.Name == r.FormValue("flower") })
	if at < 0 {
		http.NotFound(w, r)
		return
	}
	price := flowers[at].Stems * s.Stem
	until := time.Now().Add(askMax).UTC().Truncate(time.Second)
	details := []inline{{"agreement", terms{
		Description: flowers[at].Name + " from " + s.Name, Amount: amountOf(price+price/wayShare, s.Asset),
		Receivers: []string{s.Pointer}, ExpiresAt: &until,
	}}}
	s.sendOff(w, r, deal{Kind: bouquet, Title: flowers[at].Name, Price: price}, details)
}

// subscribe asks for an amount each month. The wallet is told of the terms first: customers are sent there with their id.
func (s *shop) subscribe(w http.ResponseWriter, r *http.Request) {
	price := deliveryStems * s.Stem
	details, err := s.wallet.propose(r.Context(), terms{
		Description: "Flowers every month from " + s.Name, Amount: amountOf(price, s.Asset), Interval: "R/P1M", Receivers: []string{s.Pointer},
	})
	if err != nil {
		s.fail(w, err)
		return
	}
	s.sendOff(w, r, deal{Kind: subscription, Title: "Flowers every month", Price: price}, details, "offline_access")
}

// askForTips asks for an amount each day, and for whom it is spent is left open: only such agreements can be used for packets.
func (s *shop) askForTips(w http.ResponseWriter, r *http.Request) {
	details := []inline{{"agreement", terms{
		Description: "Tips for the music at " + s.Name + ", while it plays", Amount: amountOf(tipsPerDay*s.drop(), s.Asset), Interval: "R/P1D",
	}}}
	s.sendOff(w, r, deal{Kind: tips, Title: "Tips for the music"}, details, "offline_access")
}

// sendOff begins a deal and sends the browser to the wallet.
func (s *shop) sendOff(w http.ResponseWriter, r *http.Request, d deal, details any, scopes ...string) {
	d.ID, d.Visitor, d.Stage, d.MadeAt = random(), visitor(w, r), asked, time.Now()
	d.State, d.Verifier = random(), oauth2.GenerateVerifier()
	to, err := s.wallet.ask(d.State, d.Verifier, details, scopes...)
	if err == nil {
		err = s.deals.save(d)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// comeBack is where the wallet sends the browser, with a code or with a no.
func (s *shop) comeBack(w http.ResponseWriter, r *http.Request) {
	back := r.URL.Query()
	who, state := visitor(w, r), back.Get("state")
	d, ok := s.deals.begun(who, state)
	if ok {
		defer s.deals.lock(d.ID)()
		d, ok = s.deals.begun(who, state) // another request may have been faster
	}
	if !ok {
		s.show(w, http.StatusBadRequest, "message.html", "Nothing was bought", "Your browser brought an answer that this shop didn't ask for, or had before.", nil)
		return
	}
	d.State = ""
	if back.Get("code") == "" {
		d.Stage = denied
		if err := s.deals.save(d); err != nil {
			s.fail(w, err)
			return
		}
		s.show(w, http.StatusOK, "message.html", "Nothing was bought", "You said no in your wallet, so nothing is paid. That's fine.", back.Get("error"))
		return
	}
	if err := s.agree(r.Context(), &d, back); err != nil {
		s.fail(w, err)
		return
	}
	if d.Kind == bouquet {
		if err := s.bill(r.Context(), &d); err != nil {
			s.fail(w, err)
			return
		}
	}
	http.Redirect(w, r, "/deals/"+d.ID, http.StatusSeeOther)
}

// agree writes down what the customer agreed to, who came back with a code.
func (s *shop) agree(ctx context.Context, d *deal, back url.Values) error {
	token, err := s.wallet.exchange(ctx, back, d.Verifier)
	if err != nil {
		return fmt.Errorf("exchange the code: %w", err)
	}
	granted, err := s.wallet.granted(ctx, token.AccessToken)
	if err != nil {
		return fmt.Errorf("what was granted: %w", err)
	}
	d.Token, d.Agreement, d.Stage = token, granted.ID, agreed
	if d.Customer, err = s.wallet.me(ctx, token.AccessToken); err != nil {
		return fmt.Errorf("who it was: %w", err)
	}
	return s.deals.save(*d)
}

// access returns an access token that is good now, and keeps what came with it.
func (s *shop) access(ctx context.Context, d *deal) (string, error) {
	token, err := s.wallet.fresh(ctx, d.Token)
	if err != nil {
		return "", err
	}
	if token.AccessToken != d.Token.AccessToken {
		d.Token = token
		if err := s.deals.save(*d); err != nil {
			return "", err
		}
	}
	return token.AccessToken, nil
}

// noMore tells whether a token can't be refreshed since what it is for has ended.
func noMore(err error) bool {
	var no *oauth2.RetrieveError
	return errors.As(err, &no) && no.Response.StatusCode < http.StatusInternalServerError
}
