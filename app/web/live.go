package web

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"pochi/views"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
)

// live answers with a page that asks for itself again as long as it is looked at
// (see views.Live), and mostly gets 304 (RFC 9110, section 15.4.5): while nothing is written to
// the database, without a look into it; and else when find finds what the
// browser shows already.
func live[M any](s *Site, c *fiber.Ctx, find func() (M, error), page func(M) templ.Component) error {
	written := fmt.Sprintf("%s.%d", person(c).ID, s.Written()) // before anything is read
	seenWritten, seenShown, _ := strings.Cut(strings.Trim(strings.TrimPrefix(c.Get(fiber.HeaderIfNoneMatch), "W/"), `"`), "/")
	if seenWritten == written {
		c.Set(fiber.HeaderETag, c.Get(fiber.HeaderIfNoneMatch))
		return c.SendStatus(fiber.StatusNotModified)
	}
	found, err := find()
	if err != nil {
		return err
	}
	shown, err := digest(found)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderETag, fmt.Sprintf(`W/"%s/%s"`, written, shown))
	if seenShown == shown {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return render(c, fiber.StatusOK, page(found))
}

// digest tells what a page shows from anything else that it could show.
func digest(shown any) (string, error) {
	text, err := json.Marshal(shown)
	if err != nil {
		return "", fmt.Errorf("digest of a page: %w", err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text)), nil
}

// livePage is the page that the layout shows around what is live: the news of
// what led here are for whoever comes, not for the page that asks again.
func (s *Site) livePage(c *fiber.Ctx, title string, nav views.Nav) views.Page {
	if c.Get("HX-Request") == "" {
		return s.page(c, title, nav)
	}
	p := s.plainPage(c, title)
	p.Nav = nav
	return p
}
