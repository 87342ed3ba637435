package connector

import (
	"context"

	"pochi/ilp/packet"
)

// throughput bounds the value and the number of packets in flight from and to a peer, and what it sends in a second. What is in
// flight is what could be lost, or waited for, when a peer fails. No other peer, and not all apps together, may have more than half
// of the packets or of the money in flight to one, so that none can shut another off by sending what nobody answers. What is in
// doubt counts as in flight, so that no more than was agreed can be lost to a peer that keeps its answers back. A packet that only
// asks is answered as one that carries money, and takes no room from those that do.
func (c *Connector) throughput(_ context.Context, t *Transit) packet.Reply {
	if p := t.Peer; p != nil {
		switch p.in.begin(t.Amount, t.Amount, &p.Peer, sharer{}) {
		case tooMany:
			return c.reject(packet.RateLimited, "Too many of your packets are in flight. Send fewer at once.")
		case tooMuch:
			return c.reject(packet.InsufficientLiquidity, "Too much of your money is in flight. Send less at once.")
		}
		t.onEnd(func() { p.in.end(t.Amount, sharer{}) })
	}
	if p := t.Next; p != nil {
		carried, by := t.AmountOut, t.sharer()
		if t.Sender.probing() {
			carried = 0
		}
		switch p.out.begin(t.AmountOut, carried, &p.Peer, by) {
		case tooMany:
			return c.reject(packet.ConnectorBusy, "Too many packets are on their way to the next wallet. Try again later.")
		case tooMuch:
			return c.reject(packet.InsufficientLiquidity, "Too much money is on its way to the next wallet. Send less at once.")
		case doubtful:
			return c.reject(packet.InsufficientLiquidity,
				"Answers of the next wallet were lost: what may have arrived there must be settled with it before this much can be sent.")
		}
		t.onEnd(func() { p.out.end(carried, by) })
	}
	if p := t.Peer; p != nil && p.Throughput > 0 && !p.flow.take(t.Amount, p.Throughput, c.cfg.Now()) {
		return c.reject(packet.InsufficientLiquidity, "Too much money in a second. Send less.")
	}
	return nil
}

// sharer is whose share of a next hop's flights a packet takes.
func (t *Transit) sharer() sharer {
	switch {
	case t.Peer != nil:
		return sharer{peer: t.Peer.ID}
	case t.Authority != nil:
		return sharer{apps: true}
	}
	return sharer{}
}
