package api

import (
	"fmt"

	"github.com/gofiber/fiber/v2"
)

// giveUpAgreement answers DELETE /api/agreements/{id}, also when that was done
// before.
func (a *API) giveUpAgreement(c *fiber.Ctx, by caller) error {
	if notEnded(by.agreement) != nil {
		return c.SendStatus(fiber.StatusNoContent)
	}
	if err := a.agreements.GiveUp(c.UserContext(), by.ClientID, by.agreement.ID); err != nil {
		return fmt.Errorf("give up the agreement: %w", err)
	}
	return c.SendStatus(fiber.StatusNoContent)
}
