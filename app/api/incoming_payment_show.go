package api

import (
	"fmt"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// showIncomingPayment answers GET /api/incoming-payments/{id}: one that the app asked
// for in the person's name.
func (a *API) showIncomingPayment(c *fiber.Ctx, by caller) error {
	if _, err := query(c); err != nil {
		return err
	}
	id, err := uuid.Parse(c.Params("payment"))
	if err != nil || id.String() != c.Params("payment") {
		return notFound(c)
	}
	found, err := a.requests.FindRequestOf(c.UserContext(), by.person.ID, id)
	if err != nil {
		return fmt.Errorf("find the request: %w", err)
	}
	if found.ClientID != by.ClientID {
		return notFound(c)
	}
	return c.JSON(a.incomingPaymentOf(found))
}
