package web

import "github.com/gofiber/fiber/v2"

// showFavicon is for what asks for the icon without having read a page.
func (s *Site) showFavicon(c *fiber.Ctx) error { return s.sendStatic(c, "icons/favicon.ico") }
