package web

import (
	"net/url"
	"strings"

	"pochi/app/problem"
	"pochi/views"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// page is what the layout needs for this request.
func (s *Site) page(c *fiber.Ctx, title string, nav views.Nav) views.Page {
	return views.Page{
		Title: title, Person: person(c).Name, CSRF: CSRFToken(c), Dev: s.Faucet != nil,
		Nav: nav, Assets: s.Assets, Flash: flashes[c.Query("done")],
	}
}

// flashes are the good news that a redirect can carry to the next page: only
// these sentences, so that no link can put words in our mouth.
var flashes = map[string]string{
	"account-opened":  "The account is open.",
	"account-renamed": "The account has its new name.",
	"account-closed":  "The account is closed.",
	"pointer-added":   "The payment pointer is yours. You can be paid there from now on.",
	"pointer-changed": "The payment pointer pays the other account from now on.",
	"deposited":       "The test money is in your account.",
	"signed-out":      "You are signed out.",
	"welcome":         "Welcome! Your account is open and you can be paid.",
}

// render answers with a page.
func render(c *fiber.Ctx, status int, page templ.Component) error {
	c.Status(status)
	c.Type("html", "utf-8")
	return page.Render(c.UserContext(), c.Response().BodyWriter())
}

// see answers a POST that worked: go and look there.
func see(c *fiber.Ctx, path string) error { return c.Redirect(path, fiber.StatusSeeOther) }

func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

// formErrors returns what goes beside the fields of a form, and false when the
// error is no fault of what was typed.
func formErrors(err error) (views.Errors, bool) {
	switch problem.CodeOf(err) {
	case problem.Invalid, problem.Conflict, problem.Unauthenticated, problem.TooMany, problem.Gone, problem.Unavailable:
		return problem.Fields(err), true
	}
	return nil, false
}

// text returns a form field without the space around it, as a copy that
// outlives the request.
func text(c *fiber.Ctx, field string) string {
	return strings.TrimSpace(strings.Clone(c.FormValue(field)))
}

// paramID reads an id from the path; what is no id is not found.
func paramID(c *fiber.Ctx) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return uuid.Nil, problem.New(problem.NotFound, "There is nothing at this address.").Because(err)
	}
	return id, nil
}

// formID reads an id from a form; what is no id is the zero id, which no
// service knows.
func formID(c *fiber.Ctx, field string) uuid.UUID {
	id, err := uuid.Parse(text(c, field))
	if err != nil {
		return uuid.Nil
	}
	return id
}

// localPath returns the path to go on to after signing in, "/" unless it is
// one of this site.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
