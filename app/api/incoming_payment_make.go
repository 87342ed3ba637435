package api

import (
	"fmt"
	"time"

	"pochi/app/payments"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// makeIncomingPayment answers POST /api/incoming-payments.
func (a *API) makeIncomingPayment(c *fiber.Ctx, by caller) error {
	terms, err := requestOf(c)
	if err != nil {
		return err
	}
	terms.UserID, terms.ClientID = by.person.ID, by.ClientID
	made, err := a.requests.CreateRequest(c.UserContext(), terms)
	if err != nil {
		return fmt.Errorf("request a payment: %w", asRequested(err))
	}
	c.Set(fiber.HeaderLocation, Prefix+"/incoming-payments/"+made.ID.String())
	return c.Status(fiber.StatusCreated).JSON(a.incomingPaymentOf(made))
}

// requestOf reads the body: all of it may be left out.
func requestOf(c *fiber.Ctx) (terms payments.RequestTerms, err error) {
	body, err := bodyOf(c)
	if err != nil {
		return terms, err
	}
	b, err := parseObject(body)
	if err != nil {
		return terms, err
	}
	if b.has("accountId") {
		terms.AccountID = b.id("accountId")
	}
	if b.has("incomingAmount") {
		terms.Amount = b.amount("incomingAmount")
	}
	if b.has("description") {
		terms.Description = b.text("description")
	}
	if b.has("expiresAt") {
		terms.ExpiresAt = b.moment("expiresAt")
	}
	return terms, b.end()
}

// id returns an id that must be there.
func (o *object) id(name string) uuid.UUID {
	text := o.text(name)
	id, err := uuid.Parse(text)
	if err != nil || id.String() != text {
		o.fail(malformed(o.path+name, fmt.Sprintf("%s must be an id.", o.path+name)))
	}
	return id
}

// moment returns a time that must be there (RFC 3339).
func (o *object) moment(name string) time.Time {
	at, err := time.Parse(time.RFC3339, o.text(name))
	if err != nil {
		o.fail(malformed(o.path+name, fmt.Sprintf("%s must be a moment such as 2026-01-31T12:00:00Z.", o.path+name)))
	}
	return at.UTC()
}
