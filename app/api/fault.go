package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
)

// typePrefix makes a problem's code the URI that RFC 9457 wants for its type.
// The codes are a promise: programs branch on them.
const typePrefix = "urn:pochi:problem:"

// fault is an answer that isn't what was asked for (RFC 9457).
type fault struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	challenge string // of WWW-Authenticate, "" for none
	allow     string // of Allow, "" for none
}

func newFault(status int, code, title, detail string) *fault {
	return &fault{Type: typePrefix + code, Title: title, Status: status, Detail: detail}
}

// Error describes the fault, for tests and logs.
func (f *fault) Error() string { return f.Title + ": " + f.Detail }

func notFound(*fiber.Ctx) error {
	return newFault(http.StatusNotFound, "not_found", "Not found", "There is no such resource.")
}

func notAllowed(allow string) fiber.Handler {
	return func(*fiber.Ctx) error {
		f := newFault(http.StatusMethodNotAllowed, "method_not_allowed", "Method not allowed", "This resource answers to: "+allow+".")
		f.allow = allow
		return f
	}
}

// OrElse returns an app's error handler: it answers errors under Prefix, also
// those from before a route was found, and leaves others to next. It logs
// nothing.
func (a *API) OrElse(next fiber.ErrorHandler) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		path := strings.ToLower(c.Path()) // as routes are matched
		if path == Prefix || strings.HasPrefix(path, Prefix+"/") {
			return showFault(c, err)
		}
		return next(c, err)
	}
}

func showFault(c *fiber.Ctx, err error) error {
	f := faultOf(err)
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if f.challenge != "" {
		c.Set(fiber.HeaderWWWAuthenticate, f.challenge)
	}
	if f.allow != "" {
		c.Set(fiber.HeaderAllow, f.allow)
	}
	if f.Status == http.StatusServiceUnavailable {
		c.Set(fiber.HeaderRetryAfter, "30")
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Status(f.Status).Send(body)
}

func faultOf(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	code := problem.CodeOf(err)
	return newFault(problem.Status(err), string(code), titleOf(code), problem.MessageOf(err))
}

func titleOf(code problem.Code) string {
	switch code {
	case problem.Invalid:
		return "Invalid input"
	case problem.LimitExceeded:
		return "More than is allowed"
	case problem.NotFound:
		return "Not found"
	case problem.Conflict:
		return "Conflict"
	case problem.Unauthenticated:
		return "Not authenticated"
	case problem.Forbidden:
		return "Not allowed"
	case problem.Gone:
		return "Gone"
	case problem.TooLarge:
		return "Too large"
	case problem.TooMany:
		return "Too many requests"
	case problem.Unavailable:
		return "Not available"
	default:
		return "Internal error"
	}
}
