package web

import (
	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/views"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// requestRoute is where payment requests are.
const requestRoute = "/requests/:id"

// requestPayments is how many payments the page of a request shows.
const requestPayments = 50

// showRequest answers at a payment request's URL: SPSP to a wallet that asks for it
// (RFC 9), to its owner how it stands, and to everybody else a page on which to pay.
func (s *Site) showRequest(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAccept)
	c.Set("X-Robots-Tag", "noindex")
	id, err := paramID(c)
	if err != nil {
		return err
	}
	r, err := s.Requests.FindRequest(c.UserContext(), id)
	switch {
	case err != nil:
		return err
	case wantsSPSP(c):
		return s.answerRequest(c, r)
	case r.UserID == person(c).ID:
		return live(s, c, func() (views.RequestShow, error) { return s.ownRequest(c, id) }, func(v views.RequestShow) templ.Component {
			return views.Request(s.livePage(c, "Payment request", views.NavNone), v)
		})
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return live(s, c, func() (views.RequestPay, error) { return s.othersRequest(c, id) }, func(v views.RequestPay) templ.Component {
		return views.PayRequest(s.livePage(c, "Pay "+v.Name, views.NavNone), v)
	})
}

// answerRequest is an SPSP answer, which says how much is asked, too.
func (s *Site) answerRequest(c *fiber.Ctx, r payments.Request) error {
	details, err := s.Requests.OfferRequest(r)
	if problem.CodeOf(err) == problem.NotFound {
		return noReceiver(c, err)
	}
	if err != nil {
		return err
	}
	return writeSPSP(c, details)
}

// ownRequest is a request as its owner sees it.
func (s *Site) ownRequest(c *fiber.Ctx, id uuid.UUID) (views.RequestShow, error) {
	ctx, who := c.UserContext(), person(c)
	r, err := s.Requests.FindRequest(ctx, id)
	if err != nil {
		return views.RequestShow{}, err
	}
	account, err := s.accountName(c, r.AccountID)
	if err != nil {
		return views.RequestShow{}, err
	}
	paid, older, err := s.Requests.RequestPayments(ctx, who.ID, id, "", requestPayments)
	if err != nil {
		return views.RequestShow{}, err
	}
	code, err := qrCode(s.requestURL(r))
	v := views.RequestShow{
		ID: r.ID.String(), URL: s.requestURL(r), QR: code, State: views.RequestState(r.State), Amount: moneyUnlessZero(r.Amount),
		Received: moneyUnlessZero(r.Received), Description: r.Description, App: r.ClientID != "", Account: account, AccountID: r.AccountID.String(),
		Created: moment(r.CreatedAt), Expires: moment(r.ExpiresAt), Cancelled: moment(r.CancelledAt), Days: s.days(paid), More: older != "",
	}
	if r.Amount.Value > 0 {
		v.Most = money(r.Most)
	}
	return v, err
}

// othersRequest is a request as everybody else sees it. What came in is theirs to know
// only as far as it says what is left to pay.
func (s *Site) othersRequest(c *fiber.Ctx, id uuid.UUID) (views.RequestPay, error) {
	r, err := s.Requests.FindRequest(c.UserContext(), id)
	if err != nil {
		return views.RequestPay{}, err
	}
	v := views.RequestPay{
		ID: r.ID.String(), URL: s.requestURL(r), Name: r.PersonName, State: views.RequestState(r.State), Amount: moneyUnlessZero(r.Amount),
		Description: r.Description, Currency: currencyLabel(r.Asset()), Expires: moment(r.ExpiresAt), SendURL: s.stillAsked(r),
	}
	if r.Amount.Value > 0 {
		v.Received, v.Left = moneyUnlessZero(r.Received), moneyUnlessZero(r.Left())
	}
	return v, nil
}

// allowRequest answers a browser that asks whether a page may query a request.
func (s *Site) allowRequest(c *fiber.Ctx) error {
	allowCORS(c)
	return c.SendStatus(fiber.StatusNoContent)
}
