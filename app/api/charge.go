package api

import (
	"pochi/app/payments"

	"github.com/google/uuid"
)

// chargeJSON is a payment that the wallet made, or makes, for an app. Debit, spent
// and returned amounts are in the agreement's asset, the others in the receiver's.
type chargeJSON struct {
	ID              uuid.UUID `json:"id"`
	AgreementID     uuid.UUID `json:"agreementId"`
	State           string    `json:"state"`
	Reason          string    `json:"reason,omitempty"`
	Receiver        string    `json:"receiver"`
	Description     string    `json:"description,omitempty"`
	DebitAmount     amount    `json:"debitAmount"` // what was reserved of the agreement
	SpentAmount     amount    `json:"spentAmount"` // what of that is used
	ReturnedAmount  amount    `json:"returnedAmount"`
	ReceiveAmount   amount    `json:"receiveAmount"` // what was to arrive
	DeliveredAmount amount    `json:"deliveredAmount"`
	CreatedAt       *string   `json:"createdAt"`
	EndedAt         *string   `json:"endedAt,omitempty"`
}

func chargeOf(c payments.Charge) chargeJSON {
	return chargeJSON{
		ID: c.ID, AgreementID: c.AgreementID, State: stateOf(c.State, c.Partial), Reason: c.Reason, Receiver: c.Receiver, Description: c.Description,
		DebitAmount: amountOf(c.Reserved), SpentAmount: amountOf(c.Spent), ReturnedAmount: amountOf(c.Returned),
		ReceiveAmount: amountOf(c.Receive), DeliveredAmount: amountOf(c.Delivered),
		CreatedAt: moment(c.CreatedAt), EndedAt: moment(c.EndedAt),
	}
}
