package server

import (
	"context"

	"pochi/app/peers"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// doubting is a node's money, whose doubts count against what may be in flight
// to a peer from the moment on in which the packet no longer does.
type doubting struct {
	money
	node *node
}

// Release implements connector.Books.
func (b doubting) Release(ctx context.Context, d connector.Delivery, doubt string) error {
	err := b.money.Release(ctx, d, doubt)
	if doubt != "" {
		b.node.countDoubts(d.To.Account)
	}
	return err
}

// countDoubts counts what is in doubt with a peer anew.
func (n *node) countDoubts(peer uuid.UUID) {
	n.doubts.Lock()
	defer n.doubts.Unlock()
	n.connector.SetInDoubt(peer, n.inDoubt(peer))
}

// inDoubt returns what is in doubt with a peer, as it is committed. What isn't
// known is the worst. The caller has n.doubts, so that nothing older is set after
// it.
func (n *node) inDoubt(peer uuid.UUID) uint64 {
	_, amount, err := peers.InDoubt(context.Background(), n.db.Read, peer)
	if err != nil {
		n.log.Error("what is in doubt with a peer isn't known: no money goes to it if it has a limit in flight", "peer", peer, "error", err)
		return ledger.AmountMax
	}
	return amount
}
