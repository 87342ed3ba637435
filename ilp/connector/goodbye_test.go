package connector_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// A goodbye is a packet like others: each node on its way takes time off. It must get across several, so that receivers who
// remember their connections can forget them.
func TestGoodbyeReachesPeers(t *testing.T) {
	n := newNode(t)
	var hops []time.Duration // what was left when a packet reached the next node
	if err := n.SetPeers([]connector.Peer{{
		ID: shop, Name: "shop", Address: "test.shop", Account: shop, Asset: usd,
		Link: peerLink(func(_ context.Context, p *packet.PrepareView) (packet.Reply, error) {
			hops = append(hops, p.ExpiresAt().Sub(n.Now()))
			return packet.NewReject(packet.ApplicationError, "test.shop", ""), nil
		}),
	}}); err != nil {
		t.Fatal(err)
	}
	s := stream.NewSender(stream.SenderConfig{
		Link: n.Link(fromAnn()), Destination: "test.shop.till", Secret: [32]byte{1}, Clock: n, Random: rand.Reader,
	})
	s.Close(context.Background())
	// That one takes a second off as well, and may have to send it on to another.
	if len(hops) != 1 || hops[0] < 3*time.Second {
		t.Errorf("the next node got %d goodbyes, with %v left", len(hops), hops)
	}
}
