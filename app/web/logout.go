package web

import "github.com/gofiber/fiber/v2"

func (s *Site) logOut(c *fiber.Ctx) error {
	if err := s.Sessions.LogOut(c); err != nil {
		return err
	}
	return s.tell(c, "/", "logged-out")
}
