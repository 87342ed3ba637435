package api

import (
	"errors"

	"pochi/app/payments"
	"pochi/app/problem"

	"github.com/google/uuid"
)

// incomingPayment is what an app asked others to pay a person: a payment request.
type incomingPayment struct {
	ID             uuid.UUID `json:"id"`
	URL            string    `json:"url"` // for payers: a page for people, and what wallets pay
	State          string    `json:"state"`
	Description    string    `json:"description,omitempty"`
	IncomingAmount *amount   `json:"incomingAmount,omitempty"` // none: whatever is paid
	ReceivedAmount amount    `json:"receivedAmount"`
	CreatedAt      *string   `json:"createdAt"`
	ExpiresAt      *string   `json:"expiresAt,omitempty"`
}

func (a *API) incomingPaymentOf(r payments.Request) incomingPayment {
	out := incomingPayment{
		ID: r.ID, URL: a.requestsURL + r.ID.String(), State: string(r.State), Description: r.Description,
		ReceivedAmount: amountOf(r.Received), CreatedAt: moment(r.CreatedAt), ExpiresAt: moment(r.ExpiresAt),
	}
	if r.Amount.Value > 0 {
		asked := amountOf(r.Amount)
		out.IncomingAmount = &asked
	}
	return out
}

// asRequested says of a problem which field of the body it is about.
func asRequested(err error) error {
	fields := map[string]string{"account": "accountId", "amount": "incomingAmount", "expires": "expiresAt"}
	var e *problem.Error
	if !errors.As(err, &e) || fields[e.Field] == "" {
		return err
	}
	named := e.Because(err)
	named.Field = fields[e.Field]
	return named
}
