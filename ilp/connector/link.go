package connector

import (
	"context"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// Link returns the link of one sender, for a stream.Sender to pay over: in process. Its errors are those of Handle.
func (c *Connector) Link(from Sender) stream.Link { return link{c, from} }

type link struct {
	connector *Connector
	from      Sender
}

func (l link) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	return l.connector.Handle(ctx, l.from, p)
}
