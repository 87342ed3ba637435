package web

import (
	"strings"

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
		form.Payee = s.payee(c, form.To)
	}
	return render(c, status, views.Send(s.page(c, "Send money", views.NavSend), form))
}

// payee says whom a pointer pays, while it is typed. Nothing typed is nobody.
func (s *Site) payee(c *fiber.Ctx, pointer string) views.Payee {
	if strings.TrimSpace(pointer) == "" {
		return views.Payee{}
	}
	r, err := s.Quotes.Resolve(c.UserContext(), pointer)
	if err != nil {
		return views.Payee{Problem: problem.MessageOf(err)}
	}
	if r.Local == nil {
		return views.Payee{Name: r.Pointer.String()}
	}
	return views.Payee{Name: r.Name(), Currency: r.Local.Asset.Code}
}

// showPayee answers the form's question who is behind what was typed so far.
func (s *Site) showPayee(c *fiber.Ctx) error {
	return render(c, fiber.StatusOK, views.PayeeHint(s.payee(c, c.Query("to"))))
}
