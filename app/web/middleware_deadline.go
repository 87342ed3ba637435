package web

import (
	"context"
	"time"

	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
)

// Deadline is middleware that ends the context of a request that takes longer.
// Whoever waits is told so instead of getting nothing.
func Deadline(limit time.Duration) fiber.Handler {
	return func(c *fiber.Ctx) error {
		outer := c.UserContext()
		ctx, cancel := context.WithTimeout(outer, limit)
		defer cancel()
		c.SetUserContext(ctx)
		err := c.Next()
		c.SetUserContext(outer) // the error page is made after this
		if ctx.Err() != nil && problem.CodeOf(err) == problem.Internal {
			return problem.New(problem.Unavailable,
				"This took too long. If you were paying, look at your last movements before you try again.").Because(err)
		}
		return err
	}
}
