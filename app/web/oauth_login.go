package web

import (
	"strings"
	"unicode/utf8"

	"pochi/app/sessions"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

const hintMax = 254 // characters of an e-mail address

// showOAuthLogin answers an app that asks who somebody is: whoever is logged
// in, and lately enough for the app, goes straight on; others get the log-in
// page.
func (s *Site) showOAuthLogin(c *fiber.Ctx) error {
	challenge := strings.Clone(c.Query("login_challenge"))
	request, err := s.OAuth.Logins.Login(c.UserContext(), challenge)
	if err != nil {
		return err
	}
	if request.Refusal != nil {
		to, err := s.OAuth.Logins.RejectLogin(c.UserContext(), challenge, *request.Refusal)
		if err != nil {
			return err
		}
		return see(c, to)
	}
	if session, ok := sessions.Current(c); ok && !request.NeedsSignIn(session.CreatedAt, s.Now()) {
		return s.acceptLogin(c, challenge, session.UserID)
	}
	AllowFormAction(c, request.FormURLs...)
	form := views.LoginForm{Email: emailHint(request.Hint), App: request.App.Name, Challenge: challenge}
	return render(c, fiber.StatusOK, views.Login(s.page(c, "Log in", views.NavNone), form))
}

// resumeLogin sends the browser back to the app that asked for the login. It
// is for whoever just proved to be this person, on the form that carried the
// challenge: nothing an app can demand is fresher.
func (s *Site) resumeLogin(c *fiber.Ctx, challenge string, userID uuid.UUID) error {
	if err := s.acceptLogin(c, challenge, userID); err != nil {
		return s.oauthTrouble(c, err)
	}
	return nil
}

func (s *Site) acceptLogin(c *fiber.Ctx, challenge string, userID uuid.UUID) error {
	to, err := s.OAuth.Logins.AcceptLogin(c.UserContext(), challenge, userID.String())
	if err != nil {
		return err
	}
	return see(c, to)
}

// appName returns the name of the app that a log-in or sign-up form leads to,
// and lets the form lead there. It is "" when there is none or Hydra can't
// tell: signing in works without, and what is wrong is said afterwards.
func (s *Site) appName(c *fiber.Ctx, challenge string) string {
	if challenge == "" {
		return ""
	}
	request, err := s.OAuth.Logins.Login(c.UserContext(), challenge)
	if err != nil {
		return ""
	}
	AllowFormAction(c, request.FormURLs...)
	return request.App.Name
}

// emailHint is what an app may put into the e-mail field.
func emailHint(hint string) string {
	if !utf8.ValidString(hint) || utf8.RuneCountInString(hint) > hintMax {
		return ""
	}
	return hint
}
