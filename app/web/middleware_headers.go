package web

import (
	"net/url"
	"slices"
	"strings"

	"pochi/app/sessions"

	"github.com/gofiber/fiber/v2"
)

const (
	contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		"manifest-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'" // goes on
	permissionsPolicy = "accelerometer=(), camera=(), clipboard-read=(), geolocation=(), gyroscope=(), magnetometer=(), " +
		"microphone=(), payment=(), usb=()"
)

// SecurityHeaders is middleware that sets what a browser is told about every
// answer. Pages of somebody who is logged in, and answers that set a cookie,
// are stored nowhere unless their handler says how.
func SecurityHeaders(production bool) fiber.Handler {
	return func(c *fiber.Ctx) error {
		setSecurityHeaders(c, production)
		err := c.Next()
		_, signedIn := sessions.Current(c)
		header := &c.Response().Header
		if (signedIn || len(header.Peek(fiber.HeaderSetCookie)) > 0) && len(header.Peek(fiber.HeaderCacheControl)) == 0 {
			c.Set(fiber.HeaderCacheControl, "no-store")
		}
		return err
	}
}

func setSecurityHeaders(c *fiber.Ctx, production bool) {
	c.Set(fiber.HeaderContentSecurityPolicy, contentPolicy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin") // no-referrer makes forms send "Origin: null"
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set(fiber.HeaderPermissionsPolicy, permissionsPolicy)
	if production {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

type formActionLocal struct{} // key of the sources that a page's forms may lead to

// AllowFormAction lets the page's forms lead to the origins of these URLs
// besides the wallet's own: Chromium applies form-action to every redirect that
// follows a POST. A URL of an app's own scheme allows that scheme. What can't
// be the target of a form, or can't be written into the header, is left out.
func AllowFormAction(c *fiber.Ctx, urls ...string) {
	sources, _ := c.Locals(formActionLocal{}).([]string)
	for _, text := range urls {
		if source := formActionSource(text); source != "" && !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
	}
	c.Locals(formActionLocal{}, sources)
	c.Set(fiber.HeaderContentSecurityPolicy, strings.Join(append([]string{contentPolicy}, sources...), " "))
}

func formActionSource(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	switch scheme := strings.ToLower(u.Scheme); scheme {
	case "", "javascript", "data", "blob", "file", "about":
		return ""
	case "http", "https":
		unfit := func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-.:[]", r)
		}
		if origin := originOf(u); u.Hostname() != "" && !strings.ContainsFunc(strings.TrimPrefix(origin, scheme+"://"), unfit) {
			return origin
		}
		return ""
	default:
		return scheme + ":"
	}
}
