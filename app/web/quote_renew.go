package web

import (
	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
)

func (s *Site) renewQuote(c *fiber.Ctx) error {
	id, err := paramID(c)
	if err != nil {
		return err
	}
	q, err := s.Quotes.Renew(c.UserContext(), person(c).ID, id)
	if err != nil {
		if _, ok := formErrors(err); !ok {
			return err
		}
		return s.renderQuote(c, problem.Status(err), problem.MessageOf(err))
	}
	return see(c, "/quotes/"+q.ID.String())
}
