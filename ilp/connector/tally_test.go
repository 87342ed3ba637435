package connector_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"pochi/ilp/connector"
	"pochi/ilp/packet"
)

// Every packet is counted once, by who sent it and what became of it, and codes that a peer makes up are one.
func TestCounts(t *testing.T) {
	var answer packet.Reply
	var failure error
	n := newForwarder(t, func(context.Context, *packet.PrepareView) (packet.Reply, error) { return answer, failure }, nil)
	answer = viewed(&packet.Fulfill{Fulfillment: proof})
	n.fromHub(t, n.toShop(t, 1000))
	n.fromHub(t, n.toShop(t, 1))
	for _, code := range []packet.Code{"F98", "T44", packet.CannotReceive} {
		answer = viewed(packet.NewReject(code, "test.shop", "no"))
		n.fromHub(t, n.toShop(t, 1000))
	}
	n.handle(n.prepare(t, 1000))
	n.handle(n.probe(t, 1000))
	must(n.Link(connector.FromWallet(ann, usd, [16]byte{})).SendPacket(context.Background(), n.probe(t, 1000)))
	n.deliver = func(connector.Delivery) error { return connector.ErrUnknown }
	if _, err := n.Link(fromAnn()).SendPacket(context.Background(), n.prepare(t, 1000)); !errors.Is(err, connector.ErrUnknown) {
		t.Error(err)
	}
	got := n.Counts()
	slices.SortFunc(got, func(a, b connector.Count) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Outcome, b.Outcome))
	})
	want := []connector.Count{
		{From: "peer", Outcome: "F07", Packets: 1}, {From: "peer", Outcome: "R01", Packets: 1},
		{From: "peer", Outcome: connector.Fulfilled, Packets: 1}, {From: "peer", Outcome: connector.OtherCode, Packets: 2},
		{From: "probe", Outcome: "F99", Packets: 1},
		{From: "wallet", Outcome: "F99", Packets: 1}, {From: "wallet", Outcome: connector.Fulfilled, Packets: 1},
		{From: "wallet", Outcome: connector.NoOutcome, Packets: 1},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is in flight is told while it is, in both directions.
func TestFlights(t *testing.T) {
	var n *node
	var seen []connector.Flight
	n = newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
		seen = n.Flights()
		return fulfills(ctx, p)
	}, func(_, shop *connector.Peer) { shop.InDoubt = 7 })
	n.fromHub(t, n.toShop(t, 1000))
	for _, want := range []connector.Flight{
		{Peer: "hub", Packets: 1, Amount: 1000}, {Peer: "hub", ToPeer: true},
		{Peer: "shop"}, {Peer: "shop", ToPeer: true, Packets: 1, Amount: 913, InDoubt: 7},
	} {
		if !slices.Contains(seen, want) {
			t.Errorf("%+v is missing in %+v", want, seen)
		}
	}
	for _, f := range n.Flights() {
		if f.Packets != 0 || f.Amount != 0 {
			t.Errorf("left over: %+v", f)
		}
	}
}
