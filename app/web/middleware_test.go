package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pochi/app/problem"
	"pochi/app/web"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
)

// guardedApp is an app with all middleware; its log goes to the buffer.
func guardedApp(handler fiber.Handler) (*fiber.App, *bytes.Buffer) {
	var log bytes.Buffer
	app := fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		if c.Path() == "/unprintable" {
			panic("the error page")
		}
		return c.Status(problem.Status(err)).SendString(problem.MessageOf(err))
	}})
	clock := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := func() time.Time {
		clock = clock.Add(1500 * time.Microsecond)
		return clock
	}
	app.Use(
		web.AssignRequestID(nil),
		web.AccessLog(slog.New(slog.NewJSONHandler(&log, nil)), now),
		web.SecurityHeaders(false),
		web.Recover,
	)
	app.Get("/*", handler)
	return app, &log
}

func ask(t *testing.T, app *fiber.App, target string) (*http.Response, string) {
	t.Helper()
	req := httptest.NewRequest("GET", target, nil)
	req.Header.Set("Cookie", "pochi_3000=sesame-cookie")
	req.Header.Set("Authorization", "Bearer sesame-token")
	resp, err := app.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	app, _ := guardedApp(func(c *fiber.Ctx) error {
		switch c.Path() {
		case "/panic":
			panic("x")
		case "/broken":
			return errors.New("x")
		case "/missing":
			return c.Next()
		}
		return c.SendString("fine")
	})
	for target, status := range map[string]int{"/": 200, "/panic": 500, "/broken": 500, "/missing": 500} {
		resp, _ := ask(t, app, target)
		if resp.StatusCode != status {
			t.Errorf("%s: status %d, want %d", target, resp.StatusCode, status)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
				"connect-src 'self'; manifest-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
			"X-Content-Type-Options":     "nosniff",
			"Referrer-Policy":            "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Strict-Transport-Security":  "",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s: %q, want %q", target, name, got, want)
			}
		}
		if resp.Header.Get("Permissions-Policy") == "" || len(resp.Header.Get("X-Request-Id")) != 32 {
			t.Errorf("%s: headers %v", target, resp.Header)
		}
	}
}

func TestProductionIsHTTPSOnly(t *testing.T) {
	app := fiber.New()
	app.Use(web.SecurityHeaders(true))
	resp, _ := ask(t, app, "/")
	if got := resp.Header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("Strict-Transport-Security: %q", got)
	}
}

func TestAllowFormAction(t *testing.T) {
	tests := []struct {
		url  string
		want string // after 'self'
	}{
		{"http://localhost:4444/oauth2/auth?x=1", " http://localhost:4444"},
		{"https://shop.example:443/cb", " https://shop.example"},
		{"HTTPS://Shop.Example", " https://shop.example"},
		{"http://[::1]:8080/", " http://[::1]:8080"},
		{"com.example.app:/callback", " com.example.app:"},
		{"https://bücher.example/", ""},
		{"https://evil.example;script-src *", ""},
		{"https://*.example", ""},
		{"https://a'unsafe-inline'.example", ""},
		{"https://a,b.example", ""},
		{"https:///x", ""},
		{"javascript:alert(1)", ""},
		{"data:text/html,x", ""},
		{"//shop.example", ""},
		{"*", ""},
		{"", ""},
	}
	for _, tt := range tests {
		app, _ := guardedApp(func(c *fiber.Ctx) error {
			web.AllowFormAction(c, tt.url)
			web.AllowFormAction(c, tt.url)
			return nil
		})
		resp, _ := ask(t, app, "/")
		_, got, found := strings.Cut(resp.Header.Get("Content-Security-Policy"), "form-action 'self'")
		if !found || got != tt.want {
			t.Errorf("%s: form-action goes on %q, want %q", tt.url, got, tt.want)
		}
	}
}

func TestPrivateAnswersAreNotStored(t *testing.T) {
	b := newGuardedTab(t, false)
	outer := fiber.New()
	outer.Use(web.SecurityHeaders(false))
	outer.Get("/own", func(c *fiber.Ctx) error {
		c.Set("Cache-Control", "private, max-age=60")
		c.Cookie(&fiber.Cookie{Name: "a", Value: "b"})
		return nil
	})
	outer.Get("/public", func(*fiber.Ctx) error { return nil })
	outer.Mount("/", b.app)
	b.app = outer
	cacheControl := func(target string) string {
		req := httptest.NewRequest("GET", target, nil)
		for _, cookie := range b.cookies {
			req.AddCookie(cookie)
		}
		resp, err := outer.Test(req, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.Header.Get("Cache-Control")
	}
	got := map[string]string{"sets a cookie": cacheControl("/")}
	token := b.open()
	got["logged out"] = cacheControl("/")
	got["public"] = cacheControl("/public")
	got["its own"] = cacheControl("/own")
	b.wants(formOf("/login", token), 200, "")
	got["signed in"] = cacheControl("/")
	want := map[string]string{
		"sets a cookie": "no-store", "logged out": "no-store", "public": "", "its own": "private, max-age=60", "signed in": "no-store",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// logged returns the one line of the log without what differs each time.
func logged(t *testing.T, log *bytes.Buffer) map[string]any {
	t.Helper()
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	delete(line, "time")
	return line
}

func TestAccessLog(t *testing.T) {
	var id string
	app, log := guardedApp(func(c *fiber.Ctx) error {
		id = web.RequestID(c)
		return c.SendString("fine")
	})
	resp, _ := ask(t, app, "/accounts/7?login_challenge=sesame-challenge")
	want := map[string]any{"level": "INFO", "msg": "request", "request_id": id, "method": "GET", "path": "/accounts/7",
		"status": 200.0, "duration_ms": 1.5, "address": "0.0.0.0"}
	if diff := cmp.Diff(want, logged(t, log)); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(log.String(), "sesame") {
		t.Errorf("a secret is logged: %s", log)
	}
	if resp.Header.Get("X-Request-Id") != id {
		t.Errorf("X-Request-Id = %q, want %q", resp.Header.Get("X-Request-Id"), id)
	}
}

func TestEachRequestHasItsOwnID(t *testing.T) {
	app, _ := guardedApp(func(*fiber.Ctx) error { return nil })
	first, _ := ask(t, app, "/")
	second, _ := ask(t, app, "/")
	if a, b := first.Header.Get("X-Request-Id"), second.Header.Get("X-Request-Id"); a == b {
		t.Errorf("both are %q", a)
	}
}

func TestErrorsAreAnsweredAndLogged(t *testing.T) {
	leaky := fmt.Errorf("ask Hydra: Get %q: connection refused", "http://127.0.0.1:4445/x?login_challenge=sesame&a=b")
	tests := []struct {
		name   string
		path   string
		err    error
		status int
		body   string
		level  string
		log    string
	}{
		{"a problem", "/x", problem.New(problem.NotFound, "No such thing.").Because(errors.New("row 7")), 404, "No such thing.",
			"INFO", "not_found: No such thing.: row 7"},
		{"internal", "/x", leaky, 500, problem.MessageOf(leaky), "ERROR",
			`ask Hydra: Get "http://127.0.0.1:4445/x?…": connection refused`},
		{"no error page", "/unprintable", errors.New("first"), 500, "Internal Server Error", "ERROR",
			"first\nrender the error: panic: the error page"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app, log := guardedApp(func(*fiber.Ctx) error { return tt.err })
			resp, body := ask(t, app, tt.path)
			if resp.StatusCode != tt.status || body != tt.body {
				t.Errorf("answer: %d %q, want %d %q", resp.StatusCode, body, tt.status, tt.body)
			}
			line := logged(t, log)
			if line["level"] != tt.level || line["error"] != tt.log || line["status"] != float64(tt.status) {
				t.Errorf("log: %v", line)
			}
		})
	}
}

func TestPanicsAreInternal(t *testing.T) {
	for _, thrown := range []any{"boom", problem.New(problem.NotFound, "secret plans"), errors.New("boom")} {
		app, log := guardedApp(func(*fiber.Ctx) error { panic(thrown) })
		resp, body := ask(t, app, "/")
		if resp.StatusCode != 500 || body != problem.MessageOf(errors.New("any")) {
			t.Errorf("%v: answer %d %q", thrown, resp.StatusCode, body)
		}
		line := logged(t, log)
		if text, _ := line["error"].(string); text != fmt.Sprintf("panic: %v", thrown) {
			t.Errorf("error = %q", text)
		}
		if stack, _ := line["stack"].(string); !strings.Contains(stack, "middleware_test.go") {
			t.Errorf("the stack doesn't say where: %q", stack)
		}
	}
}

func TestDeadline(t *testing.T) {
	app := fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		if c.UserContext().Err() != nil {
			t.Error("the error page has no time")
		}
		return c.Status(problem.Status(err)).SendString(problem.MessageOf(err))
	}})
	app.Use(web.Deadline(time.Millisecond))
	app.Get("/*", func(c *fiber.Ctx) error {
		<-c.UserContext().Done()
		if c.Path() == "/known" {
			return problem.New(problem.NotFound, "No such thing.")
		}
		return fmt.Errorf("ask: %w", c.UserContext().Err())
	})
	for path, want := range map[string]int{"/slow": 503, "/known": 404} {
		if resp, body := ask(t, app, path); resp.StatusCode != want {
			t.Errorf("%s: %d %q", path, resp.StatusCode, body)
		}
	}
}

func TestUnrouted(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
	}{
		"with its own words":        {fiber.NewError(400, "Cookie: sesame"), 400},
		"slow":                      {fiber.ErrRequestTimeout, 408},
		"large":                     {fiber.ErrRequestEntityTooLarge, 413},
		"long":                      {fiber.ErrRequestHeaderFieldsTooLarge, 431},
		"a broken connection":       {fiber.ErrBadGateway, 400},
		"something else":            {errors.New("Cookie: sesame"), 400},
		"an error page that panics": {fiber.ErrTeapot, 500},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			app := fiber.New(fiber.Config{ErrorHandler: web.Unrouted(slog.New(slog.NewJSONHandler(&log, nil)), true, nil, func(c *fiber.Ctx, err error) error {
				if problem.Status(err) == fiber.StatusTeapot {
					panic("the error page")
				}
				return c.Status(problem.Status(err)).SendString(problem.MessageOf(err))
			})})
			app.Get("/", func(*fiber.Ctx) error { return test.err })
			resp, body := ask(t, app, "/")
			line := logged(t, &log)
			if resp.StatusCode != test.status || line["status"] != float64(test.status) || line["request_id"] != resp.Header.Get("X-Request-Id") {
				t.Errorf("%d %v %v", resp.StatusCode, resp.Header, line)
			}
			if resp.Header.Get("Content-Security-Policy") == "" || resp.Header.Get("Strict-Transport-Security") == "" {
				t.Errorf("headers %v", resp.Header)
			}
			if strings.Contains(body+log.String(), "sesame") {
				t.Errorf("a secret gets out: %s %s", body, &log)
			}
		})
	}
}
