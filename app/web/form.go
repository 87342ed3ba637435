package web

import (
	"math"
	"strconv"
	"strings"

	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// formValue returns a field of the form that was sent, "" when it has none.
// Fiber's own FormValue lets the address speak for the form, and unpacks
// multipart forms of any size.
func formValue(c *fiber.Ctx, field string) string {
	return string(c.Context().PostArgs().Peek(field))
}

// text returns a form field without the space around it.
func text(c *fiber.Ctx, field string) string { return strings.TrimSpace(formValue(c, field)) }

// formID reads an id from a form; what is no id is the zero id, which no
// service knows.
func formID(c *fiber.Ctx, field string) uuid.UUID {
	id, err := uuid.Parse(text(c, field))
	if err != nil {
		return uuid.Nil
	}
	return id
}

// formErrors returns what goes beside the fields of a form, and false when the
// error is no fault of what was typed. It sets Retry-After where that is known.
func formErrors(c *fiber.Ctx, err error) (views.Errors, bool) {
	switch problem.CodeOf(err) {
	case problem.Invalid, problem.Conflict, problem.Unauthenticated, problem.TooMany, problem.Gone, problem.Unavailable:
		setRetryAfter(c, err)
		return problem.Fields(err), true
	}
	return nil, false
}

func setRetryAfter(c *fiber.Ctx, err error) {
	if wait := problem.RetryAfter(err); wait > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
}
