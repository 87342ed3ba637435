package web

import (
	"strings"

	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// editApp shows the form with what is said now or, if the query says something,
// with that.
func (s *Site) editApp(c *fiber.Ctx) error {
	a, err := s.Apps.Find(c.UserContext(), person(c).ID, c.Params("id"))
	if err != nil {
		return err
	}
	return s.renderAppEdit(c, fiber.StatusOK, views.AppForm{
		ID: a.ID, Current: a.Name, Name: c.Query("name", a.Name),
		RedirectURIs: c.Query("redirect_uris", strings.Join(a.RedirectURIs, "\n")),
		PolicyURL:    c.Query("policy_url", a.PolicyURL), TermsURL: c.Query("terms_url", a.TermsURL),
	})
}

func (s *Site) changeApp(c *fiber.Ctx) error {
	a, err := s.Apps.Find(c.UserContext(), person(c).ID, c.Params("id"))
	if err != nil {
		return err
	}
	form := appForm(c)
	form.ID, form.Current = a.ID, a.Name
	if err = s.take(c, s.Limits.apps); err == nil {
		_, err = s.Apps.Edit(c.UserContext(), person(c).ID, a.ID, saidOf(form))
	}
	if err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		form.Errors = errs
		return s.renderAppEdit(c, problem.Status(err), form)
	}
	return s.tell(c, "/developers/apps/"+a.ID, "app-changed")
}

func (s *Site) renderAppEdit(c *fiber.Ctx, status int, form views.AppForm) error {
	return render(c, status, views.EditApp(s.page(c, "Change the app", views.NavNone), form))
}
