package payments

import (
	"context"
	"errors"
	"fmt"

	"pochi/ilp/connector"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

// The cap of a request is an account with its id, on the ledger of authority of its
// asset. Whatever chain pays the request debits it by what arrives: so however many
// pay at once, or again, the ledger sees to it that no more is taken than the limit.

// slackPart is which part of an amount is taken beyond it, and a unit at least: a
// payment across currencies can't always be had to the unit, and whatever came short
// of the amount would keep the request open for ever.
const slackPart = 100

// capOf returns the most that a request for an amount takes.
func capOf(amount uint64) uint64 {
	if amount == 0 {
		return ledger.AmountMax
	}
	return amount + min(max(amount/slackPart, 1), ledger.AmountMax-amount)
}

// capAccount opens the cap of a new request on its ledger of authority.
func capAccount(request uuid.UUID, number uint32, amount uint64) ledger.OpenAccount {
	return ledger.OpenAccount{ID: request, Ledger: number, Code: ledger.CodeCap, Limit: capOf(amount)}
}

// capLegs are the leg with which a packet uses the cap of the request that it pays,
// none if it pays none.
func capLegs(d connector.Delivery) []leg {
	if uuid.UUID(d.To.Request) == uuid.Nil {
		return nil
	}
	capped := ledger.HouseAccount(ledger.Asset(d.To.Asset).Authority(), ledger.CodeUsed)
	return []leg{{reference: referenceOf(d), debit: d.To.Request, via: capped, to: capped, amount: d.AmountOut, code: CodeCapped}}
}

// full tells a request that takes less than a packet brings from an account that has
// too little.
func full(d connector.Delivery, err error) error {
	var refused *ledger.Error
	if uuid.UUID(d.To.Request) == uuid.Nil || !errors.As(err, &refused) || !errors.Is(refused.Err, ledger.ErrInsufficient) {
		return err
	}
	if c, ok := refused.Command.(ledger.Packet); ok && c.Debit == d.To.Request {
		return fmt.Errorf("%w: %w", connector.ErrFull, err)
	}
	return err
}

// limitOf returns what a request takes over a connection. Others may pay it at the
// same time: so it may become less. Once it has what it asked for, only those who have
// begun to pay can take what is left of the slack. A request that was cancelled or has
// expired pays nobody.
func (b *Books) limitOf(ctx context.Context, request, connection uuid.UUID, f fact) (*stream.Limit, error) {
	if over(f.expires, b.Now()) {
		return nil, fmt.Errorf("request %s has expired: %w", request, connector.ErrNoPayee)
	}
	var limit, received, here uint64
	err := b.DB.Read.QueryRowContext(ctx, `SELECT debit_limit, debits_posted,
		coalesce((SELECT received_amount FROM incoming_payments WHERE id = ?2), 0) FROM accounts WHERE id = ?1`,
		request[:], connection[:]).Scan(&limit, &received, &here)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look up the cap of request %s: %w", request, err)
	case limit == 0:
		return nil, fmt.Errorf("request %s was cancelled: %w", request, connector.ErrNoPayee)
	case here == 0 && f.asked > 0 && received >= f.asked:
		return new(stream.Limit), nil
	}
	return &stream.Limit{Most: here + limit - min(limit, received), Received: here}, nil
}

// orNull is an id as the database has it, NULL for none.
func orNull(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id[:]
}
