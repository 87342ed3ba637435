package web

import (
	"math"
	"math/bits"
	"strings"
	"time"

	"pochi/app/agreements"
	"pochi/app/problem"
	"pochi/app/users"
	"pochi/ledger"

	"github.com/gofiber/fiber/v2"
)

// stepUp returns the most that an app can be allowed in four weeks without the
// person's password; false when that is any amount of the asset.
func (s *Site) stepUp(asset ledger.Asset) (ledger.Amount, bool) {
	most := s.OAuth.StepUp
	for range asset.Scale {
		if most > math.MaxUint64/10 {
			return ledger.Amount{}, false
		}
		most *= 10
	}
	return ledger.Amount{Value: most, Asset: asset}, most > 0
}

// takesPassword tells whether terms allow more than goes without the password, and
// how much goes without it. Four weeks count, whatever the interval is: a little an
// hour is much.
func (s *Site) takesPassword(terms agreements.Terms) (ledger.Amount, bool) {
	most, some := s.stepUp(terms.Amount.Asset)
	if !some {
		return most, false
	}
	now := s.Now()
	begins, _ := terms.Begins(now)
	until := begins.Add(fourWeeks)
	if ends := terms.Ends(now); !ends.IsZero() && ends.Before(until) {
		until = ends
	}
	intervals := uint64(1)
	first, ok := terms.At(now, begins)
	if last, inLast := terms.At(now, until.Add(-1)); ok && inLast {
		intervals += uint64(last.N - first.N)
	}
	over, total := bits.Mul64(terms.Amount.Value, intervals)
	return most, over > 0 || total > most.Value
}

// fourWeeks is not more than a month.
const fourWeeks = 28 * 24 * time.Hour

// unproven returns what is wrong with the password of somebody who allows terms, "" if
// nothing is, or if they take none. Guesses count as those on the log-in page do.
func (s *Site) unproven(c *fiber.Ctx, terms agreements.Terms) (string, error) {
	if _, takes := s.takesPassword(terms); !takes {
		return "", nil
	}
	password := formValue(c, "password")
	if password == "" {
		return "Enter your password to allow this much.", nil
	}
	_, err := s.Users.Authenticate(c.UserContext(), users.LogIn{Email: person(c).Email, Password: password, Address: strings.Clone(c.IP())})
	switch problem.CodeOf(err) {
	case "":
		return "", nil
	case problem.Unauthenticated:
		return "That isn't your password.", nil
	case problem.TooMany:
		return problem.MessageOf(err), nil
	}
	return "", err
}
