package web

import (
	"strings"

	"pochi/app/oauth"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// showOAuthLogout asks whether an app's wish to log somebody out is meant.
// Where nobody is logged in, or somebody else, there is nothing to ask: that
// session stays as it is.
func (s *Site) showOAuthLogout(c *fiber.Ctx) error {
	request, err := s.OAuth.Logouts.Logout(c.UserContext(), strings.Clone(c.Query("logout_challenge")))
	if err != nil {
		return err
	}
	if !isSubject(c, request.Subject) {
		return s.acceptLogout(c, request)
	}
	AllowFormAction(c, request.FormURLs...)
	return render(c, fiber.StatusOK, views.Logout(s.page(c, "Log out?", views.NavNone), views.LogoutPage{
		Action:    pathOAuthLogout,
		Challenge: request.Challenge,
		App:       request.App.Name,
	}))
}

// decideOAuthLogout ends the wallet's own session, too, or leaves all as it is.
func (s *Site) decideOAuthLogout(c *fiber.Ctx) error {
	request, err := s.OAuth.Logouts.Logout(c.UserContext(), formValue(c, "logout_challenge"))
	if err != nil {
		return err
	}
	switch formValue(c, "decision") {
	case views.DecisionAllow:
		if isSubject(c, request.Subject) {
			if err := s.Sessions.LogOut(c); err != nil {
				return err
			}
		}
		return s.acceptLogout(c, request)
	case views.DecisionDeny:
		if err := s.OAuth.Logouts.RejectLogout(c.UserContext(), request.Challenge); err != nil {
			return err
		}
		return see(c, "/")
	default:
		return undecided()
	}
}

func (s *Site) acceptLogout(c *fiber.Ctx, request oauth.LogoutRequest) error {
	to, err := s.OAuth.Logouts.AcceptLogout(c.UserContext(), request.Challenge)
	if err != nil {
		return err
	}
	return see(c, to)
}
