package web

import (
	"pochi/app/oauth"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

func (s *Site) showApp(c *fiber.Ctx) error { return s.renderApp(c, fiber.StatusOK, nil) }

// renderApp shows an app; the errors are those of the form for its logo.
func (s *Site) renderApp(c *fiber.Ctx, status int, errs views.Errors) error {
	a, err := s.Apps.Find(c.UserContext(), person(c).ID, c.Params("id"))
	if err != nil {
		return err
	}
	app, err := s.developerApp(c, a)
	if err != nil {
		return err
	}
	return render(c, status, views.App(s.page(c, a.Name, views.NavNone), views.AppShow{
		DeveloperApp: app, Scopes: scopeLines(a.Confidential), Errors: errs,
	}))
}

// scopeLines are the scopes that every app has, which nobody chooses.
func scopeLines(confidential bool) []views.ScopeLine {
	lines := []views.ScopeLine{
		{Scope: string(oauth.OpenID), Words: "To recognise somebody who comes back."},
		{Scope: string(oauth.Profile), Words: "Their name and payment pointers."},
		{Scope: string(oauth.OfflineAccess), Words: "To keep what it was allowed while they are away."},
		{Scope: string(oauth.AccountsRead), Words: "Their accounts and balances."},
		{Scope: string(oauth.TransactionsRead), Words: "What moved on their accounts."},
		{Scope: string(oauth.PaymentsRequest), Words: "To ask for payments to them."},
		{Scope: string(oauth.AgreementScope), Words: "To spend under one agreement, within its limit."},
	}
	if confidential {
		lines = append(lines, views.ScopeLine{
			Scope: string(oauth.AgreementsPropose), Words: "For itself, with client credentials: to propose agreements before it asks people for them.",
		})
	}
	return lines
}
