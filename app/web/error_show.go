package web

import (
	"errors"

	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// ShowError is Fiber's error handler: it answers with a page that says what
// went wrong and what to do next, or to a wallet as SPSP does. What is internal
// is for AccessLog only.
func (s *Site) ShowError(c *fiber.Ctx, err error) error {
	var unserved *fiber.Error
	if errors.As(err, &unserved) {
		err = refusalOf(unserved.Code)
	}
	setRetryAfter(c, err)
	if problem.CodeOf(err) == problem.NotFound && wantsSPSP(c) {
		return noReceiver(c, err)
	}
	page := views.ErrorFor(problem.Status(err), problem.MessageOf(err))
	var refused *refusal
	if errors.As(err, &refused) {
		page.Title = refused.title
		if !refused.foreign {
			page.LinkText, page.LinkURL = wayBack(c)
		}
	}
	return s.showMessage(c, page)
}

// showMessage answers with a page that says what is the matter.
func (s *Site) showMessage(c *fiber.Ctx, page views.ErrorPage) error {
	page.RequestID = RequestID(c)
	return render(c, page.Status, views.Error(s.plainPage(c, page.Title), page))
}
