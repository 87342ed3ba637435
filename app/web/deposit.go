package web

import (
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// showDeposit shows the form, filled in from the query: account, amount.
func (s *Site) showDeposit(c *fiber.Ctx) error {
	return s.renderDeposit(c, fiber.StatusOK, views.DepositForm{Account: c.Query("account"), Amount: c.Query("amount")})
}

func (s *Site) deposit(c *fiber.Ctx) error {
	amount := text(c, "amount")
	if err := s.Faucet.Deposit(c.UserContext(), person(c).ID, formID(c, "account"), amount); err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		return s.renderDeposit(c, problem.Status(err), views.DepositForm{Account: text(c, "account"), Amount: amount, Errors: errs})
	}
	return s.tell(c, "/", "deposited")
}

func (s *Site) renderDeposit(c *fiber.Ctx, status int, form views.DepositForm) error {
	all, err := s.Accounts.List(c.UserContext(), person(c).ID)
	if err != nil {
		return err
	}
	form.Accounts = accountOptions(all, balance)
	return render(c, status, views.Deposit(s.page(c, "Add test money", views.NavHome), form))
}
