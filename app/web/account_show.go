package web

import (
	"pochi/app/payments"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

const historyPage = 25

func (s *Site) showAccount(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), person(c)
	id, err := paramID(c)
	if err != nil {
		return err
	}
	a, err := s.Accounts.FindAny(ctx, who.ID, id)
	if err != nil {
		return err
	}
	pointers, err := s.Pointers.Pointers(ctx, who.ID)
	if err != nil {
		return err
	}
	before := c.Query("before")
	movements, older, err := s.Payments.History(ctx, payments.Filter{UserID: who.ID, AccountID: id, Before: before, Limit: historyPage})
	if err != nil {
		return err
	}
	return render(c, fiber.StatusOK, views.Account(s.page(c, a.Name, views.NavAccounts), views.AccountShow{
		ID: a.ID.String(), Name: a.Name, Asset: a.Asset().Name(), Balance: money(a.Available),
		Pointers: s.paying(pointers, a.ID), Days: s.days(movements), Older: older, Later: before != "", Closed: a.Closed,
	}))
}
