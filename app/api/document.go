package api

import (
	_ "embed" // the document

	"github.com/gofiber/fiber/v2"
)

// documentPath is where the document is, below Prefix. It needs no token.
const documentPath = "/openapi.json"

//go:embed openapi.json
var document []byte

// Document returns the OpenAPI 3.1 document of this API, in JSON.
func Document() []byte { return document }

// showDocument answers GET /api/openapi.json.
func showDocument(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(document)
}
