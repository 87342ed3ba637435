package api

import (
	"pochi/app/payments"

	"github.com/gofiber/fiber/v2"
)

// listIncomingPayments answers GET /api/incoming-payments: those that the app asked
// for in the person's name, the newest first.
func (a *API) listIncomingPayments(c *fiber.Ctx, by caller) error {
	return listed(c, "incomingPayments", func(p page) ([]payments.Request, string, error) {
		return a.requests.Requests(c.UserContext(), payments.RequestFilter{
			UserID: by.person.ID, ClientID: by.ClientID, Before: p.before, Limit: p.limit,
		})
	}, a.incomingPaymentOf)
}
