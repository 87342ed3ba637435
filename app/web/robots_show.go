package web

import "github.com/gofiber/fiber/v2"

// showRobots asks search engines to list the start page, not people (RFC 9309).
func showRobots(c *fiber.Ctx) error {
	return c.SendString("User-agent: *\nAllow: /$\nAllow: /static/\nDisallow: /\n")
}
