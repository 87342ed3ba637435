package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"pochi/app/config"
	"pochi/db"

	"github.com/gofiber/fiber/v2"
)

// newWallet builds the program in a folder of its own, with no listeners and,
// since nothing listens there, no Hydra. Its payments are sent.
func newWallet(t testing.TB, variables ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	environment := map[string]string{"POCHI_DATA": t.TempDir(), "POCHI_HYDRA_ADMIN_URL": "http://127.0.0.1:1"}
	for i := 0; i < len(variables); i += 2 {
		environment[variables[i]] = variables[i+1]
	}
	cfg, err := config.Load(func(name string) string { return environment[name] })
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	d, err := db.Open(ctx, db.Options{URL: cfg.DB, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	s, err := build(ctx, cfg, d, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.payments.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		s.payments.Drain()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// browser keeps cookies and the last page's CSRF token, as a person's does.
type browser struct {
	t       testing.TB
	server  *server
	origin  string
	cookies map[string]*http.Cookie
	token   string
}

type answer struct {
	Status   int
	Location string
	Header   http.Header
	Body     string
}

func newBrowser(t testing.TB, s *server) *browser {
	return &browser{t: t, server: s, origin: "http://localhost:3000", cookies: map[string]*http.Cookie{}}
}

var tokenField = regexp.MustCompile(`name="csrf_token" value="([^"]+)"`)

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	for _, cookie := range b.cookies {
		r.AddCookie(cookie)
	}
	got, err := b.server.pages.Test(r, -1)
	if err != nil {
		b.t.Fatal(err)
	}
	defer got.Body.Close()
	for _, cookie := range got.Cookies() {
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		} else {
			b.cookies[cookie.Name] = cookie
		}
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if token := tokenField.FindSubmatch(body); token != nil {
		b.token = string(token[1])
	}
	return answer{got.StatusCode, got.Header.Get(fiber.HeaderLocation), got.Header, string(body)}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.do(httptest.NewRequest(http.MethodGet, path, nil))
}

// post sends a form with the last page's token.
func (b *browser) post(path string, pairs ...string) answer {
	b.t.Helper()
	form := url.Values{"csrf_token": {b.token}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set(fiber.HeaderContentType, fiber.MIMEApplicationForm)
	r.Header.Set(fiber.HeaderOrigin, b.origin)
	return b.do(r)
}

// signUp makes somebody with an account and a pointer of their name.
func signUp(t testing.TB, s *server, name, currency string) *browser {
	t.Helper()
	b := newBrowser(t, s)
	b.get("/signup")
	got := b.post("/signup", "name", name, "email", name+"@example.com", "password", "correct horse battery",
		"pointer", name, "currency", currency)
	if got.Status != http.StatusSeeOther {
		t.Fatalf("sign up %s: %d %s", name, got.Status, got.Body)
	}
	b.get("/") // for a token of the session
	return b
}

var accountLink = regexp.MustCompile(`href="/accounts/([0-9a-f-]{36})"`)

// account returns the id of the person's first account.
func (b *browser) account() string {
	b.t.Helper()
	link := accountLink.FindStringSubmatch(b.get("/").Body)
	if link == nil {
		b.t.Fatal("home links no account")
	}
	return link[1]
}

// serve lets the wallet's pages listen, and returns their address.
func serve(t testing.TB, s *server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := s.servePages(ctx, newListener(l, 64)); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		serving.Wait()
	})
	return l.Addr().String()
}
