package web

import (
	"errors"

	"pochi/app/problem"
	"pochi/db"
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
	err = ofDatabase(err)
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

// ofDatabase says in our words what became of a write that failed.
func ofDatabase(err error) error {
	switch {
	case errors.Is(err, db.ErrBusy):
		return problem.New(problem.Unavailable, "The wallet is busy. Nothing was done; please try again in a moment.").Because(err)
	case errors.Is(err, db.ErrStopped):
		return problem.New(problem.Unavailable,
			"The wallet has to restart, and we can't tell yet whether this was done. Look at your history in a minute, before you try again.").Because(err)
	}
	return err
}
