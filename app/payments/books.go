package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Why a transfer was posted, in Transfer.Code.
const (
	CodePayment  uint16 = 1 // a packet of a payment
	CodeExchange uint16 = 2 // the second leg of a packet that crossed currencies
	CodeDeposit  uint16 = 3 // test money
)

// Books moves the money of delivered packets: it implements connector.Books
// and connector.Payees on the ledger.
type Books struct {
	DB       *db.DB
	Ledger   Ledger
	Accounts Accounts
	Now      func() time.Time
}

// Payee implements connector.Payees: whom a connection with this tag pays. The
// party's reference is the pointer that is paid.
func (b Books) Payee(ctx context.Context, tag []byte) (connector.Party, error) {
	pointerID, ok := parseTag(tag)
	if !ok {
		return connector.Party{}, connector.ErrNoPayee
	}
	payee, err := b.Accounts.PayeeByID(ctx, pointerID)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return connector.Party{}, fmt.Errorf("%w: %w", connector.ErrNoPayee, err)
	case err != nil:
		return connector.Party{}, err
	}
	return connector.Party{Account: payee.AccountID, Asset: ilp.Asset(payee.Asset), Reference: pointerID}, nil
}

// Deliver implements connector.Books: one chain draws on the payer's hold and
// pays the payee, through the exchange accounts when the currencies differ,
// and both payments' rows commit with it.
func (b Books) Deliver(ctx context.Context, d connector.Delivery) error {
	if d.From.Account == d.To.Account {
		return fmt.Errorf("%w: it would pay the account it comes from", connector.ErrRefused)
	}
	chain, err := deliveryChain(d)
	if err != nil {
		return err
	}
	err = b.Ledger.Submit(ctx, chain, func(tx db.Tx) error { return b.deliveryRows(ctx, tx, d) })
	return refusal(err)
}

// CanDeliver implements connector.Books: it says before anything is confirmed
// that a delivery would be refused. The payer's hold is not there yet.
func (b Books) CanDeliver(ctx context.Context, d connector.Delivery) error {
	if d.From.Account == d.To.Account {
		return fmt.Errorf("%w: it would pay the account it comes from", connector.ErrRefused)
	}
	if d.From.Asset == d.To.Asset {
		return nil
	}
	exchange, err := ledger.Find(ctx, b.DB.Read, exchangeAccount(d.To.Asset))
	if err != nil {
		return fmt.Errorf("find the exchange account of %s: %w", d.To.Asset, err)
	}
	if exchange.Available() < d.AmountOut {
		return fmt.Errorf("%w: the wallet's limit for exchanging into %s", connector.ErrInsufficient, d.To.Asset)
	}
	return nil
}

// Take implements connector.Books.
func (b Books) Take(context.Context, connector.Delivery) error { return connector.ErrRefused }

// Post implements connector.Books.
func (b Books) Post(context.Context, connector.Delivery) error { return connector.ErrRefused }

// Release implements connector.Books.
func (b Books) Release(context.Context, connector.Delivery, string) error {
	return connector.ErrRefused
}

func deliveryChain(d connector.Delivery) (ledger.Chain, error) {
	draw := ledger.Draw{
		Reference: d.From.Reference, Debit: d.From.Account, Credit: outgoingAccount(d.From.Asset),
		To: d.To.Account, Amount: d.AmountIn, Code: CodePayment,
	}
	var err error
	if draw.ID, err = uuid.NewV7(); err != nil {
		return nil, err
	}
	if d.From.Asset == d.To.Asset {
		if d.AmountIn != d.AmountOut {
			return nil, fmt.Errorf("%d of %s became %d", d.AmountIn, d.From.Asset, d.AmountOut)
		}
		return ledger.Chain{draw}, nil
	}
	draw.To = exchangeAccount(d.From.Asset)
	second := ledger.Transfer{
		Debit: exchangeAccount(d.To.Asset), Credit: d.To.Account, Amount: d.AmountOut,
		Code: CodeExchange, Reference: d.From.Reference,
	}
	if second.ID, err = uuid.NewV7(); err != nil {
		return nil, err
	}
	return ledger.Chain{draw, second}, nil
}

// deliveryRows adds a packet to the payment on both sides. The payer's must
// still be sending, in the currency that was quoted: a pointer may have come
// to pay another account since.
func (b Books) deliveryRows(ctx context.Context, tx db.Tx, d connector.Delivery) error {
	var sender, senderName string
	err := tx.QueryRowContext(ctx, `UPDATE outgoing_payments
		SET sent_amount = sent_amount + ?, delivered_amount = delivered_amount + ?
		WHERE id = ? AND state = 'sending' AND receive_code = ? AND receive_scale = ?
		RETURNING coalesce((SELECT name FROM pointers WHERE user_id = outgoing_payments.user_id ORDER BY account_id <> outgoing_payments.account_id, id LIMIT 1), ''),
		(SELECT name FROM users WHERE id = outgoing_payments.user_id)`,
		d.AmountIn, d.AmountOut, d.From.Reference[:], d.To.Asset.Code, d.To.Asset.Scale).Scan(&sender, &senderName)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: the payment has ended, or its receiver's currency changed", connector.ErrRefused)
	case err != nil:
		return fmt.Errorf("write the outgoing payment: %w", err)
	}
	now := b.Now().UnixMicro()
	res, err := tx.ExecContext(ctx, `INSERT INTO incoming_payments
		(id, user_id, account_id, pointer_id, sender, sender_name, received_amount, packets, created_at, updated_at)
		SELECT ?, w.user_id, w.id, ?, ?, ?, ?, 1, ?, ? FROM wallet_accounts w WHERE w.id = ?
		ON CONFLICT (id) DO UPDATE SET received_amount = received_amount + excluded.received_amount,
		packets = packets + 1, updated_at = excluded.updated_at WHERE account_id = excluded.account_id`,
		d.From.Reference[:], d.To.Reference[:], sender, senderName, d.AmountOut, now, now, d.To.Account[:])
	if err != nil {
		return fmt.Errorf("write the incoming payment: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 { // the pointer pays another account since the last packet
		return errors.Join(fmt.Errorf("%w: the receiving account changed", connector.ErrRefused), err)
	}
	return nil
}

// refusal says a ledger's no in the connector's words. The payer's money is
// held, so a limit that is met is the wallet's own exchange account's.
func refusal(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ledger.ErrInsufficient), errors.Is(err, ledger.ErrOverflow):
		return fmt.Errorf("%w: %w", connector.ErrInsufficient, err)
	case errors.Is(err, db.ErrStopped):
		return fmt.Errorf("%w: %w", connector.ErrUnknown, err)
	case errors.Is(err, ledger.ErrHoldExceeded), errors.Is(err, ledger.ErrHoldUnknown),
		errors.Is(err, ledger.ErrAccountClosed), errors.Is(err, ledger.ErrAmount):
		return fmt.Errorf("%w: %w", connector.ErrRefused, err)
	}
	return err
}

func outgoingAccount(a ilp.Asset) uuid.UUID {
	return ledger.HouseAccount(ledger.Asset(a), ledger.CodeOutgoing)
}

func exchangeAccount(a ilp.Asset) uuid.UUID {
	return ledger.HouseAccount(ledger.Asset(a), ledger.CodeExchange)
}
