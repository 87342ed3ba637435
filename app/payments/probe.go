package payments

import (
	"context"
	"errors"
	"fmt"

	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// CanDeliver implements connector.Books: it says before anything is confirmed
// that a delivery would be refused. The hold of a payment of ours is not there
// yet.
func (b *Books) CanDeliver(ctx context.Context, d connector.Delivery) error {
	if d.From.Account == d.To.Account {
		return errOneself()
	}
	if err := b.allows(ctx, d.Authority); err != nil {
		return err
	}
	if !fromPayment(d) {
		err := b.has(ctx, d.From.Account, d.AmountIn, "the sender's")
		if d.From.Peer && errors.Is(err, connector.ErrInsufficient) {
			return fmt.Errorf("%w: %w", connector.ErrCredit, err)
		}
		if err != nil {
			return err
		}
	}
	if d.From.Asset != d.To.Asset {
		if err := b.has(ctx, exchangeAccount(d.To.Asset), d.AmountOut, "the wallet's limit for exchanging into "+d.To.Asset.Code); err != nil {
			return err
		}
	}
	to, err := b.Ledger.Find(ctx, d.To.Account)
	switch {
	case err != nil:
		return fmt.Errorf("find the receiver's account: %w", err)
	case to.Closed && d.To.Peer:
		return fmt.Errorf("%w: the next node was removed", connector.ErrBusy)
	case to.Closed:
		return fmt.Errorf("%w: the receiver's account is closed", connector.ErrRefused)
	}
	return nil
}

// allows refuses what an agreement doesn't let be used now. An interval of which
// nothing was used yet has no account.
func (b *Books) allows(ctx context.Context, a *connector.Authority) error {
	if a == nil {
		return nil
	}
	if err := pass(a); err != nil {
		return err
	}
	left := a.Limit
	switch account, err := b.Ledger.Find(ctx, a.Account); {
	case err == nil:
		account.Limit = min(account.Limit, a.Limit)
		left = account.Available()
	case !errors.Is(err, ledger.ErrAccountUnknown):
		return fmt.Errorf("find an allowance: %w", err)
	}
	if left < a.Amount {
		return fmt.Errorf("%w: %d is left", connector.ErrAllowance, left)
	}
	return nil
}

// has refuses what an account can't be debited.
func (b *Books) has(ctx context.Context, account uuid.UUID, amount uint64, whose string) error {
	a, err := b.Ledger.Find(ctx, account)
	switch {
	case errors.Is(err, ledger.ErrAccountUnknown), err == nil && a.Closed:
		return fmt.Errorf("%w: there is no such account: %s", connector.ErrRefused, whose)
	case err != nil:
		return fmt.Errorf("find an account: %w", err)
	case a.Available() < amount:
		return fmt.Errorf("%w: %s", connector.ErrInsufficient, whose)
	}
	return nil
}
