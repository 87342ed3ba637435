package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// OpeningName is who an opening balance comes from, in the history.
const OpeningName = "Opening balance"

// Opener prepares a new person's first account and payment pointer.
type Opener interface {
	Opening(ctx context.Context, userID uuid.UUID, currency, pointer string) (ledger.Chain, func(db.Tx) error, error)
}

// Opening is an Opener whose accounts begin with a balance, from the house's
// equity: account and balance are committed together.
type Opening struct {
	Opener
	DB      *db.DB
	Balance uint64 // smallest units; 0 for none
	Now     func() time.Time
}

// Opening implements Opener. Its errors are the Opener's, or problem.Errors
// with the field balance.
func (o Opening) Opening(ctx context.Context, userID uuid.UUID, currency, pointer string) (ledger.Chain, func(db.Tx) error, error) {
	chain, rows, err := o.Opener.Opening(ctx, userID, currency, pointer)
	if o.Balance > ledger.AmountMax {
		var errs problem.Errors
		errors.As(err, &errs)
		return nil, nil, append(errs, problem.Field("balance", "%s", ledger.ErrAmountTooLarge.Error()))
	}
	if err != nil || o.Balance == 0 {
		return chain, rows, err
	}
	account, ok := chain[0].(ledger.OpenAccount)
	if !ok {
		return nil, nil, fmt.Errorf("an account was to be opened, not %T", chain[0])
	}
	amount := ledger.Amount{Value: o.Balance}
	err = o.DB.Read.QueryRowContext(ctx, "SELECT code, scale FROM assets WHERE ledger = ?", account.Ledger).
		Scan(&amount.Asset.Code, &amount.Asset.Scale)
	if err != nil {
		return nil, nil, fmt.Errorf("find the asset of ledger %d: %w", account.Ledger, err)
	}
	d := newDeposit(userID, account.ID, amount, OpeningName)
	return append(chain, d.transfer()), func(tx db.Tx) error {
		if err := rows(tx); err != nil {
			return err
		}
		return d.insert(ctx, tx, o.Now())
	}, nil
}
