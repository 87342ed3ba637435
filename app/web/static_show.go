package web

import (
	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
)

func (s *Site) showStatic(c *fiber.Ctx) error {
	file, ok := s.Assets.File(c.Params("*"))
	if !ok {
		return problem.New(problem.NotFound, "There is no such file.")
	}
	c.Set(fiber.HeaderContentType, file.Type)
	c.Set(fiber.HeaderCacheControl, file.CacheControl(c.Query("v")))
	return c.Send(file.Body)
}
