package web

import (
	"errors"
	"io"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Unrouted wraps an app's error handler for requests that the server refuses
// before any middleware runs, such as those that are too large or can't be
// read: they get a request id, the security headers and a line in the log, too.
// The error's own text goes nowhere, since it can hold the request's headers.
// random is crypto/rand when nil.
func Unrouted(log *slog.Logger, production bool, random io.Reader, next fiber.ErrorHandler) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		if RequestID(c) != "" {
			return next(c, err)
		}
		if err := setRequestID(c, random); err != nil {
			return err
		}
		setSecurityHeaders(c, production)
		status := fiber.StatusBadRequest // also for a connection that broke
		var refused *fiber.Error
		if errors.As(err, &refused) && refused.Code != fiber.StatusBadGateway {
			status = refused.Code
		}
		err = recovered(func() error { return next(c, refusalOf(status)) })
		if err != nil {
			err = errors.Join(err, c.SendStatus(fiber.StatusInternalServerError))
		}
		attrs := []slog.Attr{
			slog.String("request_id", RequestID(c)), slog.Int("status", c.Response().StatusCode()), slog.String("address", strings.Clone(c.IP())),
		}
		level := slog.LevelInfo
		if err != nil {
			level, attrs = slog.LevelError, append(attrs, slog.String("error", err.Error()))
		}
		log.LogAttrs(c.UserContext(), level, "request refused unread", attrs...)
		return nil
	}
}
