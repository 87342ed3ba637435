package main

import (
	"context"
	"errors"
	"log"
	"net/http"
)

// dealPage is a deal as its page shows it.
type dealPage struct {
	deal
	Price, Tipped string
	Limit         string // of what the customer agreed to
	Left          string // of it now, "" if nothing can be used
	State         string // of the agreement, as the wallet says
	Lines         []billLine
	Playing       bool
	Stopped       string // why the music isn't tipped any more
}

type billLine struct{ When, Amount, Words string }

// showDeal shows a deal, with what the wallet says of it now.
func (s *shop) showDeal(w http.ResponseWriter, r *http.Request) {
	defer s.deals.lock(r.PathValue("id"))()
	d, ok := s.mine(w, r)
	if !ok {
		return
	}
	content := dealPage{deal: d, Price: s.price(d.Price), Tipped: s.price(d.Tipped)}
	if d.Stage == agreed {
		s.look(r.Context(), &content)
	}
	for _, b := range content.Bills {
		content.Lines = append(content.Lines, billLine{b.At.UTC().Format("2 Jan 2006, 15:04 UTC"), content.Price, wordsOf(b)})
	}
	content.Playing, content.Stopped, _ = s.band.standing(d.ID)
	s.show(w, http.StatusOK, string(d.Kind)+".html", d.Title, "", content)
}

// look asks the wallet how the agreement stands, and about a charge of which nobody knew.
func (s *shop) look(ctx context.Context, p *dealPage) {
	token, err := s.access(ctx, &p.deal)
	if err == nil {
		err = s.catchUp(ctx, token, &p.deal)
	}
	var now agreement
	if err == nil {
		now, err = s.wallet.granted(ctx, token)
	}
	if noMore(err) {
		p.State = "ended"
		return
	}
	if err != nil {
		log.Print("shop: look at an agreement: ", err)
		p.State = "unknown"
		return
	}
	p.State = now.State
	p.Limit = now.Amount.String() + " " + now.IntervalWords
	if now.Left != nil {
		p.Left = now.Left.String()
	}
}

// catchUp finds out what became of the last charge.
func (s *shop) catchUp(ctx context.Context, token string, d *deal) error {
	n := len(d.Bills)
	if n == 0 || !d.Bills[n-1].open() || d.Bills[n-1].Payment.ID == "" {
		return nil
	}
	found, err := s.wallet.payment(ctx, token, d.Agreement, d.Bills[n-1].Payment.ID)
	if err != nil {
		return err
	}
	d.Bills[n-1].Payment = found
	return s.deals.save(*d)
}

func wordsOf(b bill) string {
	switch {
	case b.Refused != "":
		return b.Refused
	case b.Paid():
		return "Paid"
	case b.Payment.State == "partial":
		return "Paid in part: " + b.Payment.Reason
	case b.Payment.State == "failed":
		return "Not paid: " + b.Payment.Reason
	}
	return "On its way"
}

// end gives up what the customer agreed to.
func (s *shop) end(w http.ResponseWriter, r *http.Request) {
	s.band.stop(r.PathValue("id"))
	defer s.deals.lock(r.PathValue("id"))()
	d, ok := s.mine(w, r)
	if !ok {
		return
	}
	if d.Stage == agreed {
		s.leave(r.Context(), &d)
		if err := s.deals.save(d); err != nil {
			s.fail(w, err)
			return
		}
	}
	http.Redirect(w, r, "/deals/"+d.ID, http.StatusSeeOther)
}

// leave ends the agreement and throws its tokens away. What the wallet doesn't hear, it finds out itself: nobody has the tokens.
func (s *shop) leave(ctx context.Context, d *deal) {
	token, err := s.access(ctx, d)
	if err == nil {
		err = errors.Join(s.wallet.giveUp(ctx, token, d.Agreement), s.wallet.revoke(ctx, d.Token))
	}
	if err != nil && !noMore(err) {
		log.Print("shop: give an agreement up: ", err)
	}
	d.Stage, d.Token = done, nil
}
