package connector

import (
	"context"
	"errors"

	"pochi/ilp/packet"
)

// route finds who is next, by the longest prefix of the destination in whole segments: below the receiver's own prefix it is a
// receiver here, unless a peer has a longer one; what has no route goes to the uplink.
func (c *Connector) route(ctx context.Context, t *Transit) packet.Reply {
	next, prefix := c.peers.Load().route(t.Destination)
	own := c.cfg.Receiver.Prefix()
	if t.Destination.HasPrefix(own) && len(prefix) <= len(own) {
		return c.routeHere(ctx, t)
	}
	switch {
	case next == nil, t.Destination.HasPrefix(c.cfg.Address) && prefix == "":
		return c.reject(packet.Unreachable, "This wallet knows no way to the address. Check that it is complete and on this network.")
	case next == t.Peer || t.Peer != nil && next.ID == t.Peer.ID:
		return c.reject(packet.Unreachable, "The way to the address leads back to where the packet came from.")
	case next.Link == nil:
		return c.reject(packet.Unreachable, "The next wallet on the way to the address takes no packets from this one.")
	}
	t.Next, t.To = next, Party{Account: next.Account, Asset: next.Asset, Peer: true}
	return nil
}

// routeHere finds who is paid: it is in the address.
func (c *Connector) routeHere(ctx context.Context, t *Transit) packet.Reply {
	connection, ok := c.cfg.Receiver.Identify(t.Destination)
	if !ok {
		return c.reject(packet.Unreachable, "Nobody is paid at this address. Ask the receiver's payment pointer for a new one.")
	}
	to, reply := c.payee(ctx, connection.Tag)
	if reply == nil {
		t.Connection, t.To = connection, to
	}
	return reply
}

// payee finds who is paid by a connection. A reply says that nobody is.
func (c *Connector) payee(ctx context.Context, tag []byte) (Party, packet.Reply) {
	to, err := c.cfg.Payees.Payee(ctx, tag)
	switch {
	case errors.Is(err, ErrNoPayee):
		return Party{}, c.reject(packet.Unreachable, "The receiver can't be paid here any more.")
	case err != nil:
		return Party{}, c.internal(ctx, "route", err)
	}
	return to, nil
}
