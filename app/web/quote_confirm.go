package web

import (
	"context"
	"time"

	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
)

// resultWait is how long a confirmation waits for the payment's end before it
// shows the page that says "sending".
const resultWait = 3 * time.Second

func (s *Site) confirmQuote(c *fiber.Ctx) error {
	id, err := paramID(c)
	if err != nil {
		return err
	}
	p, err := s.Payments.Confirm(c.UserContext(), person(c).ID, id)
	switch problem.CodeOf(err) {
	case "":
	case problem.Gone, problem.Conflict:
		return s.renderQuote(c, problem.Status(err), problem.MessageOf(err))
	default:
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), resultWait)
	defer cancel()
	s.Payments.Wait(ctx, p.ID)
	return see(c, "/payments/"+p.ID.String())
}
