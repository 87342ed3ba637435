package connector

import (
	"context"
	"errors"

	"pochi/ilp/packet"
)

// route finds who is paid: below the receiver's prefix it is in the address, and no other way leads anywhere.
func (c *Connector) route(ctx context.Context, t *Transit) packet.Reply {
	if !t.Prepare.Destination.HasPrefix(c.cfg.Receiver.Prefix()) {
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
