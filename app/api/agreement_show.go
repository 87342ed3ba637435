package api

import "github.com/gofiber/fiber/v2"

// showAgreement answers GET /api/agreements/{id}.
func (a *API) showAgreement(c *fiber.Ctx, by caller) error {
	if _, err := query(c); err != nil {
		return err
	}
	one, err := a.agreementWithUsage(c.UserContext(), by.agreement)
	if err != nil {
		return err
	}
	return c.JSON(one)
}
