package web

import (
	"net/url"
	"time"

	"pochi/app/sessions"

	"github.com/gofiber/fiber/v2"
)

const newsAge = 60 // seconds

// News carries good news over a redirect to the next page, which tells them
// once: in a cookie, since anybody can write an address.
type News struct {
	cookie string
	secure bool
}

// NewNews returns the News of the wallet at a URL.
func NewNews(public *url.URL, production bool) News {
	return News{cookie: sessions.CookieName("pochi_news", public, production), secure: production}
}

// sentence returns what people read, "" for a key that there is not.
func (News) sentence(key string) string {
	switch key {
	case "account-opened":
		return "The account is open."
	case "account-renamed":
		return "The account has its new name."
	case "account-closed":
		return "The account is closed."
	case "pointer-added":
		return "The payment pointer is yours. You can be paid there from now on."
	case "pointer-changed":
		return "The payment pointer pays the other account from now on."
	case "request-made":
		return "The request is made. Send its link to whoever is to pay."
	case "request-cancelled":
		return "The request is cancelled. Nobody can pay it any more."
	case "deposited":
		return "The test money is in your account."
	case "agreement-paused":
		return "The agreement is paused. Nothing is paid under it until you resume it."
	case "agreement-resumed":
		return "The agreement can be used again."
	case "agreement-lowered":
		return "The limit is lowered, from now on."
	case "agreement-revoked":
		return "The agreement is revoked. Nothing can be paid under it any more."
	case "app-disconnected":
		return "The app is disconnected."
	case "app-registered":
		return "The app is registered."
	case "app-changed":
		return "The app is changed."
	case "app-deleted":
		return "The app is deleted."
	case "logo-changed":
		return "The app has its new logo."
	case "logo-removed":
		return "The logo is removed."
	case "logged-out":
		return "You are logged out."
	case "welcome":
		return "Welcome! Your account is open and you can be paid."
	}
	return ""
}

// take returns the news for a page that is looked at, and forgets them.
func (n News) take(c *fiber.Ctx) string {
	key := c.Cookies(n.cookie)
	if key == "" || c.Method() != fiber.MethodGet {
		return ""
	}
	n.set(c, fiber.Cookie{Expires: time.Unix(1, 0)})
	return n.sentence(key)
}

func (n News) set(c *fiber.Ctx, cookie fiber.Cookie) {
	cookie.Name, cookie.Path, cookie.Secure, cookie.HTTPOnly, cookie.SameSite = n.cookie, "/", n.secure, true, fiber.CookieSameSiteLaxMode
	c.Cookie(&cookie)
	c.Set(fiber.HeaderCacheControl, "no-store")
}

// tell answers a POST that worked: go and look there, where the news are told.
func (s *Site) tell(c *fiber.Ctx, path, key string) error {
	s.News.set(c, fiber.Cookie{Value: key, MaxAge: newsAge})
	return see(c, path)
}
