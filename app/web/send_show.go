package web

import (
	"strings"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// showSend shows the form, filled in from the query: to, account, amount, side.
func (s *Site) showSend(c *fiber.Ctx) error {
	return s.renderSend(c, fiber.StatusOK, views.SendForm{
		To: c.Query("to"), Account: c.Query("account"), Amount: c.Query("amount"), Side: c.Query("side", views.SideSend),
	})
}

func (s *Site) renderSend(c *fiber.Ctx, status int, form views.SendForm) error {
	all, err := s.Accounts.List(c.UserContext(), person(c).ID)
	if err != nil {
		return err
	}
	form.Accounts = accountOptions(all, balance)
	if form.Errors["to"] == "" {
		form.Payee, _ = s.payee(c, form.To) // what is wrong is in it
	}
	return render(c, status, views.Send(s.page(c, "Send money", views.NavSend), form))
}

// payee says whom a pointer pays, while it is typed. Nothing typed is nobody.
// The error says the same as the Payee's Problem.
func (s *Site) payee(c *fiber.Ctx, pointer string) (views.Payee, error) {
	if strings.TrimSpace(pointer) == "" {
		return views.Payee{}, nil
	}
	r, err := s.resolve(c, pointer)
	switch {
	case err != nil:
		return views.Payee{Problem: problem.MessageOf(err)}, err
	case r.Local == nil:
		return views.Payee{Elsewhere: true}, nil
	}
	payee := views.Payee{Name: r.Name(), Currency: r.Local.Asset.Code}
	if r.Request != nil {
		payee.Asks, payee.What = moneyUnlessZero(r.Request.Left()), r.Request.Description
	}
	return payee, nil
}

func (s *Site) resolve(c *fiber.Ctx, pointer string) (payments.Receiver, error) {
	if err := s.take(c, s.Limits.lookups); err != nil {
		return payments.Receiver{}, err
	}
	return s.Quotes.Resolve(c.UserContext(), pointer)
}

// showPayee answers the form's question who is behind what was typed so far.
func (s *Site) showPayee(c *fiber.Ctx) error {
	hint, err := s.payee(c, c.Query("to"))
	status := fiber.StatusOK // also for what is half typed
	if problem.CodeOf(err) == problem.TooMany {
		setRetryAfter(c, err)
		status = fiber.StatusTooManyRequests
	}
	return render(c, status, views.PayeeHint(hint))
}
