package server

import (
	"context"

	"pochi/app/payments"

	"github.com/google/uuid"
)

// noMovements stands in until payments are listed by agreement.
type noMovements struct{}

// AgreementMovements implements web.AgreementPayments.
func (noMovements) AgreementMovements(context.Context, uuid.UUID, uuid.UUID, string, int) ([]payments.Movement, string, error) {
	return nil, "", nil
}
