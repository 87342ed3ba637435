package web

import (
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// editAccount shows the form, filled in with the query's name if it has one.
func (s *Site) editAccount(c *fiber.Ctx) error {
	id, err := paramID(c)
	if err != nil {
		return err
	}
	a, err := s.Accounts.Find(c.UserContext(), person(c).ID, id)
	if err != nil {
		return err
	}
	return s.renderAccountEdit(c, fiber.StatusOK, views.AccountEdit{ID: a.ID.String(), Current: a.Name, Name: c.Query("name", a.Name)})
}

func (s *Site) renameAccount(c *fiber.Ctx) error {
	id, err := paramID(c)
	if err != nil {
		return err
	}
	a, err := s.Accounts.Find(c.UserContext(), person(c).ID, id)
	if err != nil {
		return err
	}
	name := text(c, "name")
	if err := s.Accounts.Rename(c.UserContext(), person(c).ID, id, name); err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		return s.renderAccountEdit(c, problem.Status(err), views.AccountEdit{ID: a.ID.String(), Current: a.Name, Name: name, Errors: errs})
	}
	return s.tell(c, "/accounts", "account-renamed")
}

func (s *Site) renderAccountEdit(c *fiber.Ctx, status int, form views.AccountEdit) error {
	return render(c, status, views.EditAccount(s.page(c, "Rename account", views.NavAccounts), form))
}
