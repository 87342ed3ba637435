package connector

import (
	"context"

	"pochi/ilp"
	"pochi/ilp/packet"
)

// auth finds the account of who sent a packet. The wallet's own links are known because the wallet made them, a peer by its
// token, which the link has checked; it may have been removed since, or not be set everywhere yet. An agreement's is found by the next step.
func (c *Connector) auth(_ context.Context, t *Transit) packet.Reply {
	switch t.Sender.kind {
	case wallet:
		t.From = t.Sender.party
	case peerNode:
		if t.Peer = c.peers.Load().byID[t.Sender.id]; t.Peer == nil {
			return c.reject(packet.InternalError, "This link is being set up or taken down. Try again later.")
		}
		t.From = Party{Account: t.Peer.Account, Asset: t.Peer.Asset, Peer: true}
	case agreement:
		return nil
	}
	if t.From.Account == [16]byte{} || t.From.Asset == (ilp.Asset{}) {
		return c.reject(packet.BadRequest, "This link doesn't belong to an account.")
	}
	return nil
}
