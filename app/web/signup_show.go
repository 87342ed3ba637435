package web

import (
	"pochi/ledger"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// showSignup shows the form, also to who is logged in if an app sent them:
// it may have asked for another person.
func (s *Site) showSignup(c *fiber.Ctx) error {
	challenge, next := c.Query("login_challenge"), c.Query("next")
	if person(c).ID != uuid.Nil && challenge == "" {
		return see(c, localPath(next))
	}
	return s.renderSignup(c, fiber.StatusOK, views.SignupForm{Currency: s.Currencies[0].Code, Challenge: challenge, Next: next})
}

func (s *Site) renderSignup(c *fiber.Ctx, status int, form views.SignupForm) error {
	form.Host, form.Currencies = s.Host, currencyOptions(s.Currencies)
	form.App = s.appName(c, form.Challenge)
	return render(c, status, views.Signup(s.page(c, "Sign up", views.NavNone), form))
}

func currencyOptions(assets []ledger.Asset) []views.Option {
	out := make([]views.Option, len(assets))
	for i, asset := range assets {
		out[i] = views.Option{Value: asset.Code, Label: currencyLabel(asset)}
	}
	return out
}

// currencyLabel returns "Euro (EUR)".
func currencyLabel(asset ledger.Asset) string {
	if name := asset.Name(); name != asset.Code {
		return name + " (" + asset.Code + ")"
	}
	return asset.Code
}
