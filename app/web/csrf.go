package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"pochi/app/sessions"

	"github.com/gofiber/fiber/v2"
)

const (
	csrfField     = "csrf_token"
	csrfHeader    = "X-CSRF-Token"
	csrfKeyMin    = 32                 // bytes
	csrfSecretLen = 32                 // bytes, in the cookie
	csrfCookieAge = 365 * 24 * 60 * 60 // seconds
)

// CSRFOptions of a CSRF.
type CSRFOptions struct {
	Key        []byte   // 32 bytes or more, kept over restarts
	PublicURL  *url.URL // the wallet's own: forms come from its origin
	Production bool     // cookies carry __Host- and travel over https only
	// LoggedOut are the paths of forms for people who aren't logged in, such as
	// /login: one that was opened logged out still works after somebody has
	// logged in in another tab.
	LoggedOut []string
	Rand      io.Reader // crypto/rand when nil
}

// CSRF refuses requests that another site made a browser send. Each unsafe
// request must say that it comes from the wallet's origin, and carry a token
// that only the wallet's pages know: an HMAC of a random cookie and of the
// session, so a form doesn't outlive the session that it was opened in.
type CSRF struct {
	key       []byte
	origin    string
	cookie    string
	secure    bool
	loggedOut []string
	rand      io.Reader
}

// NewCSRF returns the guard of browser routes, or an error for a short key.
func NewCSRF(opts CSRFOptions) (*CSRF, error) {
	if len(opts.Key) < csrfKeyMin {
		return nil, fmt.Errorf("the CSRF key has %d bytes, it needs %d", len(opts.Key), csrfKeyMin)
	}
	if opts.Rand == nil {
		opts.Rand = rand.Reader
	}
	return &CSRF{
		key:       opts.Key,
		origin:    originOf(opts.PublicURL),
		cookie:    sessions.CookieName("pochi_csrf", opts.PublicURL, opts.Production),
		secure:    opts.Production,
		loggedOut: opts.LoggedOut,
		rand:      opts.Rand,
	}, nil
}

type csrfLocal struct{} // key of the csrfPage in Fiber's locals

// csrfPage is what a page's token is made of.
type csrfPage struct {
	guard  *CSRF
	secret []byte
	known  bool // the browser has the cookie
}

// Protect is middleware for browser routes, after sessions.Load. It refuses
// with problem.Forbidden; safe methods always pass.
func (g *CSRF) Protect(c *fiber.Ctx) error {
	secret, known, err := g.secret(c)
	if err != nil {
		return err
	}
	c.Locals(csrfLocal{}, &csrfPage{g, secret, known})
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions, fiber.MethodTrace:
		return c.Next()
	}
	if err := g.checkOrigin(c); err != nil {
		return err
	}
	if !known {
		return noCookie()
	}
	if err := g.checkToken(c, secret); err != nil {
		return err
	}
	return c.Next()
}

// CSRFToken returns what each POST form of the page carries as csrf_token, or
// a script as X-CSRF-Token; "" where Protect didn't run. It is bound to who is
// logged in at the time of the call, and the answer is stored nowhere. The
// first call sets the cookie: answers without forms go without.
func CSRFToken(c *fiber.Ctx) string {
	page, ok := c.Locals(csrfLocal{}).(*csrfPage)
	if !ok {
		return ""
	}
	if !page.known {
		page.guard.setCookie(c, page.secret)
		page.known = true
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return page.guard.token(page.secret, sessionID(c))
}

// secret returns the cookie's random bytes; new ones, and false, when the
// browser has none.
func (g *CSRF) secret(c *fiber.Ctx) (secret []byte, known bool, err error) {
	secret, err = base64.RawURLEncoding.Strict().DecodeString(c.Cookies(g.cookie))
	if err == nil && len(secret) == csrfSecretLen {
		return secret, true, nil
	}
	secret = make([]byte, csrfSecretLen)
	if _, err := io.ReadFull(g.rand, secret); err != nil {
		return nil, false, fmt.Errorf("make a CSRF cookie: %w", err)
	}
	return secret, false, nil
}

func (g *CSRF) setCookie(c *fiber.Ctx, secret []byte) {
	c.Cookie(&fiber.Cookie{
		Name:     g.cookie,
		Value:    base64.RawURLEncoding.EncodeToString(secret),
		Path:     "/",
		MaxAge:   csrfCookieAge,
		Secure:   g.secure,
		HTTPOnly: true,
		SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// checkOrigin wants the wallet's own origin. Browsers send Origin with unsafe
// requests; where one doesn't, Referer must say it.
func (g *CSRF) checkOrigin(c *fiber.Ctx) error {
	claim := c.Get(fiber.HeaderOrigin)
	if claim == "" {
		claim = c.Get(fiber.HeaderReferer)
	}
	from, err := url.Parse(claim)
	if err == nil && claim != "" && originOf(from) == g.origin {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("origin %q, want %s", originOf(from), g.origin)
	}
	return foreign(g.origin, err)
}

func (g *CSRF) checkToken(c *fiber.Ctx, secret []byte) error {
	token := sentToken(c)
	if token == "" {
		return incomplete()
	}
	if hmac.Equal([]byte(token), []byte(g.token(secret, sessionID(c)))) {
		return nil
	}
	forLoggedOut := slices.Contains(g.loggedOut, c.Path())
	if forLoggedOut && hmac.Equal([]byte(token), []byte(g.token(secret, ""))) {
		return nil
	}
	if sessionID(c) == "" && !forLoggedOut {
		return loggedOut()
	}
	return outOfDate()
}

// token binds the cookie's secret, whose length is fixed, and a session's ID,
// "" for nobody's.
func (g *CSRF) token(secret []byte, session string) string {
	mac := hmac.New(sha256.New, g.key)
	mac.Write(secret)
	mac.Write([]byte(session))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func sessionID(c *fiber.Ctx) string {
	session, _ := sessions.Current(c)
	return session.ID
}

// sentToken returns the request's token from its header or its form; never
// from the URL, which ends up in logs and histories.
func sentToken(c *fiber.Ctx) string {
	if token := c.Get(csrfHeader); token != "" {
		return token
	}
	return formValue(c, csrfField)
}

// originOf returns scheme, host and port, the port left out where it is the
// scheme's own; "" for what has no origin.
func originOf(u *url.URL) string {
	if u.Scheme == "" || u.Host == "" {
		return ""
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + host
}
