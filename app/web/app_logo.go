package web

import (
	"net/url"

	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
)

// logoURL is where an app's logo is, "" without one.
func logoURL(id, version string) string {
	if version == "" {
		return ""
	}
	return "/apps/" + url.PathEscape(id) + "/logo?v=" + version
}

// showLogo answers with an app's logo, for anybody: people see it before they have
// allowed the app anything.
func (s *Site) showLogo(c *fiber.Ctx) error {
	logo, version, err := s.Apps.Logo(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "image/png")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	if c.Query("v") == version {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	} else {
		c.Set(fiber.HeaderCacheControl, "no-cache")
	}
	return c.Send(logo)
}

func (s *Site) uploadLogo(c *fiber.Ctx) error {
	err := s.take(c, s.Limits.apps)
	if err == nil {
		err = s.Apps.SetLogo(c.UserContext(), person(c).ID, c.Params("id"), uploaded(c))
	}
	if err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		return s.renderApp(c, problem.Status(err), errs)
	}
	return s.tell(c, "/developers/apps/"+c.Params("id"), "logo-changed")
}

func (s *Site) removeLogo(c *fiber.Ctx) error {
	if err := s.Apps.RemoveLogo(c.UserContext(), person(c).ID, c.Params("id")); err != nil {
		return err
	}
	return s.tell(c, "/developers/apps/"+c.Params("id"), "logo-removed")
}
