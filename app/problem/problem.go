// Package problem is the one error type that people see. A Code is for
// machines and maps to an HTTP status, a Message is a sentence for a person,
// and the wrapped error is for the log only. Any error without a Code is
// internal: its text never leaves the log.
package problem

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code says what kind of thing went wrong.
type Code string

// The codes, each with the HTTP status it maps to.
const (
	Invalid         Code = "invalid"                // 422: what was typed can't be used
	LimitExceeded   Code = "limit_exceeded"         // 422: more than an agreement allows
	NotFound        Code = "not_found"              // 404
	Conflict        Code = "conflict"               // 409: somebody was faster
	KeyReused       Code = "idempotency_key_reused" // 409: the key stands for another request
	Insufficient    Code = "insufficient_funds"     // 402: there is too little money
	Unauthenticated Code = "unauthenticated"        // 401
	Forbidden       Code = "forbidden"              // 403
	Gone            Code = "gone"                   // 410: it was there and has expired
	TooLarge        Code = "too_large"              // 413
	TooMany         Code = "too_many"               // 429: asked too often
	Unavailable     Code = "unavailable"            // 503: a part we need doesn't answer
	Internal        Code = "internal"               // 500
)

const internalMessage = "It is our fault and we have a record of it. If you were paying, look at your last movements before you try again."

// Error is one problem. Field names the form field it belongs to; empty means
// that it concerns the whole request.
type Error struct {
	Code       Code
	Field      string
	Message    string
	HTTP       int           // status, where it isn't the code's
	RetryAfter time.Duration // how long to wait before the same may work; 0 when unknown
	Err        error
}

// New returns an Error without a field.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Field returns an Invalid Error that belongs to one form field.
func Field(name, format string, args ...any) *Error {
	return &Error{Code: Invalid, Field: name, Message: fmt.Sprintf(format, args...)}
}

// Because attaches the cause, for the log.
func (e *Error) Because(err error) *Error {
	because := *e
	because.Err = err
	return &because
}

// Error describes the problem with its cause, for the log.
func (e *Error) Error() string {
	text := string(e.Code)
	if e.Field != "" {
		text += " " + e.Field
	}
	text += ": " + e.Message
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errors are several problems of one form.
type Errors []*Error

// Error joins the problems' descriptions.
func (es Errors) Error() string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns each problem.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// CodeOf returns the code of the first Error in err's tree, Internal for any
// other error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := find(err); ok {
		return e.Code
	}
	return Internal
}

// MessageOf returns the sentence to show for err.
func MessageOf(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := find(err); ok {
		return e.Message
	}
	return internalMessage
}

// Fields returns the messages by form field; "" holds the message for the
// whole form. It is empty when err is internal: that is no form's fault.
func Fields(err error) map[string]string {
	out := map[string]string{}
	var many Errors
	if errors.As(err, &many) {
		for _, e := range many {
			if _, taken := out[e.Field]; !taken {
				out[e.Field] = e.Message
			}
		}
		return out
	}
	if e, ok := find(err); ok {
		out[e.Field] = e.Message
	}
	return out
}

// RetryAfter returns how long to wait before the same may work, or 0 when that
// is unknown.
func RetryAfter(err error) time.Duration {
	if e, ok := find(err); ok {
		return e.RetryAfter
	}
	return 0
}

// Status returns the HTTP status of err: its own, or its code's.
func Status(err error) int {
	if e, ok := find(err); ok && e.HTTP != 0 {
		return e.HTTP
	}
	switch CodeOf(err) {
	case "":
		return 200
	case Invalid, LimitExceeded:
		return 422
	case NotFound:
		return 404
	case Conflict, KeyReused:
		return 409
	case Insufficient:
		return 402
	case Unauthenticated:
		return 401
	case Forbidden:
		return 403
	case Gone:
		return 410
	case TooLarge:
		return 413
	case TooMany:
		return 429
	case Unavailable:
		return 503
	default:
		return 500
	}
}

func find(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
