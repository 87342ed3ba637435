package web

import (
	"errors"
	"strings"

	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// ShowError is Fiber's error handler: it answers with a page that says what
// went wrong and what to do next. What is internal is for AccessLog only.
func (s *Site) ShowError(c *fiber.Ctx, err error) error {
	err = ofFiber(err)
	status := problem.Status(err)
	page := views.ErrorFor(status)
	page.RequestID = RequestID(c)
	if problem.CodeOf(err) != problem.Internal {
		page.Message = problem.MessageOf(err)
	}
	return render(c, status, views.Error(s.page(c, page.Title, views.NavNone), page))
}

// ofFiber puts Fiber's own errors into our words.
func ofFiber(err error) error {
	var e *fiber.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Code == fiber.StatusNotFound, e.Code == fiber.StatusMethodNotAllowed:
		return problem.New(problem.NotFound, "There is no such page. Check the address, or go to the start page.").Because(err)
	case e.Code == fiber.StatusRequestEntityTooLarge:
		return problem.New(problem.TooLarge, "What you sent is larger than anything this page needs. Nothing was done.").Because(err)
	case e.Code < fiber.StatusInternalServerError:
		return problem.New(problem.Invalid, "%s", "Your browser sent something this page can't read: "+strings.ToLower(e.Message)+".").Because(err)
	}
	return err
}
