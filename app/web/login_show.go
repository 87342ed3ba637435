package web

import (
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

func (s *Site) showLogin(c *fiber.Ctx) error {
	if person(c).ID != uuid.Nil {
		return see(c, afterLogin(c.Query("login_challenge"), c.Query("next")))
	}
	return s.renderLogin(c, fiber.StatusOK, views.LoginForm{Challenge: c.Query("login_challenge"), Next: c.Query("next")})
}

func (s *Site) renderLogin(c *fiber.Ctx, status int, form views.LoginForm) error {
	form.App = s.appName(c, form.Challenge)
	return render(c, status, views.Login(s.page(c, "Log in", views.NavNone), form))
}

// afterLogin is where to go on for who is logged in already: back to the app
// that asks who they are, or to the page that wanted them logged in.
func afterLogin(challenge, next string) string {
	if challenge != "" {
		return pathOAuthLogin + "?" + query("login_challenge", challenge)
	}
	return localPath(next)
}
