package web

import (
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

func (s *Site) closeAccount(c *fiber.Ctx) error {
	id, err := paramID(c)
	if err != nil {
		return err
	}
	if err := s.Accounts.Close(c.UserContext(), person(c).ID, id); err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		return s.renderAccounts(c, problem.Status(err), views.AccountList{Currency: s.Currencies[0].Code, Errors: errs})
	}
	return s.tell(c, "/accounts", "account-closed")
}
