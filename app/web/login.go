package web

import (
	"strings"

	"pochi/app/problem"
	"pochi/app/users"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

func (s *Site) logIn(c *fiber.Ctx) error {
	email, challenge, next := text(c, "email"), text(c, "login_challenge"), text(c, "next")
	u, err := s.Users.Authenticate(c.UserContext(), users.LogIn{
		Email: email, Password: formValue(c, "password"), Address: strings.Clone(c.IP()),
	})
	if err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		return s.renderLogin(c, problem.Status(err), views.LoginForm{Email: email, Challenge: challenge, Next: next, Errors: errs})
	}
	if err := s.Sessions.LogIn(c, u.ID); err != nil {
		return err
	}
	if challenge != "" {
		return s.resumeLogin(c, challenge, u.ID)
	}
	return see(c, localPath(next))
}
