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

// DepositMax bounds one deposit of test money, in whole units of the currency.
const DepositMax = 1_000_000

// DepositName is who test money comes from, in the history.
const DepositName = "Test money"

// Deposit adds test money, from the house's equity, to an account of the
// person. Errors are problems with the fields account and amount.
func (s *Service) Deposit(ctx context.Context, userID, accountID uuid.UUID, text string) error {
	account, err := s.ownAccount(ctx, userID, accountID)
	if err != nil {
		return err
	}
	amount, err := parseAmount(text, account.Asset())
	if err != nil {
		return err
	}
	limit, err := ledger.ParseAmount(fmt.Sprint(DepositMax), account.Asset())
	if err != nil {
		return err
	}
	if amount.Value > limit.Value {
		return problem.Field("amount", "Add at most %s at once.", limit.Whole())
	}
	d := newDeposit(userID, account.ID, amount, DepositName)
	err = s.Ledger.Submit(ctx, ledger.Chain{d.transfer()}, func(tx db.Tx) error { return d.insert(ctx, tx, s.Clock.Now()) })
	if errors.Is(err, ledger.ErrOverflow) {
		return problem.Field("amount", "%s", ledger.ErrAmountTooLarge.Error()).Because(err)
	}
	return err
}

// deposit is money from the house's equity for a person's account.
type deposit struct {
	id, user, account uuid.UUID
	amount            ledger.Amount
	from              string // in the history
}

func newDeposit(userID, accountID uuid.UUID, amount ledger.Amount, from string) deposit {
	return deposit{uuid.Must(uuid.NewV7()), userID, accountID, amount, from}
}

func (d deposit) transfer() ledger.Transfer {
	return ledger.Transfer{
		ID: d.id, Debit: ledger.HouseAccount(d.amount.Asset, ledger.CodeEquity), Credit: d.account,
		Amount: d.amount.Value, Code: CodeDeposit, Reference: d.id,
	}
}

func (d deposit) insert(ctx context.Context, tx db.Tx, now time.Time) error {
	at := now.UnixMicro()
	_, err := tx.ExecContext(ctx, `INSERT INTO incoming_payments
		(id, user_id, account_id, pointer_id, sender, sender_name, received_amount, packets, created_at, updated_at)
		VALUES (?, ?, ?, NULL, '', ?, ?, 0, ?, ?)`,
		d.id[:], d.user[:], d.account[:], d.from, d.amount.Value, at, at)
	return err
}
