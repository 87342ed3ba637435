// Package sessions remembers who is logged in, in which browser. A session is
// a row, so a person can see and end it; the browser's cookie holds a random
// token of 32 bytes, the row only that token's SHA-256. Logging in always makes
// a new session and ends the browser's old one. A session ends 30 days after it
// was last seen, and 90 days after log-in in any case.
//
// Store is a gorilla/sessions store. Load, LogIn, LogOut and Current join it to
// Fiber.
package sessions

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"time"

	"pochi/app/memory"
	"pochi/db"

	"github.com/google/uuid"
	gorilla "github.com/gorilla/sessions"
)

const (
	lifetime     = 30 * 24 * time.Hour // since it was last seen
	lifetimeMax  = 90 * 24 * time.Hour // since log-in
	seenEvery    = 5 * time.Minute     // how often being seen is written down
	tokenLen     = 32                  // bytes
	userAgentMax = 200                 // characters
	sweepMax     = 100                 // expired rows deleted at a log-in
	liveMax      = 1 << 16             // remembered, a few hundred bytes each
)

// Session is somebody logged in in one browser. ID tells sessions apart and
// opens nothing: it is the token's hash in hexadecimal.
type Session struct {
	ID         string
	UserID     uuid.UUID
	UserAgent  string
	Address    string
	CreatedAt  time.Time
	LastSeenAt time.Time // to five minutes
	ExpiresAt  time.Time
}

// Options of a Store.
type Options struct {
	CookieName string           // see CookieName
	Secure     bool             // the cookie travels over https only
	Now        func() time.Time // time.Now when nil
	Rand       io.Reader        // crypto/rand when nil
}

// Store keeps sessions in the database. It is safe for concurrent use.
type Store struct {
	db     *db.DB
	cookie string
	now    func() time.Time
	rand   io.Reader
	opts   gorilla.Options
	live   *memory.Rows[hash, Session] // that were used
}

var _ gorilla.Store = (*Store)(nil)

// New returns a Store on an open database.
func New(d *db.DB, opts Options) *Store {
	s := &Store{db: d, cookie: opts.CookieName, live: memory.New[hash, Session](liveMax), now: opts.Now, rand: opts.Rand, opts: gorilla.Options{
		Path:     "/",
		MaxAge:   int(lifetime / time.Second),
		Secure:   opts.Secure,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}}
	if s.now == nil {
		s.now = time.Now
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	return s
}

// CookieName returns the name under which a cookie is set. In production it is
// base after "__Host-", which browsers accept only from this very host over
// https. In development the port is added: cookies ignore ports, and two
// wallets on one machine would overwrite each other's.
func CookieName(base string, publicURL *url.URL, production bool) string {
	if production {
		return "__Host-" + base
	}
	port := publicURL.Port()
	switch {
	case port != "":
	case publicURL.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return base + "_" + port
}
