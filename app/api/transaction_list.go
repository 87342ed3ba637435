package api

import (
	"fmt"

	"pochi/app/payments"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// transaction is one line of a person's history.
type transaction struct {
	ID        uuid.UUID    `json:"id"` // a payment within the wallet has the same on both sides
	AccountID uuid.UUID    `json:"accountId"`
	Direction string       `json:"direction"` // in or out
	Amount    amount       `json:"amount"`    // what moved; while pending, and when nothing moved, what was asked
	State     string       `json:"state"`
	With      counterparty `json:"with"`
	PaidTo    string       `json:"paidTo,omitempty"` // in: the person's own payment pointer
	// Of what an app did, and of a payment request that was paid.
	App               string     `json:"app,omitempty"`
	AgreementID       *uuid.UUID `json:"agreementId,omitempty"`
	IncomingPaymentID *uuid.UUID `json:"incomingPaymentId,omitempty"`
	CreatedAt         *string    `json:"createdAt"`
}

// counterparty is the other side. What isn't known is left out.
type counterparty struct {
	Name           string `json:"name,omitempty"`
	PaymentPointer string `json:"paymentPointer,omitempty"`
}

// listTransactions answers GET /api/transactions, the newest first.
func (a *API) listTransactions(c *fiber.Ctx, by caller) error {
	return listed(c, "transactions", func(p page) (rows []payments.Movement, next string, err error) {
		filter := payments.Filter{UserID: by.person.ID, Before: p.before, Limit: p.limit}
		if text, there := p.filters["account"]; there {
			if filter.AccountID, err = a.accountOf(c, by, text); err != nil {
				return nil, "", err
			}
		}
		return a.history.History(c.UserContext(), filter)
	}, a.transactionOf, "account")
}

// accountOf returns the id of an account of the person's, also of one that is
// closed.
func (a *API) accountOf(c *fiber.Ctx, by caller, text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil || id.String() != text {
		return uuid.Nil, malformed("account", "account must be the id of an account.")
	}
	if _, err := a.accounts.FindAny(c.UserContext(), by.person.ID, id); err != nil {
		return uuid.Nil, fmt.Errorf("find the account: %w", err)
	}
	return id, nil
}

func (a *API) transactionOf(m payments.Movement) transaction {
	t := transaction{
		ID: m.ID, AccountID: m.AccountID, Direction: "out", Amount: amountOf(m.Amount), State: stateOf(m.State, m.Partly),
		With: counterparty{Name: m.Who, PaymentPointer: m.Pointer}, CreatedAt: moment(m.At),
		App: m.App, AgreementID: optional(m.AgreementID), IncomingPaymentID: optional(m.RequestID),
	}
	if !m.In {
		return t
	}
	t.Direction = "in"
	if m.Pointer != "" {
		t.With.PaymentPointer = a.pointer(m.Pointer)
	}
	if m.Paid != "" {
		t.PaidTo = a.pointer(m.Paid)
	}
	return t
}

// optional is an id, nil for none.
func optional(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// stateOf is where a payment stands: what isn't final is pending, whatever it
// waits for.
func stateOf(state payments.State, partly bool) string {
	switch {
	case !state.Ended():
		return "pending"
	case partly:
		return "partial"
	case state == payments.Failed:
		return "failed"
	}
	return "delivered"
}
