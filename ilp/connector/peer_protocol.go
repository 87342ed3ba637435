package connector

import (
	"context"
	"encoding/hex"

	"pochi/ilp/ildcp"
	"pochi/ilp/packet"
)

// peerProtocol answers what is addressed to this node as a peer, and refuses schemes that must not travel from here (RFC
// 15, RFC 34): peer.* ends here always, self.* and local.* go no further than this node's own addresses, and the network
// where money is real doesn't mix with the test networks.
func (c *Connector) peerProtocol(_ context.Context, t *Transit) packet.Reply {
	to := t.Prepare.Destination
	switch scheme := to.Scheme(); {
	case scheme == "peer":
		return c.answerPeer(t)
	case (scheme == "self" || scheme == "local") && !to.HasPrefix(c.cfg.Address):
		return c.reject(packet.Unreachable, "Addresses that begin with "+scheme+". are not reachable from outside their own system.")
	case c.cfg.Address.Live() && to.Test():
		return c.reject(packet.Unreachable, "This wallet is on the live network and can't pay test addresses.")
	case c.cfg.Address.Test() && to.Live():
		return c.reject(packet.Unreachable, "This wallet is on a test network and can't pay live addresses.")
	}
	return nil
}

// answerPeer answers peer.* packets: ILDCP is the only protocol spoken (RFC 31).
func (c *Connector) answerPeer(t *Transit) packet.Reply {
	proof := &packet.Fulfill{} // 32 zero bytes, in all peer protocols
	switch {
	case !proof.Fulfills(t.Prepare.Condition):
		return c.reject(packet.InvalidPacket, "The condition must be the peer protocol condition.")
	case t.Prepare.Destination != ildcp.Destination:
		return c.reject(packet.Unreachable, "This wallet doesn't speak the peer protocol of this address.")
	case t.Prepare.Amount != 0:
		return c.reject(packet.InvalidAmount, "A peer protocol packet can't carry money.")
	}
	child, err := c.cfg.Address.Append(hex.EncodeToString(t.From.Account[:]))
	if err != nil {
		return c.reject(packet.InternalError, "This wallet's address leaves no room for another below it.")
	}
	proof.Data = ildcp.Config{Address: child, Asset: t.From.Asset}.Append(nil)
	return proof
}
