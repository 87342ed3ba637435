package peers

import (
	"context"
	"errors"
	"fmt"

	"pochi/app/problem"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Why a transfer was posted, in Transfer.Code; those of package payments are
// below.
const (
	CodePaid     uint16 = 64 // we paid a peer outside of the Interledger
	CodeReceived uint16 = 65 // a peer paid us
	CodeClaimed  uint16 = 66 // a peer had fulfilled packets whose answers were lost
)

// Settlement is a payment outside of the Interledger, in units of the peer's
// asset. One of Paid and Received is 0.
type Settlement struct {
	ID       uuid.UUID `json:"id"` // UUIDv7; the same again is the same settlement
	Paid     uint64    `json:"paid,omitempty"`
	Received uint64    `json:"received,omitempty"`
}

// Settle counts money that moved outside of the Interledger: what we paid, the
// peer is owed less; what it paid, it owes less. A settlement that was counted
// before is repeated: nothing is done. Errors: problem.NotFound;
// problem.Invalid; problem.Conflict when its credit limit doesn't allow it, or
// when another transfer has the id.
func (s *Service) Settle(ctx context.Context, name string, in Settlement) (now Standing, repeated bool, err error) {
	_, p, err := s.named(ctx, name)
	if err != nil {
		return Standing{}, false, err
	}
	transfer, err := settlement(p, in)
	if err != nil {
		return Standing{}, false, err
	}
	err = s.Ledger.Submit(ctx, ledger.Chain{transfer}, nil)
	switch {
	case errors.Is(err, ledger.ErrExists):
		repeated = true
	case err != nil:
		return Standing{}, false, s.unsettled(ctx, p, transfer, err)
	}
	now, err = s.find(ctx, p.ID)
	return now, repeated, err
}

func settlement(p Peer, in Settlement) (ledger.Transfer, error) {
	if (in.Paid == 0) == (in.Received == 0) {
		return ledger.Transfer{}, problem.New(problem.Invalid, "Say either what was paid or what was received, and more than 0.")
	}
	equity := ledger.HouseAccount(p.Asset, ledger.CodeEquity)
	t := ledger.Transfer{ID: in.ID, Debit: p.ID, Credit: equity, Amount: in.Paid, Code: CodePaid, Reference: in.ID}
	if in.Received > 0 {
		t.Debit, t.Credit, t.Amount, t.Code = equity, p.ID, in.Received, CodeReceived
	}
	return t, nil
}

// unsettled says why a settlement wasn't counted.
func (s *Service) unsettled(ctx context.Context, p Peer, t ledger.Transfer, cause error) error {
	switch {
	case errors.Is(cause, ledger.ErrInsufficient) && t.Code == CodePaid:
		now, err := s.find(ctx, p.ID)
		if err != nil {
			return err
		}
		amount := func(units uint64) ledger.Amount { return ledger.Amount{Value: units, Asset: p.Asset} }
		return problem.New(problem.Conflict, "%s was too much to pay: %s is owed %s, and may itself owe no more than %s (--credit-limit).",
			amount(t.Amount), p.Name, amount(now.OwedToPeer), amount(now.CreditLimit)).Because(cause)
	case errors.Is(cause, ledger.ErrAmount), errors.Is(cause, ledger.ErrOverflow), errors.Is(cause, ledger.ErrInsufficient):
		return problem.New(problem.Invalid, "%d is more than an amount can be.", t.Amount).Because(cause)
	case errors.Is(cause, ledger.ErrID):
		return problem.Field("id", "%s is no UUIDv7, or of a time to come.", t.ID).Because(cause)
	case errors.Is(cause, ledger.ErrExistsDifferent):
		return problem.New(problem.Conflict, "Another settlement, or another transfer, has the id %s.", t.ID).Because(cause)
	case errors.Is(cause, ledger.ErrAccountClosed):
		return errUnknown(p.Name)
	}
	return fmt.Errorf("settle with peer %s: %w", p.Name, cause)
}
