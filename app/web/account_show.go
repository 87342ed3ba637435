package web

import (
	"pochi/app/payments"
	"pochi/views"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
)

const historyPage = 25

func (s *Site) showAccount(c *fiber.Ctx) error {
	return live(s, c, func() (views.AccountShow, error) { return s.account(c) }, func(a views.AccountShow) templ.Component {
		return views.Account(s.livePage(c, a.Name, views.NavAccounts), a)
	})
}

func (s *Site) account(c *fiber.Ctx) (views.AccountShow, error) {
	ctx, who := c.UserContext(), person(c)
	id, err := paramID(c)
	if err != nil {
		return views.AccountShow{}, err
	}
	a, err := s.Accounts.FindAny(ctx, who.ID, id)
	if err != nil {
		return views.AccountShow{}, err
	}
	pointers, err := s.Pointers.Pointers(ctx, who.ID)
	if err != nil {
		return views.AccountShow{}, err
	}
	before := c.Query("before")
	movements, older, err := s.Payments.History(ctx, payments.Filter{UserID: who.ID, AccountID: id, Before: before, Limit: historyPage})
	return views.AccountShow{
		ID: a.ID.String(), Name: a.Name, Asset: a.Asset().Name(), Balance: money(a.Available),
		Pointers: s.paying(pointers, a.ID), Days: s.days(movements), Older: older, Later: before != "", Closed: a.Closed,
	}, err
}
