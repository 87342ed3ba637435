package web_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"pochi/app/problem"
	"pochi/app/sessions"
	"pochi/app/web"
	"pochi/db"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

const (
	staleForm = "Somebody has logged in or out in this browser since it was opened. Nothing was done. Open it again to go on."
	endedForm = "Nothing was done. Log in to go on."
	noToken   = "A part of it was lost on its way. Nothing was done. Open the page again to go on."
	noCookie  = "This wallet knows its own forms by one. Nothing was done. Allow cookies for this wallet and try again."
	otherSite = "Another website may have sent it in your name. Nothing was done. Open http://localhost:3000 and try there."
)

// guardedTab is a browser at a small app behind Protect: GET answers the
// page's token, POST does something.
type guardedTab struct {
	t       *testing.T
	app     *fiber.App
	cookies map[string]*http.Cookie
}

func newGuardedTab(t *testing.T, production bool) *guardedTab {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	person := uuid.New()
	err = d.Write(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(),
			"INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, 'ann@example.org', 'Ann', '', 0)", person[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	public := &url.URL{Scheme: "http", Host: "localhost:3000"}
	guard, err := web.NewCSRF(web.CSRFOptions{
		Key: bytes.Repeat([]byte{7}, 32), PublicURL: public, Production: production, LoggedOut: []string{"/login"},
	})
	if err != nil {
		t.Fatal(err)
	}
	store := sessions.New(d, sessions.Options{CookieName: "pochi_3000"})
	app := fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		return c.Status(problem.Status(err)).SendString(problem.MessageOf(err))
	}})
	app.Use(store.Load, guard.Protect)
	app.Post("/login", func(c *fiber.Ctx) error { return store.LogIn(c, person) })
	app.Post("/logout", func(c *fiber.Ctx) error { return store.LogOut(c) })
	app.All("/*", func(c *fiber.Ctx) error {
		if c.Method() == fiber.MethodGet {
			return c.SendString(web.CSRFToken(c))
		}
		return c.SendString("done")
	})
	return &guardedTab{t: t, app: app, cookies: map[string]*http.Cookie{}}
}

// send keeps the cookies of the answer and returns its status and body.
func (b *guardedTab) send(req *http.Request) (int, string) {
	b.t.Helper()
	for _, cookie := range b.cookies {
		req.AddCookie(cookie)
	}
	resp, err := b.app.Test(req, -1)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range resp.Cookies() {
		b.cookies[cookie.Name] = cookie
	}
	return resp.StatusCode, string(body)
}

func (b *guardedTab) open() (token string) {
	b.t.Helper()
	_, token = b.send(httptest.NewRequest("GET", "/", nil))
	return token
}

// formOf returns a POST as a browser sends it from the wallet's page.
func formOf(path, token string) *http.Request {
	req := httptest.NewRequest("POST", path, strings.NewReader(url.Values{"csrf_token": {token}}.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "http://localhost:3000")
	return req
}

func (b *guardedTab) wants(req *http.Request, status int, message string) {
	b.t.Helper()
	if gotStatus, got := b.send(req); gotStatus != status || got != message {
		b.t.Errorf("%s %s: %d %q, want %d %q", req.Method, req.URL, gotStatus, got, status, message)
	}
}

func TestFormsOfTheWalletPass(t *testing.T) {
	b := newGuardedTab(t, false)
	token := b.open()
	b.wants(formOf("/x", token), 200, "done")
	if again := b.open(); again != token {
		t.Error("the token changed though nothing else did: other tabs would be out of date")
	}

	header := httptest.NewRequest("DELETE", "/x", nil)
	header.Header.Set("Origin", "http://localhost:3000")
	header.Header.Set("X-CSRF-Token", token)
	b.wants(header, 200, "done")
}

func TestOrigin(t *testing.T) {
	tests := []struct {
		name            string
		origin, referer string
		ok              bool
	}{
		{"ours", "http://localhost:3000", "", true},
		{"ours in capitals", "HTTP://LOCALHOST:3000", "", true},
		{"ours, whatever the referer", "http://localhost:3000", "http://evil.example/", true},
		{"none, our referer", "", "http://localhost:3000/accounts?x=1", true},
		{"none at all", "", "", false},
		{"null", "null", "", false},
		{"null, our referer", "null", "http://localhost:3000/", false},
		{"another site", "http://evil.example", "http://localhost:3000/", false},
		{"another port", "http://localhost:4444", "", false},
		{"no port", "http://localhost", "", false},
		{"another scheme", "https://localhost:3000", "", false},
		{"another name of this machine", "http://127.0.0.1:3000", "", false},
		{"ours as a prefix", "http://localhost:3000.evil.example", "", false},
		{"ours as a user", "http://localhost:3000@evil.example", "", false},
		{"referer of another site", "", "http://evil.example/http://localhost:3000/", false},
		{"not a URL", "http://[", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newGuardedTab(t, false)
			req := formOf("/x", b.open())
			req.Header.Del("Origin")
			if tt.origin != "" {
				req.Header.Set("Origin", tt.origin)
			}
			if tt.referer != "" {
				req.Header.Set("Referer", tt.referer)
			}
			if tt.ok {
				b.wants(req, 200, "done")
			} else {
				b.wants(req, 403, otherSite)
			}
		})
	}
}

func TestToken(t *testing.T) {
	b := newGuardedTab(t, false)
	token := b.open()
	flipped := []byte(token)
	flipped[0] ^= 1
	b.wants(formOf("/x", ""), 403, noToken)
	b.wants(formOf("/x", string(flipped)), 403, endedForm)
	b.wants(formOf("/x", token+"A"), 403, endedForm)
	b.wants(formOf("/login", string(flipped)), 403, staleForm)
	b.wants(formOf("/x?csrf_token="+token, ""), 403, noToken) // never from the URL

	other := newGuardedTab(t, false)
	b.wants(formOf("/x", other.open()), 403, endedForm) // another browser's

	stranger := newGuardedTab(t, false)
	stranger.wants(formOf("/x", token), 403, noCookie)
}

func TestEveryUnsafeMethodIsChecked(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		b := newGuardedTab(t, false)
		b.open()
		b.wants(httptest.NewRequest(method, "/x", nil), 403, otherSite)
	}
	for _, method := range []string{"HEAD", "OPTIONS"} {
		b := newGuardedTab(t, false)
		if status, _ := b.send(httptest.NewRequest(method, "/x", nil)); status != 200 {
			t.Errorf("%s: %d", method, status)
		}
	}
}

func TestAFormEndsWithItsSession(t *testing.T) {
	b := newGuardedTab(t, false)
	loggedOut := b.open()
	b.wants(formOf("/login", loggedOut), 200, "")
	first := b.open()
	b.wants(formOf("/x", first), 200, "done")
	b.wants(formOf("/x", loggedOut), 403, staleForm)

	b.wants(formOf("/login", loggedOut), 200, "") // a log-in form in another tab
	b.wants(formOf("/x", first), 403, staleForm)
	second := b.open()
	b.wants(formOf("/login", first), 403, staleForm)

	b.wants(formOf("/logout", second), 200, "")
	b.wants(formOf("/x", second), 403, endedForm)
	b.wants(formOf("/x", loggedOut), 200, "done")
	b.wants(formOf("/login", loggedOut), 200, "")
}

func TestCSRFCookie(t *testing.T) {
	for production, name := range map[bool]string{false: "pochi_csrf_3000", true: "__Host-pochi_csrf"} {
		b := newGuardedTab(t, production)
		b.open()
		if b.cookies[name] == nil {
			t.Fatalf("cookies = %v, want %s", b.cookies, name)
		}
		got := *b.cookies[name]
		if secret, err := base64.RawURLEncoding.DecodeString(got.Value); err != nil || len(secret) != 32 {
			t.Errorf("value %q isn't 32 bytes", got.Value)
		}
		got.Value, got.Raw = "", ""
		want := http.Cookie{Name: name, Path: "/", MaxAge: 365 * 24 * 60 * 60, Secure: production, HttpOnly: true,
			SameSite: http.SameSiteLaxMode}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAnswersWithoutFormsSetNoCookie(t *testing.T) {
	b := newGuardedTab(t, false)
	b.send(httptest.NewRequest("HEAD", "/", nil))
	if len(b.cookies) != 0 {
		t.Errorf("cookies = %v", b.cookies)
	}
}

func TestAMalformedCSRFCookieIsReplaced(t *testing.T) {
	b := newGuardedTab(t, false)
	b.cookies["pochi_csrf_3000"] = &http.Cookie{Name: "pochi_csrf_3000", Value: "short"}
	token := b.open()
	if b.cookies["pochi_csrf_3000"].Value == "short" {
		t.Fatal("the cookie was kept")
	}
	b.wants(formOf("/x", token), 200, "done")
}

func TestCSRFKeyMustBeLong(t *testing.T) {
	if _, err := web.NewCSRF(web.CSRFOptions{Key: make([]byte, 31), PublicURL: &url.URL{}}); err == nil {
		t.Error("a key of 31 bytes was taken")
	}
}
