package api

import (
	"fmt"

	"github.com/gofiber/fiber/v2"
)

type chargeList struct {
	Charges    []chargeJSON `json:"charges"`
	Pagination pagination   `json:"pagination"`
}

// listCharges answers GET /api/agreements/{id}/charges, the newest first.
func (a *API) listCharges(c *fiber.Ctx, by caller) error {
	values, err := query(c, "before", "limit")
	if err != nil {
		return err
	}
	page, err := pageOf(values)
	if err != nil {
		return err
	}
	rows, next, err := a.charges.Charges(c.UserContext(), by.agreement.ID, page.before, page.limit)
	if err != nil {
		return fmt.Errorf("list the charges: %w", err)
	}
	answer := chargeList{Charges: make([]chargeJSON, len(rows)), Pagination: pagination{next}}
	for i, row := range rows {
		answer.Charges[i] = chargeOf(row)
	}
	return c.JSON(answer)
}
