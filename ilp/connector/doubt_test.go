package connector_test

import (
	"context"
	"strings"
	"testing"

	"pochi/ilp/connector"
	"pochi/ilp/packet"
)

// Hazard 19: what may have arrived at a peer though the answer was lost counts as in flight to it, until that is settled.
func TestInDoubt(t *testing.T) {
	begun, finish := make(chan struct{}, 1), make(chan struct{})
	var peers []connector.Peer
	n := newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
		if p.Amount() == 500 {
			begun <- struct{}{}
			<-finish
		}
		return fulfills(ctx, p)
	}, func(hub, shop *connector.Peer) {
		hub.MaxInFlightValue, shop.MaxInFlightValue, shop.InDoubt, shop.Asset = 1000, 2000, 1100, usd // half of 2000 is the hub's
		peers = []connector.Peer{*hub, *shop}
	})
	sent := 0
	want := func(amount uint64, says string) {
		t.Helper()
		sent++
		reply := n.fromHub(t, n.numbered(t, amount, sent))
		j, rejected := reply.(*packet.Reject)
		if rejected != (says != "") || rejected && (j.Code != packet.InsufficientLiquidity || !strings.Contains(j.Message, says)) {
			t.Errorf("%d: %v, want %q", amount, reply, says)
		}
	}
	const settle = "must be settled"
	want(900, "")
	want(901, settle)
	ended := make(chan packet.Reply)
	go func() { ended <- n.fromHub(t, n.toShop(t, 500)) }()
	<-begun
	want(400, "")
	want(401, settle)
	want(501, "in flight") // the hub's own limit
	n.SetInDoubt(shop, 1500)
	want(1, settle)
	want(0, "")
	close(finish)
	if reply := <-ended; reply.Type() != packet.TypeFulfill {
		t.Errorf("what was under way: %v", reply)
	}
	n.SetInDoubt(shop, 2001)
	want(1, settle)
	n.SetInDoubt(ann, 0) // no peer
	if err := n.SetPeers(peers); err != nil {
		t.Fatal(err)
	}
	want(900, "")
	n.SetInDoubt(shop, 0)
	want(1000, "")
	peers[1].MaxInFlightValue, peers[1].InDoubt = 0, 1<<63
	if err := n.SetPeers(peers); err != nil {
		t.Fatal(err)
	}
	want(1000, "")
}
