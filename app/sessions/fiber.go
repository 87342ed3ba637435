package sessions

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"

	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/google/uuid"
	gorilla "github.com/gorilla/sessions"
)

type localKey struct{} // of the Session in Fiber's locals

// Load is middleware for browser routes: it finds the request's session for
// Current, and slides its end.
func (s *Store) Load(c *fiber.Ctx) error {
	if row, ok := s.remembered(c); ok {
		c.Locals(localKey{}, row)
		return c.Next()
	}
	r, err := request(c)
	if err != nil {
		return err
	}
	session, err := s.Get(r, s.cookie)
	if err != nil {
		return err
	}
	row, ok := session.Values[rowKey{}].(Session)
	if !ok {
		return c.Next()
	}
	if s.now().Sub(row.LastSeenAt) >= seenEvery {
		err := save(c, r, session)
		if errors.Is(err, errEnded) {
			return c.Next()
		}
		if err != nil {
			return err
		}
		row, _ = session.Values[rowKey{}].(Session)
	}
	c.Locals(localKey{}, row)
	return c.Next()
}

// remembered returns the request's session if it was used and seen not long ago:
// then there is nothing to read or to write.
func (s *Store) remembered(c *fiber.Ctx) (row Session, ok bool) {
	token, ok := decode(c.Cookies(s.cookie))
	if !ok {
		return Session{}, false
	}
	row, ok, _ = s.live.Get(sha256.Sum256(token))
	now := s.now()
	return row, ok && now.Before(row.ExpiresAt) && now.Sub(row.LastSeenAt) < seenEvery
}

// Current returns the session of who is logged in. Load must have run before.
func Current(c *fiber.Ctx) (Session, bool) {
	row, ok := c.Locals(localKey{}).(Session)
	return row, ok
}

// LogIn starts a new session for the user and ends the browser's old one.
func (s *Store) LogIn(c *fiber.Ctx, userID uuid.UUID) error {
	r, err := request(c)
	if err != nil {
		return err
	}
	session, err := s.Get(r, s.cookie)
	if err != nil {
		return err
	}
	session.ID = ""
	session.Values[userKey{}] = userID
	if err := save(c, r, session); err != nil {
		return err
	}
	c.Locals(localKey{}, session.Values[rowKey{}])
	return nil
}

// LogOut ends the browser's session and removes its cookie. Nobody being
// logged in is no error.
func (s *Store) LogOut(c *fiber.Ctx) error {
	r, err := request(c)
	if err != nil {
		return err
	}
	session, err := s.Get(r, s.cookie)
	if err != nil {
		return err
	}
	session.Options.MaxAge = -1
	if err := save(c, r, session); err != nil {
		return err
	}
	c.Locals(localKey{}, nil)
	return nil
}

// save saves a session and copies the cookie that this sets to Fiber's
// response.
func save(c *fiber.Ctx, r *http.Request, session *gorilla.Session) error {
	w := cookieWriter{}
	if err := session.Save(r, w); err != nil {
		return err
	}
	for _, cookie := range w.Header().Values("Set-Cookie") {
		c.Response().Header.Add(fiber.HeaderSetCookie, cookie)
	}
	return nil
}

// request returns the net/http view of a Fiber request, valid as long as the
// handler runs. What a Store reads of it is copied: the rest aliases buffers.
func request(c *fiber.Ctx) (*http.Request, error) {
	r, err := adaptor.ConvertRequest(c, true)
	if err != nil { // Fiber lets paths pass that net/url refuses
		return nil, problem.New(problem.NotFound, "There is no such page.").Because(err)
	}
	for _, name := range []string{fiber.HeaderCookie, fiber.HeaderUserAgent} {
		r.Header.Set(name, strings.Clone(r.Header.Get(name)))
	}
	r.RemoteAddr = strings.Clone(c.IP()) // through a trusted proxy's header, where one is configured
	return r.WithContext(c.UserContext()), nil
}

// cookieWriter is the http.ResponseWriter that a save gets: only the headers
// matter.
type cookieWriter http.Header

func (w cookieWriter) Header() http.Header         { return http.Header(w) }
func (w cookieWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w cookieWriter) WriteHeader(int)             {}
