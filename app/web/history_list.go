package web

import (
	"pochi/app/payments"
	"pochi/views"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
)

// showHistory shows what moved on all accounts of the person.
func (s *Site) showHistory(c *fiber.Ctx) error {
	return live(s, c, func() (views.HistoryPage, error) { return s.history(c) }, func(history views.HistoryPage) templ.Component {
		return views.History(s.livePage(c, "History", views.NavHome), history)
	})
}

func (s *Site) history(c *fiber.Ctx) (views.HistoryPage, error) {
	before := c.Query("before")
	movements, older, err := s.Payments.History(c.UserContext(), payments.Filter{
		UserID: person(c).ID, Before: before, Limit: historyPage,
	})
	return views.HistoryPage{Days: s.days(movements), Older: older, Later: before != ""}, err
}
