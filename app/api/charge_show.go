package api

import (
	"fmt"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// showCharge answers GET /api/agreements/{id}/charges/{charge}.
func (a *API) showCharge(c *fiber.Ctx, by caller) error {
	if _, err := query(c); err != nil {
		return err
	}
	id, err := uuid.Parse(c.Params("charge"))
	if err != nil || id.String() != c.Params("charge") {
		return notFound(c)
	}
	found, err := a.charges.FindCharge(c.UserContext(), by.agreement.ID, id)
	if err != nil {
		return fmt.Errorf("find the charge: %w", err)
	}
	return c.JSON(chargeOf(found))
}
