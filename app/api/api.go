// Package api is the HTTP interface for other programs: bearer tokens instead
// of cookies, JSON, and errors as RFC 9457 describes them. It shares no route
// with the browser's pages, and only the middleware that is for every request:
// cookies mean nothing here, and no other website's script can read an answer
// (there is no CORS).
//
// Every endpoint is a line of one table, and names the scope that a token needs.
package api

import (
	"context"
	"slices"
	"strings"

	"pochi/app/accounts"
	"pochi/app/oauth"
	"pochi/app/users"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// Introspector tells what a bearer token stands for. Errors: Unauthenticated
// for anything but a valid access token, Unavailable when it can't be told.
type Introspector interface {
	Introspect(ctx context.Context, token string) (oauth.Token, error)
}

// People knows the wallet's people. Errors: NotFound when there is no such
// person.
type People interface {
	Find(ctx context.Context, id uuid.UUID) (users.User, error)
}

// Pointers knows the payment pointers of a person.
type Pointers interface {
	Pointers(ctx context.Context, userID uuid.UUID) ([]accounts.Pointer, error)
}

// Options of an API. All are needed.
type Options struct {
	Tokens   Introspector
	People   People
	Pointers Pointers
	Audience string // what tokens must be meant for, as given to oauth.Options
	Host     string // payment pointers here are $Host/name
}

// API answers other programs.
type API struct {
	tokens   Introspector
	people   People
	pointers Pointers
	audience string
	host     string
}

// New returns an API.
func New(opts Options) *API {
	return &API{
		tokens:   opts.Tokens,
		people:   opts.People,
		pointers: opts.Pointers,
		audience: opts.Audience,
		host:     opts.Host,
	}
}

// endpoint is a line of the route table.
type endpoint struct {
	method string
	path   string // below Prefix
	scope  oauth.Scope
	handle func(c *fiber.Ctx, token oauth.Token) error
}

// Prefix is where the API's routes are.
const Prefix = "/api"

func (a *API) endpoints() []endpoint {
	return []endpoint{
		{fiber.MethodGet, "/me", oauth.OpenID, a.me},
	}
}

// Register adds the routes under Prefix, and answers for all other paths there.
// It goes before any middleware that is for browsers. Errors are left to the
// app's error handler, which OrElse makes.
func (a *API) Register(router fiber.Router) {
	allowed := map[string][]string{} // methods by path
	for _, e := range a.endpoints() {
		handler := a.authorize(e)
		router.Add(e.method, Prefix+e.path, unstored, handler)
		allowed[e.path] = append(allowed[e.path], e.method)
		if e.method == fiber.MethodGet {
			router.Add(fiber.MethodHead, Prefix+e.path, unstored, handler)
			allowed[e.path] = append(allowed[e.path], fiber.MethodHead)
		}
	}
	for path, methods := range allowed {
		slices.Sort(methods)
		router.All(Prefix+path, notAllowed(strings.Join(methods, ", ")))
	}
	router.All(Prefix, notFound) // not Use, which takes /apiary, too
	router.All(Prefix+"/*", notFound)
}

// unstored is middleware: no answer is kept anywhere.
func unstored(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Next()
}
