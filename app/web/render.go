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

// page is what the layout needs for this request, with the news of what led
// here.
func (s *Site) page(c *fiber.Ctx, title string, nav views.Nav) views.Page {
	p := s.plainPage(c, title)
	p.Nav, p.Flash = nav, s.News.take(c)
	return p
}

// plainPage is a page without news: they stay for the next one.
func (s *Site) plainPage(c *fiber.Ctx, title string) views.Page {
	return views.Page{
		Title: title, Person: person(c).Name, CSRF: CSRFToken(c), Dev: s.Faucet != nil, Nav: views.NavNone, Assets: s.Assets,
	}
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

// mistyped is what people read who come to an address that is none.
const mistyped = "The address may be mistyped, or what was here is gone."

// paramID reads an id from the path; what is no id is not found.
func paramID(c *fiber.Ctx) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return uuid.Nil, problem.New(problem.NotFound, "%s", mistyped).Because(err)
	}
	return id, nil
}

// localPath returns the path to go on to after logging in, "/" unless it is
// one of this site.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
