package web

import "github.com/gofiber/fiber/v2"

func (s *Site) cancelRequest(c *fiber.Ctx) error {
	id, err := paramID(c)
	if err != nil {
		return err
	}
	if err := s.Requests.CancelRequest(c.UserContext(), person(c).ID, id); err != nil {
		return err
	}
	return s.tell(c, "/requests/"+id.String(), "request-cancelled")
}
