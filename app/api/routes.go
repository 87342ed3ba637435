package api

import (
	"pochi/app/agreements"
	"pochi/app/oauth"
	"pochi/app/users"

	"github.com/gofiber/fiber/v2"
)

// Prefix is where the API's routes are.
const Prefix = "/api"

// endpoint is a line of the route table.
type endpoint struct {
	method string
	path   string // below Prefix
	scope  oauth.Scope
	of     kind
	ended  bool // also for a token whose agreement has ended
	handle func(c *fiber.Ctx, by caller) error
}

// caller is who asks, as the token says.
type caller struct {
	oauth.Token
	person    users.User           // zero with an app's own token
	agreement agreements.Agreement // zero but with an agreement's token
}

// endpoints is the route table. Where a path has an :id of an agreement, that is
// the token's, or there is no such resource.
func (a *API) endpoints() []endpoint {
	return []endpoint{
		{fiber.MethodGet, "/me", oauth.OpenID, person | agreement, false, a.me},

		{fiber.MethodPost, "/agreements", oauth.AgreementsPropose, service, false, a.proposeAgreement},
		{fiber.MethodGet, "/agreements", oauth.AgreementScope, agreement, true, a.listAgreements},
		{fiber.MethodGet, "/agreements/:id", oauth.AgreementScope, agreement, true, a.showAgreement},
		{fiber.MethodDelete, "/agreements/:id", oauth.AgreementScope, agreement, true, a.giveUpAgreement},
		{fiber.MethodPost, "/agreements/:id/charges", oauth.AgreementScope, agreement, true, a.makeCharge},
		{fiber.MethodGet, "/agreements/:id/charges", oauth.AgreementScope, agreement, true, a.listCharges},
		{fiber.MethodGet, "/agreements/:id/charges/:charge", oauth.AgreementScope, agreement, true, a.showCharge},

		{fiber.MethodGet, "/accounts", oauth.AccountsRead, person, false, a.listAccounts},
		{fiber.MethodGet, "/transactions", oauth.TransactionsRead, person, false, a.listTransactions},

		{fiber.MethodPost, "/incoming-payments", oauth.PaymentsRequest, person, false, a.makeIncomingPayment},
		{fiber.MethodGet, "/incoming-payments", oauth.PaymentsRequest, person, false, a.listIncomingPayments},
		{fiber.MethodGet, "/incoming-payments/:payment", oauth.PaymentsRequest, person, false, a.showIncomingPayment},

		{fiber.MethodGet, "/admin/peers", oauth.AdminRead, service, false, a.listPeers},
		{fiber.MethodGet, "/admin/rates", oauth.AdminRead, service, false, a.listRates},
		{fiber.MethodPut, "/admin/rates/:from/:to", oauth.AdminWrite, service, false, a.setRate},
	}
}
