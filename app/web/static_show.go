package web

import (
	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
)

func (s *Site) showStatic(c *fiber.Ctx) error { return s.sendStatic(c, c.Params("*")) }

func (s *Site) sendStatic(c *fiber.Ctx, name string) error {
	file, ok := s.Assets.File(name)
	if !ok {
		return problem.New(problem.NotFound, "%s", mistyped)
	}
	c.Set(fiber.HeaderContentType, file.Type)
	c.Set(fiber.HeaderCacheControl, file.CacheControl(c.Query("v")))
	if file.Gzip == nil {
		return c.Send(file.Body)
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	if c.Get(fiber.HeaderAcceptEncoding) == "" || c.AcceptsEncodings("gzip") == "" {
		return c.Send(file.Body)
	}
	c.Set(fiber.HeaderContentEncoding, "gzip")
	return c.Send(file.Gzip)
}
