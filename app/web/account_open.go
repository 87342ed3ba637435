package web

import (
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

func (s *Site) openAccount(c *fiber.Ctx) error {
	currency, name := text(c, "currency"), text(c, "name")
	_, err := s.Accounts.Open(c.UserContext(), person(c).ID, currency, name)
	if err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		return s.renderAccounts(c, problem.Status(err), views.AccountList{Currency: currency, Name: name, Errors: errs})
	}
	return s.tell(c, "/accounts", "account-opened")
}
