package web

import (
	"pochi/app/payments"
	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

func (s *Site) renewQuote(c *fiber.Ctx) error {
	id, err := paramID(c)
	if err != nil {
		return err
	}
	q, err := s.renewed(c, id)
	if err != nil {
		if _, ok := formErrors(c, err); !ok {
			return err
		}
		return s.renderQuote(c, problem.Status(err), problem.MessageOf(err))
	}
	return see(c, "/quotes/"+q.ID.String())
}

func (s *Site) renewed(c *fiber.Ctx, id uuid.UUID) (payments.Quote, error) {
	if err := s.take(c, s.Limits.quotes); err != nil {
		return payments.Quote{}, err
	}
	return s.Quotes.Renew(c.UserContext(), person(c).ID, id)
}
