package web

import (
	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// send asks for a quote; nothing moves before it is confirmed.
func (s *Site) send(c *fiber.Ctx) error {
	form := views.SendForm{To: text(c, "to"), Account: text(c, "account"), Amount: text(c, "amount"), Side: text(c, "side")}
	fixed := payments.FixedDebit
	if form.Side == views.SideReceive {
		fixed = payments.FixedReceive
	}
	q, err := s.quote(c, payments.QuoteRequest{AccountID: formID(c, "account"), To: form.To, Amount: form.Amount, Fixed: fixed})
	if err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		form.Errors = errs
		return s.renderSend(c, problem.Status(err), form)
	}
	return see(c, "/quotes/"+q.ID.String())
}

func (s *Site) quote(c *fiber.Ctx, request payments.QuoteRequest) (payments.Quote, error) {
	if err := s.take(c, s.Limits.quotes); err != nil {
		return payments.Quote{}, err
	}
	return s.Quotes.Quote(c.UserContext(), person(c).ID, request)
}
