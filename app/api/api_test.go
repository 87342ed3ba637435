package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pochi/app/accounts"
	"pochi/app/api"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/app/users"
	"pochi/app/web"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

const audience = "https://wallet.example"

func ann() uuid.UUID  { return uuid.MustParse("0194d0b0-0000-7000-8000-000000000001") }
func gone() uuid.UUID { return uuid.MustParse("0194d0b0-0000-7000-8000-000000000009") }

// tokens knows tokens by their text; others are invalid.
type tokens struct {
	known map[string]oauth.Token
	err   error
}

func (f tokens) Introspect(_ context.Context, token string) (oauth.Token, error) {
	if f.err != nil {
		return oauth.Token{}, f.err
	}
	if t, ok := f.known[token]; ok {
		return t, nil
	}
	return oauth.Token{}, problem.New(problem.Unauthenticated, "The access token is not valid, or not any more.")
}

// broken panics when it is asked.
type broken struct{}

func (broken) Find(context.Context, uuid.UUID) (users.User, error) { panic("disk") }

type people struct{ err error }

func (f people) Find(_ context.Context, id uuid.UUID) (users.User, error) {
	if f.err != nil {
		return users.User{}, f.err
	}
	if id != ann() {
		return users.User{}, problem.New(problem.NotFound, "There is no such person.")
	}
	return users.User{ID: id, Name: "Ann", Email: "ann@example.com"}, nil
}

type pointers struct {
	names []string
	err   error
}

func (f pointers) Pointers(_ context.Context, userID uuid.UUID) ([]accounts.Pointer, error) {
	var out []accounts.Pointer
	for _, name := range f.names {
		out = append(out, accounts.Pointer{Name: name, UserID: userID})
	}
	return out, f.err
}

// answer is what a request got.
type answer struct {
	Status    int
	Type      string
	Challenge string // of WWW-Authenticate
	Body      map[string]any
	header    http.Header
}

// diffAnswer compares what is told of answers, their other headers aside.
func diffAnswer(want, got answer) string {
	got.header = want.header
	return cmp.Diff(want, got, cmp.AllowUnexported(answer{}))
}

// serve returns an app with the API, and where it keeps the last error.
func serve(opts api.Options) (*fiber.App, *error) {
	var last error
	a := api.New(opts)
	app := fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		last = err
		return a.OrElse(func(*fiber.Ctx, error) error { return c.SendStatus(fiber.StatusTeapot) })(c, err)
	}})
	app.Use(web.Recover)
	a.Register(app)
	return app, &last
}

func do(t *testing.T, opts api.Options, method, path string, headers map[string]string) answer {
	t.Helper()
	app, _ := serve(opts)
	app.Get("/:name", func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusTeapot) })
	return ask(t, app, method, path, headers)
}

func ask(t *testing.T, app *fiber.App, method, path string, headers map[string]string) answer {
	t.Helper()
	return send(t, app, method, path, headers, "")
}

// send sends a request with a body, unless that is "", and holds the answer
// against the document.
func send(t *testing.T, app *fiber.App, method, path string, headers map[string]string, text string) answer {
	t.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(text))
	if text != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range headers {
		request.Header[name] = strings.Split(value, "\n")
	}
	response, err := app.Test(request, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := answer{Status: response.StatusCode, Type: response.Header.Get("Content-Type"), Challenge: response.Header.Get("WWW-Authenticate")}
	out.header = response.Header
	if strings.HasPrefix(path, "/api/") {
		if response.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached", path)
		}
		for name := range response.Header {
			if strings.HasPrefix(name, "Access-Control-") || name == "Set-Cookie" {
				t.Errorf("%s sets %s", path, name)
			}
		}
	}
	if strings.HasPrefix(strings.ToLower(path), "/api/") {
		check(t, method, strings.ToLower(path), out.Status, response.Header, body)
	}
	if len(body) > 0 && strings.Contains(out.Type, "json") {
		if err := json.Unmarshal(body, &out.Body); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
	}
	return out
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

func fault(status int, kind, title, detail string) map[string]any {
	return map[string]any{"type": "urn:pochi:problem:" + kind, "title": title, "status": float64(status), "detail": detail}
}

const (
	problemJSON  = "application/problem+json"
	needsToken   = `Bearer realm="pochi"`
	invalidToken = needsToken + `, error="invalid_token"`
	tooLittle    = needsToken + `, error="insufficient_scope", scope="openid"`
)

func TestMe(t *testing.T) {
	tests := []struct {
		name    string
		headers map[string]string
		want    answer
	}{
		{"openid", bearer("openid"), answer{200, "application/json", "", map[string]any{"sub": ann().String()}, nil}},
		{"with profile", bearer("full"), answer{200, "application/json", "", map[string]any{
			"sub": ann().String(), "name": "Ann", "paymentPointers": []any{"$wallet.example/ann", "$wallet.example/ann/shop"},
		}, nil}},
		{"any case", map[string]string{"Authorization": "bearer  openid"}, answer{200, "application/json", "", map[string]any{"sub": ann().String()}, nil}},
		{"no token", nil, answer{401, problemJSON, needsToken,
			fault(401, "unauthenticated", "Not authenticated", "This resource needs an access token."), nil}},
		{"a cookie is no token", map[string]string{"Cookie": "pochi_3000=x"}, answer{401, problemJSON, needsToken,
			fault(401, "unauthenticated", "Not authenticated", "This resource needs an access token."), nil}},
		{"another scheme", map[string]string{"Authorization": "Basic YTpi"}, answer{401, problemJSON, needsToken,
			fault(401, "unauthenticated", "Not authenticated", "This resource needs an access token."), nil}},
		{"an empty token", bearer(""), answer{401, problemJSON, needsToken,
			fault(401, "unauthenticated", "Not authenticated", "This resource needs an access token."), nil}},
		{"an invalid token", bearer("old"), answer{401, problemJSON, invalidToken,
			fault(401, "unauthenticated", "Not authenticated", "The access token is not valid, or not any more."), nil}},
		{"two tokens", bearer("openid full"), answer{401, problemJSON, invalidToken,
			fault(401, "unauthenticated", "Not authenticated", "The access token is not valid, or not any more."), nil}},
		{"a closed account", bearer("gone"), answer{401, problemJSON, invalidToken,
			fault(401, "unauthenticated", "Not authenticated", "Whoever the access token belongs to has no account here any more."), nil}},
		{"a subject that is no id", bearer("odd"), answer{401, problemJSON, invalidToken,
			fault(401, "unauthenticated", "Not authenticated", "Whoever the access token belongs to has no account here any more."), nil}},
		{"without the scope", bearer("profile"), answer{403, problemJSON, tooLittle,
			fault(403, "insufficient_scope", "Not allowed", "The access token lacks the scope openid."), nil}},
		{"for another API", bearer("elsewhere"), answer{403, problemJSON, tooLittle,
			fault(403, "insufficient_scope", "Not allowed", "The access token is not meant for this API."), nil}},
		{"an app's own", bearer("app"), answer{403, problemJSON, "",
			fault(403, "no_person", "Not allowed", "The access token belongs to an app itself, not to a person."), nil}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := diffAnswer(tt.want, do(t, options(), "GET", "/api/me", tt.headers)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMeWithoutPointersListsNone(t *testing.T) {
	opts := options()
	opts.Pointers = pointers{}
	want := map[string]any{"sub": ann().String(), "name": "Ann", "paymentPointers": []any{}}
	if diff := cmp.Diff(want, do(t, opts, "GET", "/api/me", bearer("full")).Body); diff != "" {
		t.Error(diff)
	}
}

func TestFailuresHideTheirCause(t *testing.T) {
	internal := fault(500, "internal", "Internal error", problem.MessageOf(errors.New("disk")))
	tests := []struct {
		name   string
		change func(*api.Options)
		want   map[string]any
	}{
		{"Hydra is down", func(o *api.Options) {
			o.Tokens = tokens{err: problem.New(problem.Unavailable, "Not possible right now.").Because(errors.New("dial"))}
		}, fault(503, "unavailable", "Not available", "Not possible right now.")},
		{"tokens", func(o *api.Options) { o.Tokens = tokens{err: errors.New("disk")} }, internal},
		{"people", func(o *api.Options) { o.People = people{errors.New("disk")} }, internal},
		{"a panic", func(o *api.Options) { o.People = broken{} }, internal},
		{"pointers", func(o *api.Options) { o.Pointers = pointers{err: errors.New("disk")} }, internal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := options()
			tt.change(&opts)
			app, cause := serve(opts)
			got := ask(t, app, "GET", "/api/me", bearer("full"))
			if diff := cmp.Diff(tt.want, got.Body); diff != "" || got.Type != problemJSON {
				t.Error(got.Type, diff)
			}
			if text := (*cause).Error(); !strings.Contains(text, "di") || strings.Contains(text, "full") {
				t.Errorf("the error for the log lacks the cause, or has the token: %s", text)
			}
		})
	}
}

func TestOtherPathsAndMethods(t *testing.T) {
	tests := []struct {
		method, path string
		want         int
	}{
		{"GET", "/api", 404},
		{"GET", "/api/", 404},
		{"GET", "/api/you", 404},
		{"POST", "/api/me/too", 404},
		{"OPTIONS", "/api/you", 404},
		{"POST", "/api/me", 405},
		{"DELETE", "/api/me", 405},
		{"OPTIONS", "/api/me", 405},
		{"HEAD", "/api/me", 401},
		{"GET", "/API/me", 401},
		{"GET", "/api-docs/x", 418},
		{"GET", "/apiary", 418}, // somebody's payment pointer
	}
	for _, tt := range tests {
		got := do(t, options(), tt.method, tt.path, nil)
		if got.Status != tt.want || tt.want != 418 && got.Type != problemJSON {
			t.Errorf("%s %s: %d %s, want %d", tt.method, tt.path, got.Status, got.Type, tt.want)
		}
	}
}

func TestNotAllowedNamesWhatIs(t *testing.T) {
	app, _ := serve(options())
	response, err := app.Test(httptest.NewRequest("PUT", "/api/me", nil), -1)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Allow"); got != "GET, HEAD" {
		t.Errorf("Allow: %q", got)
	}
}
