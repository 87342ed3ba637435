package web

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// UploadMax is how large the body of a form with a file may be, in bytes: more
// than any file that is of use, so that whoever chooses a larger one is told on the
// page.
const UploadMax = 1 << 20

const (
	uploadRoot     = "/developers/" // of all routes with a file
	uploadRoute    = uploadRoot + "apps/:id/logo"
	uploadFile     = "logo" // the field with the file
	uploadParts    = 4      // fields of a form with a file
	uploadFieldMax = 1 << 10
)

type uploadLocal struct{} // key of the file in Fiber's locals

// TakesFile tells whether a request is for the one form that has a file.
func TakesFile(method, path string) bool {
	return method == fiber.MethodPost && strings.HasPrefix(path, uploadRoot) && fiber.RoutePatternMatch(path, uploadRoute)
}

// uploaded returns the file that was sent, nil for none.
func uploaded(c *fiber.Ctx) []byte {
	file, _ := c.Locals(uploadLocal{}).([]byte)
	return file
}

// acceptUpload reads a form with a file: its other fields become those of a plain
// form. The body is in memory already, and no longer than the server lets it be.
func acceptUpload(c *fiber.Ctx, boundary string) error {
	parts := multipart.NewReader(bytes.NewReader(c.Request().Body()), boundary)
	for range uploadParts {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return c.Next()
		}
		if err != nil {
			return fiber.ErrBadRequest
		}
		if err := keepPart(c, part); err != nil {
			return err
		}
	}
	return fiber.ErrBadRequest
}

func keepPart(c *fiber.Ctx, part *multipart.Part) error {
	if part.FormName() == uploadFile {
		file, err := io.ReadAll(part)
		if err != nil {
			return fiber.ErrBadRequest
		}
		c.Locals(uploadLocal{}, file)
		return nil
	}
	value, err := io.ReadAll(io.LimitReader(part, uploadFieldMax+1))
	if err != nil || len(value) > uploadFieldMax {
		return fiber.ErrBadRequest
	}
	c.Context().PostArgs().SetBytesV(part.FormName(), value)
	return nil
}
