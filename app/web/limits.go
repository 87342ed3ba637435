package web

import (
	"time"

	"pochi/app/limit"

	"github.com/gofiber/fiber/v2"
)

// Limits bound what a person can make the wallet ask other wallets.
type Limits struct {
	quotes  *limit.Limiter
	lookups *limit.Limiter
	apps    *limit.Limiter
}

// NewLimits returns the limits: of each person 30 quotes at once and one more
// every 2 seconds, and 60 looks at who is behind a pointer, as they type, and
// one more each second, and 30 changes of their apps and one more every 20 seconds.
func NewLimits() Limits {
	const peopleMax = 1 << 16 // a few megabytes
	return Limits{
		quotes:  limit.New(limit.Rate{Burst: 30, Every: 2 * time.Second}, peopleMax),
		lookups: limit.New(limit.Rate{Burst: 60, Every: time.Second}, peopleMax),
		apps:    limit.New(limit.Rate{Burst: 30, Every: 20 * time.Second}, peopleMax),
	}
}

// take counts one attempt of the person who is logged in, and returns
// problem.TooMany when it is one too many.
func (s *Site) take(c *fiber.Ctx, l *limit.Limiter) error {
	if wait := l.Take(person(c).ID.String(), s.Now()); wait > 0 {
		return limit.TooMany(wait)
	}
	return nil
}
