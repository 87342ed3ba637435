package web

import (
	"pochi/app/payments"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// showHistory shows what moved on all accounts of the person.
func (s *Site) showHistory(c *fiber.Ctx) error {
	before := c.Query("before")
	movements, older, err := s.Payments.History(c.UserContext(), payments.Filter{
		UserID: person(c).ID, Before: before, Limit: historyPage,
	})
	if err != nil {
		return err
	}
	return render(c, fiber.StatusOK, views.History(s.page(c, "History", views.NavHome), views.HistoryPage{
		Days: s.days(movements), Older: older, Later: before != "",
	}))
}
