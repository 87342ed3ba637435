package api

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
)

// typePrefix makes a problem's code the URI that RFC 9457 wants for its type.
// The codes are a promise: programs branch on them.
const typePrefix = "urn:pochi:problem:"

// pause is how long, in seconds, a program should wait that is to come again when
// nobody knows better.
const pause = 30

// fault is an answer that isn't what was asked for (RFC 9457).
type fault struct {
	Type       string `json:"type"`
	Title      string `json:"title"`
	Status     int    `json:"status"`
	Detail     string `json:"detail"`
	Field      string `json:"field,omitempty"` // of the body, the query or the header that is wrong
	challenge  string // of WWW-Authenticate, "" for none
	allow      string // of Allow, "" for none
	retryAfter int    // seconds, 0 for none
}

func newFault(status int, code, title, detail string) *fault {
	return &fault{Type: typePrefix + code, Title: title, Status: status, Detail: detail}
}

// Error describes the fault, for tests and logs.
func (f *fault) Error() string { return f.Title + ": " + f.Detail }

// malformed is a request that can't be read: what is wrong with which part of it.
func malformed(field, detail string) *fault {
	f := newFault(http.StatusBadRequest, "malformed", "Malformed request", detail)
	f.Field = field
	return f
}

// invalid is a part of a request that can be read and not used.
func invalid(field, detail string) *fault {
	f := newFault(http.StatusUnprocessableEntity, string(problem.Invalid), titleOf(problem.Invalid), detail)
	f.Field = field
	return f
}

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
	if f.retryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(f.retryAfter))
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
	f = newFault(problem.Status(err), string(code), titleOf(code), problem.MessageOf(err))
	var p *problem.Error
	if errors.As(err, &p) {
		f.Field = p.Field
	}
	f.retryAfter = int(math.Ceil(problem.RetryAfter(err).Seconds()))
	if later := f.Status == http.StatusServiceUnavailable || f.Status == http.StatusTooManyRequests; later && f.retryAfter == 0 {
		f.retryAfter = pause
	}
	return f
}

func titleOf(code problem.Code) string {
	switch code {
	case problem.Invalid:
		return "Invalid input"
	case problem.LimitExceeded:
		return "More than is allowed"
	case problem.NotFound:
		return "Not found"
	case problem.Conflict, problem.KeyReused:
		return "Conflict"
	case problem.Insufficient:
		return "Insufficient funds"
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
