package web

import (
	"fmt"

	"pochi/app/apps"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// askDeleteApp says what it means to delete an app.
func (s *Site) askDeleteApp(c *fiber.Ctx) error {
	a, err := s.Apps.Find(c.UserContext(), person(c).ID, c.Params("id"))
	if err != nil {
		return err
	}
	app, err := s.developerApp(c, a)
	if err != nil {
		return err
	}
	standing, err := s.Apps.Standing(c.UserContext(), a.ID)
	if err != nil {
		return err
	}
	return render(c, fiber.StatusOK, views.DeleteApp(s.page(c, "Delete "+a.Name+"?", views.NavNone), views.AppQuestion{
		DeveloperApp: app, Effects: deleteEffects(standing),
	}))
}

func deleteEffects(standing apps.Standing) []string {
	first := "It has no agreements that could end."
	switch standing.Live {
	case 0:
	case 1:
		first = "Its one agreement ends at once: nothing can be paid under it any more."
	default:
		first = fmt.Sprintf("Its %d agreements end at once: nothing can be paid under them any more.", standing.Live)
	}
	return []string{
		first,
		"Its tokens stop working, and nobody can log in with it.",
		"Payments that were made stay as they are, and people still see what it had spent.",
		"This can't be taken back. Another registration gets another client ID.",
	}
}

func (s *Site) deleteApp(c *fiber.Ctx) error {
	if err := s.Apps.Delete(c.UserContext(), person(c).ID, c.Params("id")); err != nil {
		return err
	}
	return s.tell(c, "/developers", "app-deleted")
}
