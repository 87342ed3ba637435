package connector_test

import (
	"context"
	"testing"

	"pochi/ilp/connector"
	"pochi/ilp/packet"
)

// A quote's probes leave the value that may be in flight to a peer to packets that carry some.
func TestProbesTakeNoValueInFlight(t *testing.T) {
	block, entered := make(chan struct{}), make(chan struct{}, 1)
	n := newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
		if p.Condition() == [32]byte{1} {
			entered <- struct{}{}
			<-block
			return packet.NewReject(packet.ApplicationError, "test.shop", ""), nil
		}
		return fulfills(ctx, p)
	}, func(_, shop *connector.Peer) { shop.MaxInFlightValue = 1000 })
	probe, _ := packet.ViewPrepare(n.toShop(t, 1000))
	pr := probe.Prepare()
	pr.Condition = [32]byte{1}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = n.Link(connector.FromWallet(ann, usd, [16]byte{})).SendPacket(context.Background(), pr) // a quote, of somebody with no money
	}()
	<-entered
	reply := n.fromHub(t, n.toShop(t, 500))
	if j, ok := reply.(*packet.Reject); ok {
		t.Errorf("real money is refused because somebody asks for a quote: %v", j)
	}
	close(block)
	<-done
}
