package web

import (
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

func (s *Site) addPointer(c *fiber.Ctx) error {
	name, account := text(c, "name"), text(c, "account")
	err := s.Pointers.AddPointer(c.UserContext(), person(c).ID, name, formID(c, "account"))
	if err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		return s.renderPointers(c, problem.Status(err), views.PointerList{Name: name, Account: account, Errors: errs})
	}
	return s.tell(c, "/pointers", "pointer-added")
}
