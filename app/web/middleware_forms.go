package web

import (
	"mime"
	"slices"
	"strings"

	"pochi/app/accounts"
	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
)

// acceptForms is middleware that lets through requests that only read, and
// plain forms: one form here has a file, and what is packed or has parts could
// grow without bound when it is read. Methods that no page has get their 405
// before anything is asked about tokens.
func acceptForms(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return c.Next()
	case fiber.MethodPost:
	default:
		return otherMethods(c)
	}
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err == nil && kind == fiber.MIMEMultipartForm && c.Get(fiber.HeaderContentEncoding) == "" && TakesFile(c.Method(), c.Path()) {
		return acceptUpload(c, params["boundary"])
	}
	if err != nil || kind != fiber.MIMEApplicationForm || c.Get(fiber.HeaderContentEncoding) != "" {
		return fiber.ErrUnsupportedMediaType
	}
	return c.Next()
}

// otherMethods is for a request that no page answers: it names the methods that
// the address has. An address that has none is not found.
func otherMethods(c *fiber.Ctx) error {
	var allow []string
	for _, route := range c.App().GetRoutes(true) {
		if fiber.RoutePatternMatch(c.Path(), route.Path) && (route.Path != pointerRoute || isName(c.Path()[1:])) {
			allow = append(allow, route.Method)
		}
	}
	if len(allow) == 0 {
		return fiber.ErrNotFound
	}
	slices.Sort(allow)
	c.Set(fiber.HeaderAllow, strings.Join(slices.Compact(allow), ", "))
	return fiber.ErrMethodNotAllowed
}

// isName tells whether a payment pointer here could have this name.
func isName(name string) bool {
	_, err := accounts.ParseName("", name)
	return err == nil
}

// refusalOf puts into our words what Fiber and its server refuse. Theirs are
// not shown: they can hold the request's headers.
func refusalOf(status int) *problem.Error {
	code, message := problem.Invalid, "What your browser sent can't be read. Nothing was done."
	switch status {
	case fiber.StatusNotFound:
		code, message = problem.NotFound, mistyped
	case fiber.StatusMethodNotAllowed, fiber.StatusNotImplemented:
		message = "This address can't be used like that. Nothing was done."
	case fiber.StatusRequestTimeout:
		message = "What your browser sent didn't arrive in time. Nothing was done; please try again."
	case fiber.StatusRequestEntityTooLarge:
		code, message = problem.TooLarge, "What you sent is larger than anything this page needs. Nothing was done."
	case fiber.StatusRequestHeaderFieldsTooLarge:
		message = "The address or your cookies for this wallet are too long. Delete the cookies, or go to the start page."
	}
	e := problem.New(code, "%s", message)
	e.HTTP = status
	return e
}
