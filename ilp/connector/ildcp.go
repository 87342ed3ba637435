package connector

import (
	"context"
	"encoding/hex"

	"pochi/ilp/ildcp"
	"pochi/ilp/packet"
)

// ildcp answers what is addressed to this node as a peer, and refuses schemes that must not travel from here (RFC
// 15, RFC 34): peer.* ends here always, self.* and local.* go no further than this node's own addresses, and the network
// where money is real doesn't mix with the test networks.
func (c *Connector) ildcp(_ context.Context, t *Transit) packet.Reply {
	to := t.Destination
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
	case !proof.Fulfills(t.Condition):
		return c.reject(packet.InvalidPacket, "The condition must be the peer protocol condition.")
	case t.Destination != ildcp.Destination:
		return c.reject(packet.Unreachable, "This wallet doesn't speak the peer protocol of this address.")
	case t.Amount != 0:
		return c.reject(packet.InvalidAmount, "A peer protocol packet can't carry money.")
	}
	config, err := c.childConfig(t)
	if err != nil {
		return c.reject(packet.InternalError, "This wallet's address leaves no room for another below it.")
	}
	proof.Data = config.Append(nil)
	return proof
}

// childConfig returns what this node calls the one at the other end of the link, and what the link counts.
func (c *Connector) childConfig(t *Transit) (ildcp.Config, error) {
	switch {
	case t.Peer != nil:
		return ildcp.Config{Address: t.Peer.Address, Asset: t.Peer.Asset}, nil
	case t.Authority != nil:
		child, err := c.cfg.Address.Append(hex.EncodeToString(t.From.Reference[:]))
		return ildcp.Config{Address: child, Asset: t.Authority.Asset}, err
	}
	child, err := c.cfg.Address.Append(hex.EncodeToString(t.From.Account[:]))
	return ildcp.Config{Address: child, Asset: t.From.Asset}, err
}
