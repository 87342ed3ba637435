package api

import (
	"fmt"

	"pochi/app/payments"

	"github.com/gofiber/fiber/v2"
)

type incomingPaymentList struct {
	IncomingPayments []incomingPayment `json:"incomingPayments"`
	Pagination       pagination        `json:"pagination"`
}

// listIncomingPayments answers GET /api/incoming-payments: those that the app asked
// for in the person's name, the newest first.
func (a *API) listIncomingPayments(c *fiber.Ctx, by caller) error {
	values, err := query(c, "before", "limit")
	if err != nil {
		return err
	}
	page, err := pageOf(values)
	if err != nil {
		return err
	}
	rows, next, err := a.requests.Requests(c.UserContext(), payments.RequestFilter{
		UserID: by.person.ID, ClientID: by.ClientID, Before: page.before, Limit: page.limit,
	})
	if err != nil {
		return fmt.Errorf("list the requests: %w", err)
	}
	answer := incomingPaymentList{IncomingPayments: make([]incomingPayment, len(rows)), Pagination: pagination{next}}
	for i, row := range rows {
		answer.IncomingPayments[i] = a.incomingPaymentOf(row)
	}
	return c.JSON(answer)
}
