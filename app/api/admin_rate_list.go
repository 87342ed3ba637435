package api

import (
	"pochi/app/admin"

	"github.com/gofiber/fiber/v2"
)

type rateList struct {
	Rates []admin.Rate `json:"rates"`
}

// listRates answers GET /api/admin/rates.
func (a *API) listRates(c *fiber.Ctx, _ caller) error {
	if _, err := query(c); err != nil {
		return err
	}
	return c.JSON(rateList{a.office.ListRates()})
}
