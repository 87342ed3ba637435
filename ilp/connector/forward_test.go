package connector_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
)

var (
	hub   = [16]byte{0x10}
	shop  = [16]byte{0x20}
	proof = [32]byte{1, 2, 3}
)

// peerLink is a link to a peer that answers with what it is made of.
type peerLink func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error)

func (l peerLink) SendPacket(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
	return l(ctx, p)
}

// fulfills answers as a peer does: with bytes.
func fulfills(context.Context, *packet.PrepareView) (packet.Reply, error) {
	return viewed(&packet.Fulfill{Fulfillment: proof, Data: []byte("from afar")}), nil
}

func viewed(reply packet.Reply) packet.Reply {
	b, err := reply.Append(nil)
	if err != nil {
		panic(err)
	}
	v, err := packet.ViewReply(append(b, "and more"...))
	if err != nil {
		panic(err)
	}
	return &v
}

// newForwarder returns a node with two peers: the hub sends, the shop in EUR answers over link.
func newForwarder(t testing.TB, link peerLink, change func(hub, shop *connector.Peer)) *node {
	t.Helper()
	n := newNode(t)
	peers := []connector.Peer{
		{ID: hub, Name: "hub", Address: "test.hub", Account: hub, Asset: usd, Link: peerLink(fulfills)},
		{ID: shop, Name: "shop", Address: "test.shop", Account: shop, Asset: eur, Link: link},
	}
	if change != nil {
		change(&peers[0], &peers[1])
	}
	if err := n.SetPeers(peers); err != nil {
		t.Fatal(err)
	}
	return n
}

// toShop returns the bytes of a packet for the shop.
func (n *node) toShop(t testing.TB, amount uint64) []byte {
	t.Helper()
	p := packet.Prepare{
		Amount: amount, ExpiresAt: n.Now().Add(10 * time.Second), Condition: sha256.Sum256(proof[:]), Destination: "test.shop.till",
		Data: []byte("for the shop"),
	}
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return append(b, "trailing"...)
}

// fromHub has the node handle the bytes of a packet of the hub's.
func (n *node) fromHub(t testing.TB, wire []byte) packet.Reply {
	t.Helper()
	return must(n.fromHubErr(t, wire))
}

func (n *node) fromHubErr(t testing.TB, wire []byte) (packet.Reply, error) {
	t.Helper()
	v, err := packet.ViewPrepare(bytes.Clone(wire))
	if err != nil {
		t.Fatal(err)
	}
	return n.Handle(context.Background(), connector.FromPeer(hub), &v)
}

// Hazards 4 and 5: what is passed on are the bytes that came, but for amount and expiry, and so is the answer.
func TestForward(t *testing.T) {
	var sent []byte
	var n *node
	n = newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
		if len(n.taken) != 1 {
			t.Error("the packet left before its money was set aside")
		}
		sent = bytes.Clone(p.Bytes())
		return fulfills(ctx, p)
	}, nil)
	wire := n.toShop(t, 1000)
	reply := n.fromHub(t, wire)
	want, err := packet.ViewPrepare(bytes.Clone(wire))
	if err != nil {
		t.Fatal(err)
	}
	want.SetAmount(913)
	if err := want.SetExpiresAt(n.Now().Add(9 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sent, want.Bytes()) {
		t.Errorf("sent %x, want %x", sent, want.Bytes())
	}
	got, _ := reply.Append(nil)
	expected, _ := must(fulfills(context.Background(), nil)).Append(nil)
	if !bytes.Equal(got, expected) {
		t.Errorf("answered %x, want %x", got, expected)
	}
	delivery := []connector.Delivery{{
		From:     connector.Party{Account: hub, Asset: usd, Peer: true},
		To:       connector.Party{Account: shop, Asset: eur, Peer: true},
		AmountIn: 1000, AmountOut: 913,
	}}
	if diff := cmp.Diff(delivery, n.taken) + cmp.Diff(delivery, n.posted); diff != "" || len(n.released) != 0 {
		t.Errorf("(-want +got):\n%s, released %+v", diff, n.released)
	}
}

// relayed is what ilphttp says of a packet that nobody can say anything about.
type relayed struct{ error }

func (relayed) Relay() *packet.Reject {
	return packet.NewReject(packet.PeerUnreachable, "test.pochi", "broken")
}

// Hazards 8 to 14: whatever a peer answers that isn't its valid fulfillment in time, the money that was set aside is put back
// once; and where the peer may have fulfilled, that is written down.
func TestForwardedPacketsThatAreNotFulfilled(t *testing.T) {
	for name, c := range map[string]struct {
		link  func(n *node) peerLink
		code  packet.Code
		by    address.Address
		doubt string
	}{
		"refused": {func(*node) peerLink {
			return func(context.Context, *packet.PrepareView) (packet.Reply, error) {
				return viewed(&packet.Reject{Code: "F99", TriggeredBy: "test.shop", Message: "no \xff", Data: []byte{7}}), nil
			}
		}, "F99", "test.shop", ""},
		"no valid triggering address": {func(*node) peerLink {
			return func(context.Context, *packet.PrepareView) (packet.Reply, error) {
				return viewed(&packet.Reject{Code: "X!z", TriggeredBy: "?"}), nil
			}
		}, "X!z", "?", ""},
		"wrong fulfillment": {func(*node) peerLink {
			return func(context.Context, *packet.PrepareView) (packet.Reply, error) {
				return viewed(&packet.Fulfill{Fulfillment: [32]byte{9}}), nil
			}
		}, packet.WrongCondition, "test.pochi", ""},
		"a fulfillment at the expiry": {func(n *node) peerLink {
			return func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
				_ = n.Sleep(ctx, 9*time.Second)
				return fulfills(ctx, p)
			}
		}, packet.TimedOut, "test.pochi", "expired"},
		"nobody knows": {func(*node) peerLink {
			return func(context.Context, *packet.PrepareView) (packet.Reply, error) {
				return nil, relayed{errors.New("connection reset")}
			}
		}, packet.PeerUnreachable, "test.pochi", "connection reset"},
		"an error of another kind": {func(*node) peerLink {
			return func(context.Context, *packet.PrepareView) (packet.Reply, error) { return nil, errDown }
		}, packet.InternalError, "test.pochi", "down"},
		"no answer at all": {func(*node) peerLink {
			return func(context.Context, *packet.PrepareView) (packet.Reply, error) { return nil, nil }
		}, packet.InternalError, "test.pochi", "no answer"},
		"a panic": {func(*node) peerLink {
			return func(context.Context, *packet.PrepareView) (packet.Reply, error) { panic("oh") }
		}, packet.InternalError, "test.pochi", "the link to the peer broke"},
	} {
		t.Run(name, func(t *testing.T) {
			var n *node
			n = newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) { return c.link(n)(ctx, p) }, nil)
			reply := n.fromHub(t, n.toShop(t, 1000))
			if v, ok := reply.(*packet.ReplyView); ok {
				reply = v.Reply()
			}
			j, ok := reply.(*packet.Reject)
			if !ok || j.Code != c.code || j.TriggeredBy != c.by || strings.Contains(j.Message, "secret") {
				t.Errorf("answered %+v", reply)
			}
			if len(n.taken) != 1 || len(n.posted) != 0 || len(n.released) != 1 || n.balance != 1_000_000 {
				t.Errorf("taken %v, posted %v, released %v, balance %d", n.taken, n.posted, n.released, n.balance)
			}
			if got := strings.Join(n.doubts, ","); (c.doubt == "") != (got == "") || !strings.Contains(got, c.doubt) {
				t.Errorf("doubt %q, want %q", got, c.doubt)
			}
		})
	}
}

// Hazard 11: just before the expiry a fulfillment counts.
func TestAFulfillmentJustInTime(t *testing.T) {
	var n *node
	n = newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
		_ = n.Sleep(ctx, 9*time.Second-time.Millisecond)
		return fulfills(ctx, p)
	}, nil)
	if reply := n.fromHub(t, n.toShop(t, 1000)); reply.Type() != packet.TypeFulfill || len(n.posted) != 1 {
		t.Errorf("%v, posted %v", reply, n.posted)
	}
}

// Before a fulfillment is passed back its posting is on disk: if that can't be said there is no answer.
func TestNoAnswerIfThePostingFails(t *testing.T) {
	n := newForwarder(t, fulfills, nil)
	n.settleErr = errDown
	if reply, err := n.fromHubErr(t, n.toShop(t, 1000)); reply != nil || !errors.Is(err, connector.ErrUnknown) {
		t.Errorf("%v, %v", reply, err)
	}
}

// What is in flight when its sender hangs up is posted all the same.
func TestPostedThoughNobodyListens(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	n := newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
		cancel()
		return fulfills(ctx, p)
	}, nil)
	v, err := packet.ViewPrepare(n.toShop(t, 1000))
	if err != nil {
		t.Fatal(err)
	}
	if reply, err := n.Handle(ctx, connector.FromPeer(hub), &v); err != nil || reply.Type() != packet.TypeFulfill || len(n.posted) != 1 {
		t.Errorf("%v, %v, posted %v", reply, err, n.posted)
	}
}

// Packets of peers that are refused before any money is set aside.
func TestForwardRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(hub, shop *connector.Peer)
		packet func(p *packet.PrepareView)
		amount uint64
		code   packet.Code
	}{
		"back to where it came from": {func(hub, shop *connector.Peer) {
			hub.Routes, shop.Address = []address.Address{"test.shop.till"}, "test.s"
		}, nil, 5, packet.Unreachable},
		"to the uplink it came from": {func(hub, shop *connector.Peer) { hub.Default, shop.Address = true, "test.s" }, nil, 5, packet.Unreachable},
		"a peer that takes none":     {func(_, shop *connector.Peer) { shop.Link = nil }, nil, 5, packet.Unreachable},
		"half a segment":             {func(_, shop *connector.Peer) { shop.Address = "test.sho" }, nil, 5, packet.Unreachable},
		"too large":                  {func(hub, _ *connector.Peer) { hub.MaxPacket = 999 }, nil, 1000, packet.TooLarge},
		"more than may be in flight": {func(hub, _ *connector.Peer) { hub.MaxInFlightValue = 999 }, nil, 1000, packet.TooLarge},
		"too much in flight to it":   {func(_, shop *connector.Peer) { shop.MaxInFlightValue = 912 }, nil, 1000, packet.InsufficientLiquidity},
		"more than a second's":       {func(hub, _ *connector.Peer) { hub.Throughput = 999 }, nil, 1000, packet.TooLarge},
		"too small":                  {nil, nil, 1, packet.InsufficientSource},
		"too little time": {nil, func(p *packet.PrepareView) { _ = p.SetExpiresAt(p.ExpiresAt().Add(-8*time.Second - time.Millisecond)) }, 1000,
			packet.InsufficientTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			n := newForwarder(t, func(context.Context, *packet.PrepareView) (packet.Reply, error) {
				t.Error("it was sent on")
				return nil, errDown
			}, c.change)
			v, err := packet.ViewPrepare(n.toShop(t, c.amount))
			if err != nil {
				t.Fatal(err)
			}
			if c.packet != nil {
				c.packet(&v)
			}
			j := n.wantReject(t, name, n.fromHub(t, v.Bytes()), c.code)
			if len(n.taken) != 0 {
				t.Errorf("set aside %v", n.taken)
			}
			if data, ok := packet.ParseAmountTooLarge(j.Data); c.code == packet.TooLarge && (!ok || data.Maximum != 999) {
				t.Errorf("F08 says %+v", data)
			}
		})
	}
}

// What became of a packet of the wallet's own is unknown when the answer is lost: its sender must not send the money again.
func TestALostAnswerToTheWalletsOwnPacket(t *testing.T) {
	n := newForwarder(t, func(context.Context, *packet.PrepareView) (packet.Reply, error) {
		return nil, relayed{errors.New("connection reset")}
	}, nil)
	for _, c := range []struct {
		amount    uint64
		reference [16]byte
		unknown   bool
	}{{1000, [16]byte{1}, true}, {0, [16]byte{1}, false}, {1000, [16]byte{}, false}} {
		v, err := packet.ViewPrepare(n.toShop(t, c.amount))
		if err != nil {
			t.Fatal(err)
		}
		reply, err := n.Handle(context.Background(), connector.FromWallet(ann, usd, c.reference), &v)
		if errors.Is(err, connector.ErrUnknown) != c.unknown || (reply == nil) != c.unknown {
			t.Errorf("%d for %x: %v, %v", c.amount, c.reference[0], reply, err)
		}
	}
	if len(n.released) != 1 || n.balance != 1_000_000 || n.doubts[0] == "" {
		t.Errorf("released %v for %q, balance %d", n.released, n.doubts, n.balance)
	}
}

// A peer that is being set, or was just removed, may try again.
func TestAnUnknownPeer(t *testing.T) {
	n := newNode(t)
	n.wantReject(t, "unknown", n.fromHub(t, n.toShop(t, 5)), packet.InternalError)
}

// Hazard 19: one that sends what nobody answers gets half of what may be in flight to a peer, in packets and in money; the rest
// is there for others.
func TestAPeerCantShutAnotherOff(t *testing.T) {
	for name, test := range map[string]struct {
		limit func(shop *connector.Peer)
		code  packet.Code
	}{
		"packets": {func(shop *connector.Peer) { shop.MaxInFlightCount = 4 }, packet.ConnectorBusy},
		"money":   {func(shop *connector.Peer) { shop.MaxInFlightValue = 4000 }, packet.InsufficientLiquidity},
	} {
		t.Run(name, func(t *testing.T) {
			begun, finish := make(chan struct{}), make(chan struct{})
			n := newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
				begun <- struct{}{}
				<-finish
				return fulfills(ctx, p)
			}, func(_, shop *connector.Peer) {
				shop.Asset = usd
				test.limit(shop)
			})
			answers := make(chan packet.Reply)
			for i := range 2 {
				go func() { answers <- n.fromHub(t, n.numbered(t, 1000, i)) }()
				<-begun
			}
			if j, ok := n.fromHub(t, n.numbered(t, 1000, 2)).(*packet.Reject); !ok || j.Code != test.code {
				t.Errorf("the third: %v", j)
			}
			for i := range 2 {
				v, err := packet.ViewPrepare(n.numbered(t, 1000, 3+i))
				if err != nil {
					t.Fatal(err)
				}
				go func() { answers <- must(n.Handle(context.Background(), fromAnn(), &v)) }()
				<-begun
			}
			close(finish)
			for range 4 {
				if reply := <-answers; reply.Type() != packet.TypeFulfill {
					t.Errorf("%v", reply)
				}
			}
			go func() { answers <- n.fromHub(t, n.numbered(t, 1000, 5)) }() // the hub has its half back
			<-begun
			if reply := <-answers; reply.Type() != packet.TypeFulfill {
				t.Errorf("afterwards: %v", reply)
			}
		})
	}
}

// Nor can apps, however many there are: all of them together have half.
func TestAppsCantShutPeersOff(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	n := newForwarder(t, nil, nil)
	link := peerLink(func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
		begun <- struct{}{}
		<-finish
		return fulfills(ctx, p)
	})
	n.cfg.Agreements = &allowed{left: 1 << 40}
	n.rate[[2]ilp.Asset{eur, usd}] = [2]uint64{1, 1}
	var err error
	if n.Connector, err = connector.New(n.cfg); err != nil {
		t.Fatal(err)
	}
	err = n.SetPeers([]connector.Peer{{ID: shop, Name: "shop", Address: "test.shop", Account: shop, Asset: usd, Link: link, MaxInFlightCount: 2}})
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan packet.Reply)
	send := func(from connector.Sender, i int) {
		v, err := packet.ViewPrepare(n.numbered(t, 10, i))
		if err != nil {
			panic(err)
		}
		answers <- must(n.Handle(context.Background(), from, &v))
	}
	go send(connector.FromAgreement(ourShop), 0)
	<-begun
	go send(connector.FromAgreement(ourShop), 1)
	if j, ok := (<-answers).(*packet.Reject); !ok || j.Code != packet.ConnectorBusy {
		t.Errorf("the apps' second: %v", j)
	}
	go send(fromAnn(), 2)
	<-begun
	close(finish)
	for range 2 {
		if reply := <-answers; reply.Type() != packet.TypeFulfill {
			t.Errorf("%v", reply)
		}
	}
}

// Two message windows are enough, and the hold is capped.
func TestExpiryAtThePeer(t *testing.T) {
	for left, want := range map[time.Duration]time.Duration{
		2 * time.Second: time.Second, 10 * time.Second: 9 * time.Second, time.Hour: 29 * time.Second,
	} {
		var n *node
		n = newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
			if got := p.ExpiresAt().Sub(n.Now()); got != want {
				t.Errorf("of %v it has %v left, want %v", left, got, want)
			}
			return fulfills(ctx, p)
		}, nil)
		v, err := packet.ViewPrepare(n.toShop(t, 1000))
		if err != nil {
			t.Fatal(err)
		}
		if err := v.SetExpiresAt(n.Now().Add(left)); err != nil {
			t.Fatal(err)
		}
		if reply := n.fromHub(t, v.Bytes()); reply.Type() != packet.TypeFulfill {
			t.Errorf("%v: %v", left, reply)
		}
	}
}

// Zero passes, and calls no books: hazard 14.
func TestForwardingNothing(t *testing.T) {
	n := newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
		if p.Amount() != 0 {
			t.Errorf("sent %d", p.Amount())
		}
		return fulfills(ctx, p)
	}, nil)
	if reply := n.fromHub(t, n.toShop(t, 0)); reply.Type() != packet.TypeFulfill || len(n.taken)+len(n.posted)+len(n.asked) != 0 {
		t.Errorf("%v", reply)
	}
}

// Our own questions about what would arrive set nothing aside, and look at the books.
func TestOwnProbesToPeers(t *testing.T) {
	refusing := func(context.Context, *packet.PrepareView) (packet.Reply, error) {
		return viewed(packet.NewReject(packet.ApplicationError, "test.shop", "")), nil
	}
	n := newForwarder(t, refusing, nil)
	probe := connector.FromWallet(ann, usd, [16]byte{})
	v, err := packet.ViewPrepare(n.toShop(t, 1000))
	if err != nil {
		t.Fatal(err)
	}
	reply, err := n.Handle(context.Background(), probe, &v)
	if err != nil || reply.Type() != packet.TypeReject || len(n.asked) != 1 || len(n.taken)+len(n.released) != 0 {
		t.Errorf("%v, %v, asked %v, taken %v", reply, err, n.asked, n.taken)
	}
}

// Limits count what is in flight, and let go of it.
func TestInFlightLimits(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	n := newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
		begun <- struct{}{}
		<-finish
		return fulfills(ctx, p)
	}, func(hub, _ *connector.Peer) { hub.MaxInFlightCount, hub.MaxInFlightValue = 2, 2500 })
	answers := make(chan packet.Reply, 2)
	for i := range 2 {
		go func() { answers <- n.fromHub(t, n.numbered(t, 1000, i)) }()
		<-begun
	}
	for i, code := range []packet.Code{packet.RateLimited, packet.RateLimited} {
		if j, ok := n.fromHub(t, n.numbered(t, 1000, 10+i)).(*packet.Reject); !ok || j.Code != code {
			t.Errorf("one more: %v", j)
		}
	}
	if err := n.SetPeers(nil); err != nil { // those that are under way end as they began
		t.Fatal(err)
	}
	close(finish)
	for range 2 {
		if reply := <-answers; reply.Type() != packet.TypeFulfill {
			t.Errorf("%v", reply)
		}
	}
}

// numbered is toShop with data of its own.
func (n *node) numbered(t testing.TB, amount uint64, i int) []byte {
	t.Helper()
	v, err := packet.ViewPrepare(n.toShop(t, amount))
	if err != nil {
		t.Fatal(err)
	}
	p := v.Prepare()
	p.Data = fmt.Append(nil, i)
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Hazard 16: one of two equal packets at a time, whatever their amounts and expiries are; a later one is another packet.
func TestDuplicatesInFlight(t *testing.T) {
	var n *node
	var inner packet.Reply
	n = newForwarder(t, func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
		v, err := packet.ViewPrepare(n.toShop(t, 700)) // it comes back to us round a loop
		if err != nil {
			t.Fatal(err)
		}
		inner = must(n.Handle(ctx, connector.FromPeer(shop), &v))
		return fulfills(ctx, p)
	}, nil)
	if reply := n.fromHub(t, n.toShop(t, 1000)); reply.Type() != packet.TypeFulfill || len(n.taken) != 1 {
		t.Errorf("%v, taken %v", reply, n.taken)
	}
	if j, ok := inner.(*packet.Reject); !ok || j.Code != packet.Unreachable {
		t.Errorf("round the loop: %v", inner)
	}
	if reply := n.fromHub(t, n.toShop(t, 1000)); reply.Type() != packet.TypeFulfill {
		t.Errorf("later: %v", reply)
	}
}

// Hazard 18: the longest prefix in whole segments.
func TestRoutes(t *testing.T) {
	n := newNode(t)
	var got string
	link := func(name string) connector.Link {
		return peerLink(func(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
			got = name
			return fulfills(ctx, p)
		})
	}
	err := n.SetPeers([]connector.Peer{
		{ID: [16]byte{1}, Name: "a", Address: "test.a", Account: [16]byte{1}, Asset: usd, Link: link("a"), Routes: []address.Address{"test.far.east"}},
		{ID: [16]byte{2}, Name: "ab", Address: "test.a.b", Account: [16]byte{2}, Asset: usd, Link: link("ab")},
		{ID: [16]byte{3}, Name: "child", Address: "test.pochi.pay.child", Account: [16]byte{3}, Asset: usd, Link: link("child")},
		{ID: [16]byte{4}, Name: "up", Address: "test.up", Account: [16]byte{4}, Asset: usd, Link: link("up"), Default: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[address.Address]string{
		"test.a": "a", "test.a.x": "a", "test.ab": "up", "test.a.b": "ab", "test.a.b.c.d": "ab", "test.a.bc": "a", "test.far.east.x": "a",
		"test.far": "up", "test.far.west": "up", "test.pochi.pay.child.x": "child", "test.pochi.pay.child2": "", "test.pochi.other": "",
		"private.x": "up", "test.x" + address.Address(strings.Repeat(".x", 500)): "up",
	} {
		got = ""
		p := n.prepare(t, 5)
		p.Destination, p.Condition = to, sha256.Sum256(proof[:])
		reply := n.handle(p)
		if got != want || (reply.Type() == packet.TypeFulfill) != (want != "") {
			t.Errorf("%s went to %q, want %q: %v", to, got, want, reply)
		}
	}
}

func TestSetPeersRefusesContradictions(t *testing.T) {
	a := connector.Peer{ID: [16]byte{1}, Name: "a", Address: "test.a", Account: [16]byte{1}, Asset: usd}
	for name, b := range map[string]connector.Peer{
		"same id":     {ID: a.ID, Address: "test.b"},
		"same route":  {ID: [16]byte{2}, Address: "test.b", Routes: []address.Address{"test.a"}},
		"two uplinks": {ID: [16]byte{2}, Address: "test.b", Default: true},
	} {
		n := newNode(t)
		first := a
		first.Default = true
		if err := n.SetPeers([]connector.Peer{first, b}); err == nil {
			t.Error(name)
		}
	}
}

// Packets in a second are exact, and time brings them back.
func TestRateLimit(t *testing.T) {
	n := newForwarder(t, fulfills, func(hub, _ *connector.Peer) { hub.RateLimit = 3 })
	send := func() packet.Type { return n.fromHub(t, n.toShop(t, 1000)).Type() }
	for i := range 3 {
		if send() != packet.TypeFulfill {
			t.Errorf("packet %d", i)
		}
	}
	j, ok := n.fromHub(t, n.toShop(t, 1000)).(*packet.Reject)
	if !ok || j.Code != packet.RateLimited {
		t.Errorf("the fourth: %v", j)
	}
	_ = n.Sleep(context.Background(), 334*time.Millisecond)
	if send() != packet.TypeFulfill || send() != packet.TypeReject {
		t.Error("after a third of a second there is one more")
	}
}

// Throughput counts money as RateLimit counts packets.
func TestThroughput(t *testing.T) {
	n := newForwarder(t, fulfills, func(hub, _ *connector.Peer) { hub.Throughput = 1500 })
	if reply := n.fromHub(t, n.toShop(t, 1000)); reply.Type() != packet.TypeFulfill {
		t.Errorf("the first: %v", reply)
	}
	j, ok := n.fromHub(t, n.toShop(t, 501)).(*packet.Reject)
	if !ok || j.Code != packet.InsufficientLiquidity || len(n.taken) != 1 {
		t.Errorf("more than there is in a second: %v", j)
	}
	if reply := n.fromHub(t, n.toShop(t, 500)); reply.Type() != packet.TypeFulfill {
		t.Errorf("what is left of the second: %v", reply)
	}
}

// A peer that owes as much as it may is told to settle. Whoever runs the node reads it too, once a minute for each peer.
func TestCreditIsUsedUp(t *testing.T) {
	n := newNode(t)
	var log bytes.Buffer
	n.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	var err error
	if n.Connector, err = connector.New(n.cfg); err != nil {
		t.Fatal(err)
	}
	err = n.SetPeers([]connector.Peer{
		{ID: hub, Name: "hub", Address: "test.hub", Account: hub, Asset: usd},
		{ID: shop, Name: "shop", Address: "test.shop", Account: shop, Asset: usd, Link: peerLink(fulfills)},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.deliver = func(connector.Delivery) error { return fmt.Errorf("no more: %w", connector.ErrCredit) }
	for i, warnings := range []int{1, 1, 2} {
		j := n.wantReject(t, "beyond its credit", n.fromHub(t, n.toShop(t, 100)), packet.InsufficientLiquidity)
		if j.Message != "You have reached the credit that this wallet gives you. Settle first." {
			t.Errorf("it was told %q", j.Message)
		}
		text := log.String()
		if strings.Count(text, "level=WARN") != warnings || !strings.Contains(text, "peer=hub") || !strings.Contains(text, "pochi admin peer settle hub") {
			t.Errorf("packet %d: %s", i, text)
		}
		n.now = n.now.Add(30 * time.Second)
	}
}

// The wallet's own limit for exchanging is nobody's credit.
func TestExchangeIsUsedUp(t *testing.T) {
	n := newForwarder(t, fulfills, nil)
	n.deliver = func(connector.Delivery) error { return connector.ErrInsufficient }
	j := n.wantReject(t, "beyond the limit", n.fromHub(t, n.toShop(t, 100)), packet.InsufficientLiquidity)
	if j.Message != "This wallet can't exchange that much right now." {
		t.Errorf("it was told %q", j.Message)
	}
}
