package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	requestIDLen  = 16  // bytes
	loggedPathMax = 200 // bytes
)

type requestIDLocal struct{} // key of the request's id in Fiber's locals

// AssignRequestID is middleware that gives each request an id of its own, told
// in X-Request-Id: people can name it, the log has it. random is crypto/rand
// when nil.
func AssignRequestID(random io.Reader) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := setRequestID(c, random); err != nil {
			return err
		}
		return c.Next()
	}
}

func setRequestID(c *fiber.Ctx, random io.Reader) error {
	if random == nil {
		random = rand.Reader
	}
	raw := make([]byte, requestIDLen)
	if _, err := io.ReadFull(random, raw); err != nil {
		return fmt.Errorf("make a request id: %w", err)
	}
	id := hex.EncodeToString(raw)
	c.Locals(requestIDLocal{}, id)
	c.Set(fiber.HeaderXRequestID, id)
	return nil
}

// RequestID returns the request's id, "" where AssignRequestID didn't run.
func RequestID(c *fiber.Ctx) string {
	id, _ := c.Locals(requestIDLocal{}).(string)
	return id
}

// AccessLog is middleware that lets the app's error handler answer an error and
// then logs the request, with the error's whole chain: the handler needn't log.
// Files that pages load, and answers that nothing has changed, are logged at
// debug level. Queries, headers, cookies and bodies are never logged, and what
// looks like a query in an error's text is cut.
func AccessLog(log *slog.Logger, now func() time.Time) fiber.Handler {
	query := regexp.MustCompile(`\?[^\s"'=]*=[^\s"']*`)
	return func(c *fiber.Ctx) error {
		start := now()
		err := c.Next()
		if err != nil {
			err = errors.Join(err, answer(c, err))
		}
		path := c.Path()
		attrs := []slog.Attr{
			slog.String("request_id", RequestID(c)),
			slog.String("method", c.Method()),
			slog.String("path", strings.ToValidUTF8(strings.Clone(path[:min(len(path), loggedPathMax)]), "")),
			slog.Int("status", c.Response().StatusCode()),
			slog.Float64("duration_ms", float64(now().Sub(start).Microseconds())/1000),
			slog.String("address", strings.Clone(c.IP())),
		}
		if err != nil {
			attrs = append(attrs, slog.String("error", query.ReplaceAllString(err.Error(), "?…")))
		}
		var panicked *panicError
		if errors.As(err, &panicked) {
			attrs = append(attrs, slog.String("stack", string(panicked.stack)))
		}
		level := slog.LevelInfo
		if strings.HasPrefix(path, "/static/") || c.Response().StatusCode() == fiber.StatusNotModified {
			level = slog.LevelDebug
		}
		if c.Response().StatusCode() >= fiber.StatusInternalServerError {
			level = slog.LevelError
		}
		log.LogAttrs(c.UserContext(), level, "request", attrs...)
		return nil
	}
}

// answer renders an error. When that fails too, the answer is a bare 500.
func answer(c *fiber.Ctx, err error) error {
	failed := recovered(func() error { return c.App().ErrorHandler(c, err) })
	if failed == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("render the error: %w", failed), c.SendStatus(fiber.StatusInternalServerError))
}
