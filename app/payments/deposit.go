package payments

import (
	"context"
	"errors"
	"fmt"

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
		return problem.Field("amount", "Add at most %s at once.", limit)
	}
	id := uuid.Must(uuid.NewV7())
	transfer := ledger.Transfer{
		ID: id, Debit: ledger.HouseAccount(account.Asset(), ledger.CodeEquity), Credit: account.ID,
		Amount: amount.Value, Code: CodeDeposit, Reference: id,
	}
	err = s.Ledger.Submit(ctx, ledger.Chain{transfer}, func(tx db.Tx) error {
		now := s.Clock.Now().UnixMicro()
		_, err := tx.ExecContext(ctx, `INSERT INTO incoming_payments
			(id, user_id, account_id, pointer_id, sender, sender_name, received_amount, packets, created_at, updated_at)
			VALUES (?, ?, ?, NULL, '', ?, ?, 0, ?, ?)`,
			id[:], userID[:], account.ID[:], DepositName, amount.Value, now, now)
		return err
	})
	if errors.Is(err, ledger.ErrOverflow) {
		return problem.Field("amount", "%s", ledger.ErrAmountTooLarge.Error()).Because(err)
	}
	return err
}
