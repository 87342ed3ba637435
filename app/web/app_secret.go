package web

import (
	"pochi/app/apps"
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// askAppSecret says what a new secret means.
func (s *Site) askAppSecret(c *fiber.Ctx) error {
	a, err := s.Apps.Find(c.UserContext(), person(c).ID, c.Params("id"))
	if err != nil {
		return err
	}
	if !a.Confidential {
		return problem.New(problem.NotFound, "This app has no secret: it is a public one.")
	}
	app, err := s.developerApp(c, a)
	if err != nil {
		return err
	}
	return render(c, fiber.StatusOK, views.AskAppSecret(s.page(c, "Make a new secret?", views.NavNone), views.AppQuestion{
		DeveloperApp: app,
		Effects: []string{
			"The secret that the app has now is refused from then on, at once.",
			"Until the app has the new one, it can't get tokens and can't renew those that it has.",
			"Tokens that it holds go on working until they run out. Agreements stay as they are.",
		},
	}))
}

func (s *Site) makeAppSecret(c *fiber.Ctx) error {
	if err := s.take(c, s.Limits.apps); err != nil {
		return err
	}
	secret, err := s.Apps.Rotate(c.UserContext(), person(c).ID, c.Params("id"))
	if err != nil {
		return err
	}
	a, err := s.Apps.Find(c.UserContext(), person(c).ID, c.Params("id"))
	if err != nil {
		return err
	}
	return s.renderSecret(c, a, secret, false)
}

// renderSecret tells a secret: this page is the only one that does.
func (s *Site) renderSecret(c *fiber.Ctx, a apps.App, secret string, first bool) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return render(c, fiber.StatusOK, views.NewAppSecret(s.page(c, "Client secret", views.NavNone), views.AppSecret{
		DeveloperApp: views.DeveloperApp{ID: a.ID, App: views.AppMark{Name: a.Name}}, Secret: secret, First: first,
	}))
}
