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

// SendPacket implements stream.Link.
func (l link) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	return l.SendMoney(ctx, p, 0)
}

// SendMoney implements stream.MinimumLink: the books write down what arrives at least.
func (l link) SendMoney(ctx context.Context, p packet.Prepare, minimum uint64) (packet.Reply, error) {
	wire, err := p.Append(make([]byte, 0, 128+len(p.Destination)+len(p.Data)))
	if err != nil {
		return l.connector.reject(packet.InvalidPacket, err.Error()), nil
	}
	view, err := packet.ViewPrepare(wire)
	if err != nil {
		return l.connector.reject(packet.InvalidPacket, err.Error()), nil
	}
	reply, err := l.connector.handle(ctx, &Transit{Sender: l.from, Packet: &view, Minimum: minimum})
	if v, ok := reply.(*packet.ReplyView); ok {
		return v.Reply(), err
	}
	return reply, err
}
