package web

import (
	"fmt"
	"runtime/debug"

	"github.com/gofiber/fiber/v2"
)

// Recover is middleware that turns a panic of what comes after it into an
// internal error, so that one request can't stop the program.
func Recover(c *fiber.Ctx) error { return recovered(c.Next) }

// panicError is a panic's value as an error. It unwraps to nothing: whatever
// was thrown, people see an internal error.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func recovered(run func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value, debug.Stack()}
		}
	}()
	return run()
}
