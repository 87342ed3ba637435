package web

import (
	"strings"

	"pochi/app/apps"
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// newApp shows the form, filled in from the query.
func (s *Site) newApp(c *fiber.Ctx) error {
	return s.renderRegister(c, fiber.StatusOK, views.AppForm{
		Name: c.Query("name"), Kind: c.Query("kind", views.KindConfidential), RedirectURIs: c.Query("redirect_uris"),
		PolicyURL: c.Query("policy_url"), TermsURL: c.Query("terms_url"),
	})
}

// registerApp answers with the secret itself: it is kept nowhere for another page.
func (s *Site) registerApp(c *fiber.Ctx) error {
	form := appForm(c)
	form.Kind = text(c, "kind")
	a, secret, err := s.register(c, form)
	if err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		form.Errors = errs
		return s.renderRegister(c, problem.Status(err), form)
	}
	if secret == "" {
		return s.tell(c, "/developers/apps/"+a.ID, "app-registered")
	}
	return s.renderSecret(c, a, secret, true)
}

func (s *Site) register(c *fiber.Ctx, form views.AppForm) (apps.App, string, error) {
	if form.Kind != views.KindConfidential && form.Kind != views.KindPublic {
		return apps.App{}, "", problem.Errors{problem.Field("kind", "Choose where its code runs.")}
	}
	if err := s.take(c, s.Limits.apps); err != nil {
		return apps.App{}, "", err
	}
	in := saidOf(form)
	in.Confidential = form.Kind == views.KindConfidential
	return s.Apps.Register(c.UserContext(), person(c).ID, in)
}

func (s *Site) renderRegister(c *fiber.Ctx, status int, form views.AppForm) error {
	return render(c, status, views.RegisterApp(s.page(c, "Register an app", views.NavNone), form))
}

// appForm is what was typed about an app.
func appForm(c *fiber.Ctx) views.AppForm {
	return views.AppForm{
		Name: text(c, "name"), RedirectURIs: text(c, "redirect_uris"), PolicyURL: text(c, "policy_url"), TermsURL: text(c, "terms_url"),
	}
}

// saidOf is what a form says about an app.
func saidOf(form views.AppForm) apps.Form {
	return apps.Form{
		Name: form.Name, RedirectURIs: strings.FieldsFunc(form.RedirectURIs, func(r rune) bool { return r == '\n' || r == '\r' }),
		PolicyURL: form.PolicyURL, TermsURL: form.TermsURL,
	}
}
