package web

import (
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

func (s *Site) changePointer(c *fiber.Ctx) error {
	id, err := paramID(c)
	if err != nil {
		return err
	}
	err = s.Pointers.Repoint(c.UserContext(), person(c).ID, id, formID(c, "account"))
	if err != nil {
		if _, ok := formErrors(c, err); !ok {
			return err
		}
		// The form of one pointer among many: its problem concerns the page.
		return s.renderPointers(c, problem.Status(err), views.PointerList{Errors: views.Errors{"": problem.MessageOf(err)}})
	}
	return s.tell(c, "/pointers", "pointer-changed")
}
