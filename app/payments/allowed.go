package payments

import (
	"context"
	"errors"
	"fmt"

	"pochi/db"
	"pochi/ilp/connector"
	"pochi/ledger"
)

// guarded begins a packet only if it is of an agreement that still allows it: asked
// where nothing can come between the answer and the money.
func (b *Books) guarded(ctx context.Context, d connector.Delivery, unit db.Unit) db.Unit {
	if d.Authority == nil {
		return unit
	}
	apply := unit.Apply
	unit.Apply = func(tx db.Tx) (func(), error) {
		if _, err := b.streams.owner(ctx, tx, ownedBy(d)); err != nil {
			return nil, err
		}
		if err := pass(d.Authority); err != nil {
			return nil, err
		}
		return apply(tx)
	}
	return unit
}

// pass asks an allowance's guard.
func pass(a *connector.Authority) error {
	if a.Guard == nil {
		return nil
	}
	err := a.Guard()
	if errors.Is(err, connector.ErrRefused) {
		return fmt.Errorf("%w: %w", connector.ErrDisallowed, err)
	}
	return err
}

// applyMoved applies the chain with which a packet's money moves for good, and adds
// the packet to its agreement's line if it has one.
func (b *Books) applyMoved(ctx context.Context, tx db.Tx, d connector.Delivery, chain ledger.Chain) (undo func(), err error) {
	undoChain, err := b.Ledger.Apply(tx, chain)
	if err != nil || d.Authority == nil {
		return undoChain, err
	}
	undoLine, err := b.streams.add(ctx, tx, d, b.Now())
	if err != nil {
		undoChain()
		return nil, err
	}
	return func() { undoLine(); undoChain() }, nil
}

// postUsed posts a packet of an agreement.
func (b *Books) postUsed(ctx context.Context, d connector.Delivery) error {
	chain, err := moves(d, leg.post)
	if err != nil {
		return fmt.Errorf("%w: %w", connector.ErrUnknown, err)
	}
	err = b.repeated(ctx, d, db.Unit{Apply: func(tx db.Tx) (func(), error) { return b.applyMoved(ctx, tx, d, chain) }})
	b.spent(d, err)
	return err
}

// spent tells the agreements that one was used.
func (b *Books) spent(d connector.Delivery, err error) {
	if d.Authority != nil && err == nil {
		b.Spent(d.From.Reference)
	}
}
