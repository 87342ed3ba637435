package api

import "github.com/gofiber/fiber/v2"

type agreementList struct {
	Agreements []agreementJSON `json:"agreements"`
	Pagination pagination      `json:"pagination"`
}

// listAgreements answers GET /api/agreements: the one that the token is for, so
// that who asked for it inline learns its id and what was granted.
func (a *API) listAgreements(c *fiber.Ctx, by caller) error {
	if _, err := query(c); err != nil {
		return err
	}
	one, err := a.agreementWithUsage(c.UserContext(), by.agreement)
	if err != nil {
		return err
	}
	return c.JSON(agreementList{Agreements: []agreementJSON{one}})
}
