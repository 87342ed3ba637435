package connector

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"pochi/ilp/packet"
)

// forward sends a packet on to a peer: its money is set aside before it leaves, and has moved, or is put back, before the answer
// is passed on.
func (c *Connector) forward(ctx context.Context, t *Transit) (step string, reply packet.Reply, err error) {
	if reply := c.shorten(t); reply != nil {
		return "expiry", reply, nil
	}
	if reply, err := c.setAside(ctx, t); reply != nil || err != nil {
		return "account", reply, err
	}
	t.Packet.SetAmount(t.AmountOut)
	reply, doubt := c.uplink(ctx, t)
	reply, err = c.settle(ctx, t, reply, doubt)
	if err == nil && doubt != "" && t.spending() {
		// To the wallet's own sender a reject would mean that it can send the money again, and once more, as often as answers
		// are lost. Other nodes get the reject: the protocol has nothing else.
		err = fmt.Errorf("%w: %s", ErrUnknown, doubt)
		reply = nil
	}
	return "uplink", reply, err
}

// uplink sends the packet and returns the answer that counts. A doubt says why nobody knows whether the peer fulfilled: then the
// answer is a reject, since without a fulfillment in time nothing is owed.
func (c *Connector) uplink(ctx context.Context, t *Transit) (reply packet.Reply, doubt string) {
	reply, err := c.send(ctx, t)
	if err == nil {
		return c.fulfillment(ctx, t, reply)
	}
	var answered interface{ Relay() *packet.Reject }
	if errors.As(err, &answered) {
		return answered.Relay(), err.Error()
	}
	return c.internal(ctx, "uplink", err), err.Error()
}

// send sends the packet. A link that panics has given no answer: what was set aside must not stay so.
func (c *Connector) send(ctx context.Context, t *Transit) (reply packet.Reply, err error) {
	defer func() {
		if value := recover(); value != nil {
			c.cfg.Log.ErrorContext(ctx, "a link panicked", "peer", t.Next.Name, "panic", value, "stack", string(debug.Stack()))
			reply, err = nil, errors.New("the link to the peer broke")
		}
	}()
	reply, err = t.Next.Link.SendPacket(ctx, t.Packet)
	if err == nil && reply == nil {
		err = errors.New("the link gave no answer")
	}
	return reply, err
}
