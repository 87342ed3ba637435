package web

import (
	"strings"

	"pochi/app/problem"
	"pochi/app/users"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

func (s *Site) signUp(c *fiber.Ctx) error {
	form := users.SignUp{
		Name: text(c, "name"), Email: text(c, "email"), Password: formValue(c, "password"),
		Pointer: text(c, "pointer"), Currency: text(c, "currency"),
		Address: strings.Clone(c.IP()),
	}
	challenge, next := text(c, "login_challenge"), text(c, "next")
	u, err := s.Users.SignUp(c.UserContext(), form)
	if err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		return s.renderSignup(c, problem.Status(err), views.SignupForm{
			Name: form.Name, Email: form.Email, Pointer: form.Pointer, Currency: form.Currency,
			Challenge: challenge, Next: next, Errors: errs,
		})
	}
	if err := s.Sessions.LogIn(c, u.ID); err != nil {
		return err
	}
	if challenge != "" {
		return s.resumeLogin(c, challenge, u.ID)
	}
	if to := localPath(next); to != "/" {
		return see(c, to)
	}
	return s.tell(c, "/", "welcome")
}
