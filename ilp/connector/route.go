package connector

import (
	"context"
	"errors"

	"pochi/ilp/packet"
)

// hop is where a route leads.
type hop uint8

// toReceiver leads to the STREAM receiver of this node.
const toReceiver hop = 1

// route finds who is paid: the longest prefix decides, and below the receiver's the connection in the address.
func (c *Connector) route(ctx context.Context, t *Transit) packet.Reply {
	if _, ok := c.routes.Lookup(t.Prepare.Destination); !ok {
		return c.reject(packet.Unreachable, "This wallet knows no way to the address. Check that it is complete and on this network.")
	}
	connection, ok := c.cfg.Receiver.Identify(t.Prepare.Destination)
	if !ok {
		return c.reject(packet.Unreachable, "Nobody is paid at this address. Ask the receiver's payment pointer for a new one.")
	}
	to, err := c.cfg.Payees.Payee(ctx, connection.Tag)
	switch {
	case errors.Is(err, ErrNoPayee):
		return c.reject(packet.Unreachable, "The receiver can't be paid here any more.")
	case err != nil:
		return c.internal(ctx, "route", err)
	}
	t.Connection, t.To = connection, to
	return nil
}
