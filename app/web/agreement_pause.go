package web

import "github.com/gofiber/fiber/v2"

func (s *Site) pauseAgreement(c *fiber.Ctx) error {
	id, err := paramID(c)
	if err != nil {
		return err
	}
	if err := s.Agreements.Pause(c.UserContext(), person(c).ID, id); err != nil {
		return err
	}
	return s.tell(c, "/agreements/"+id.String(), "agreement-paused")
}

func (s *Site) resumeAgreement(c *fiber.Ctx) error {
	id, err := paramID(c)
	if err != nil {
		return err
	}
	if err := s.Agreements.Resume(c.UserContext(), person(c).ID, id); err != nil {
		return err
	}
	return s.tell(c, "/agreements/"+id.String(), "agreement-resumed")
}
