package api

import (
	"pochi/app/payments"

	"github.com/gofiber/fiber/v2"
)

// listCharges answers GET /api/agreements/{id}/charges, the newest first.
func (a *API) listCharges(c *fiber.Ctx, by caller) error {
	return listed(c, "charges", func(p page) ([]payments.Charge, string, error) {
		return a.charges.Charges(c.UserContext(), by.agreement.ID, p.before, p.limit)
	}, chargeOf)
}
