package connector_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/ildcp"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

func TestNewRefusesABadAddress(t *testing.T) {
	n := newNode(t)
	cfg := n.cfg
	cfg.Address = "pochi"
	if _, err := connector.New(cfg); err == nil {
		t.Error("pochi is no address")
	}
}

func TestDelivery(t *testing.T) {
	n := newNode(t)
	p := n.prepare(t, 1000)
	f, ok := n.handle(p).(*packet.Fulfill)
	if !ok || !f.Fulfills(p.Condition) {
		t.Fatalf("%v", f)
	}
	want := []connector.Delivery{{
		From:     connector.Party{Account: ann, Asset: usd, Reference: [16]byte{1}},
		To:       connector.Party{Account: ben, Asset: usd, Reference: [16]byte{2}},
		AmountIn: 1000, AmountOut: 1000,
	}}
	if diff := cmp.Diff(want, n.deliveries); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n.converted != 0 {
		t.Error("the same asset was converted")
	}
}

func TestAuth(t *testing.T) {
	for name, from := range map[string]connector.Sender{
		"zero account": connector.FromWallet([16]byte{}, usd, [16]byte{1}),
		"no asset":     connector.FromWallet(ann, ilp.Asset{}, [16]byte{1}),
		"an agreement": connector.FromAgreement([16]byte{9}),
		"nobody":       {},
	} {
		n := newNode(t)
		n.wantReject(t, name, must(n.Link(from).SendPacket(context.Background(), n.prepare(t, 5))), packet.BadRequest)
	}
}

// Hazards 1 and 6, for packets that never were bytes.
func TestInvalidPackets(t *testing.T) {
	n := newNode(t)
	for name, change := range map[string]func(*packet.Prepare){
		"no destination":        func(p *packet.Prepare) { p.Destination = "" },
		"destination high byte": func(p *packet.Prepare) { p.Destination = "test.\xc1" },
		"32768 bytes of data":   func(p *packet.Prepare) { p.Data = make([]byte, packet.MaxData+1) },
		"year 10000":            func(p *packet.Prepare) { p.ExpiresAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		p := n.prepare(t, 5)
		change(&p)
		n.wantReject(t, name, n.handle(p), packet.InvalidPacket)
	}
}

// Hazards 11 and 20: expired on arrival, at the expiry, just before it, and far in the future.
func TestExpiry(t *testing.T) {
	n := newNode(t)
	for name, left := range map[string]time.Duration{"long past": -time.Hour, "just past": -time.Millisecond, "now": 0} {
		p := n.prepare(t, 5)
		p.ExpiresAt = n.Now().Add(left)
		n.wantReject(t, name, n.handle(p), packet.TimedOut)
	}
	for name, left := range map[string]time.Duration{"just before": time.Second, "in a year": 365 * 24 * time.Hour} {
		p := n.prepare(t, 5)
		p.ExpiresAt = n.Now().Add(left)
		if reply := n.handle(p); reply.Type() != packet.TypeFulfill {
			t.Errorf("%s: %v", name, reply)
		}
	}
}

// Money doesn't move after the expiry, also if the steps before it took long; and a hold is never longer than 30 seconds.
func TestExpiryIsCheckedAgainBeforeMoneyMoves(t *testing.T) {
	for name, c := range map[string]struct{ expires, takes time.Duration }{
		"its own expiry": {5 * time.Second, 5 * time.Second},
		"the cap":        {time.Hour, 30 * time.Second},
	} {
		n := newNode(t)
		slow := &slowPayees{n, c.takes}
		cfg := n.cfg
		cfg.Payees = slow
		c2, err := connector.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		p := n.prepare(t, 5)
		p.ExpiresAt = n.Now().Add(c.expires)
		n.wantReject(t, name, must(c2.Link(fromAnn()).SendPacket(context.Background(), p)), packet.TimedOut)
	}
}

type slowPayees struct {
	n     *node
	takes time.Duration
}

func (s *slowPayees) Payee(ctx context.Context, tag []byte) (connector.Party, error) {
	if err := s.n.Sleep(ctx, s.takes); err != nil {
		return connector.Party{}, err
	}
	return s.n.Payee(ctx, tag)
}

// Hazard 18: what doesn't belong here isn't routed.
func TestAddressesThatGoNowhere(t *testing.T) {
	n := newNode(t)
	to, _ := n.connect(t)
	token := strings.TrimPrefix(string(to), "test.pochi.pay.")
	for name, destination := range map[string]address.Address{
		"no route":                 "test.elsewhere.ann",
		"the node itself":          "test.pochi",
		"the receiver itself":      "test.pochi.pay",
		"unknown token":            "test.pochi.pay.AAAA",
		"prefix of a segment":      address.Address("test.pochi.pay2." + token),
		"live address on test":     "g.pochi.pay.x",
		"self":                     "self.pochi",
		"local":                    "local.pochi",
		"private":                  "private.pochi",
		"another test network":     "test2.pochi.pay.x",
		"a prefix of this address": "test.poch",
	} {
		p := n.prepare(t, 5)
		p.Destination = destination
		n.wantReject(t, name, n.handle(p), packet.Unreachable)
	}
}

func TestTestAddressesOnTheLiveNetwork(t *testing.T) {
	n := newNode(t)
	cfg := n.cfg
	cfg.Address = "g.pochi"
	live, err := connector.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	j, ok := must(live.Link(fromAnn()).SendPacket(context.Background(), n.prepare(t, 5))).(*packet.Reject)
	if !ok || j.Code != packet.Unreachable || j.TriggeredBy != "g.pochi" || len(n.deliveries) != 0 {
		t.Errorf("%v", j)
	}
}

func TestPayees(t *testing.T) {
	n := newNode(t)
	to, _, err := n.receiver.Credentials([]byte("nobody"))
	if err != nil {
		t.Fatal(err)
	}
	p := n.prepare(t, 5)
	p.Destination = to
	n.wantReject(t, "nobody", n.handle(p), packet.Unreachable)
	n.payeeErr = errDown
	j := n.wantReject(t, "down", n.handle(n.prepare(t, 5)), packet.InternalError)
	if strings.Contains(j.Message, "secret") {
		t.Errorf("the sender is told %q", j.Message)
	}
}

func TestILDCP(t *testing.T) {
	n := newNode(t)
	p := packet.Prepare{Destination: ildcp.Destination, ExpiresAt: n.Now().Add(time.Minute), Condition: stream.Condition([32]byte{})}
	f, ok := n.handle(p).(*packet.Fulfill)
	if !ok || !f.Fulfills(p.Condition) {
		t.Fatalf("%v", f)
	}
	got, err := ildcp.Decode(f.Data)
	if err != nil || got.Asset != usd || got.Address == "test.pochi" || !got.Address.HasPrefix("test.pochi") {
		t.Errorf("%+v, %v", got, err)
	}
}

// Hazard 18: peer.* never goes further.
func TestPeerProtocols(t *testing.T) {
	n := newNode(t)
	zero := stream.Condition([32]byte{})
	for name, c := range map[string]struct {
		to        address.Address
		condition [32]byte
		amount    uint64
		code      packet.Code
	}{
		"ildcp, wrong condition":      {"peer.config", [32]byte{}, 0, packet.InvalidPacket},
		"ildcp, empty-hash condition": {"peer.config", [32]byte{0xe3, 0xb0, 0xc4, 0x42}, 0, packet.InvalidPacket},
		"ildcp with money":            {"peer.config", zero, 5, packet.InvalidAmount},
		"below ildcp":                 {"peer.config.x", zero, 0, packet.Unreachable},
		"routes":                      {"peer.route.update", zero, 0, packet.Unreachable},
		"settlement":                  {"peer.settle", zero, 0, packet.Unreachable},
		"unknown":                     {"peer.x", zero, 0, packet.Unreachable},
		"unknown, wrong condition":    {"peer.x", [32]byte{}, 0, packet.InvalidPacket},
	} {
		p := packet.Prepare{Destination: c.to, ExpiresAt: n.Now().Add(time.Minute), Condition: c.condition, Amount: c.amount}
		n.wantReject(t, name, n.handle(p), c.code)
	}
}

// A probe asks the books what a delivery would, and moves nothing.
func TestProbesAskTheBooks(t *testing.T) {
	n := newNode(t)
	n.payee.Asset = eur
	n.wantRejectByReceiver(t, n.handle(n.probe(t, 1000)))
	want := []connector.Delivery{{
		From:     connector.Party{Account: ann, Asset: usd, Reference: [16]byte{1}},
		To:       connector.Party{Account: ben, Asset: eur, Reference: [16]byte{2}},
		AmountIn: 1000, AmountOut: 913,
	}}
	if diff := cmp.Diff(want, n.asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	n.wantReject(t, "more than the balance", n.handle(n.probe(t, 1_000_001)), packet.InsufficientLiquidity)
	if n.balance != 1_000_000 || len(n.deliveries) != 0 {
		t.Errorf("balance %d after %v", n.balance, n.deliveries)
	}
}

// The books are asked about money alone, and only if the packet is the payer's own.
func TestPacketsThatCallNoBooks(t *testing.T) {
	n := newNode(t)
	n.deliver = func(connector.Delivery) error {
		t.Error("the books were called")
		return nil
	}
	if reply := n.handle(n.prepare(t, 0)); reply.Type() != packet.TypeFulfill {
		t.Errorf("zero amount: %v", reply)
	}
	n.wantRejectByReceiver(t, n.handle(n.probe(t, 0)))
	strange := n.prepare(t, 1000)
	strange.Data = []byte("not the payer's")
	if j, ok := n.handle(strange).(*packet.Reject); !ok || j.Code != packet.UnexpectedPayment {
		t.Errorf("strange data: %v", j)
	}
	if n.balance != 1_000_000 || len(n.asked) != 0 {
		t.Errorf("balance %d, asked about %v", n.balance, n.asked)
	}
}

func (n *node) wantRejectByReceiver(t *testing.T, reply packet.Reply) {
	t.Helper()
	if j, ok := reply.(*packet.Reject); !ok || j.Code != packet.ApplicationError || len(j.Data) == 0 {
		t.Errorf("%v", reply)
	}
}

// Hazards 8, 9 and 12: whatever the books say no with, the sender gets a reject and keeps its money.
func TestBooksSayNo(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		code packet.Code
	}{
		{"insufficient", connector.ErrInsufficient, packet.InsufficientLiquidity},
		{"refused", connector.ErrRefused, packet.CannotReceive},
		{"too late", context.DeadlineExceeded, packet.TimedOut},
		{"stopped", context.Canceled, packet.InternalError},
		{"busy", connector.ErrBusy, packet.ConnectorBusy},
		{"too many begin", connector.ErrTooFast, packet.RateLimited},
		{"broken", errDown, packet.InternalError},
	} {
		n := newNode(t)
		n.deliver = func(connector.Delivery) error { return c.err }
		for _, p := range []packet.Prepare{n.prepare(t, 1000), n.probe(t, 1000)} {
			j := n.wantReject(t, c.name, n.handle(p), c.code)
			if strings.Contains(j.Message, "secret") || n.balance != 1_000_000 {
				t.Errorf("%s: %q, balance %d", c.name, j.Message, n.balance)
			}
		}
	}
}

// Hazard 10: the books can't say whether the money moved, so the sender isn't told that it didn't.
func TestNoReplyWhenTheOutcomeIsUnknown(t *testing.T) {
	n := newNode(t)
	n.deliver = func(connector.Delivery) error {
		return fmt.Errorf("%w: %w", connector.ErrUnknown, context.DeadlineExceeded)
	}
	p := n.prepare(t, 1000)
	reply, err := n.Link(fromAnn()).SendPacket(context.Background(), p)
	if reply != nil || !errors.Is(err, connector.ErrUnknown) {
		t.Errorf("%v, %v", reply, err)
	}
}

// Hazard 10: once the money has moved there is no way back, however late it is.
func TestNeverARejectOnceMoneyMoved(t *testing.T) {
	n := newNode(t)
	n.deliver = func(connector.Delivery) error {
		n.now = n.now.Add(time.Hour)
		return nil
	}
	if reply := n.handle(n.prepare(t, 1000)); reply.Type() != packet.TypeFulfill || len(n.deliveries) != 1 {
		t.Errorf("%v with %v", reply, n.deliveries)
	}
}

// Hazards 16 and 26: each packet that is fulfilled is paid for, replays too.
func TestReplaysArePaidAgain(t *testing.T) {
	n := newNode(t)
	p := n.prepare(t, 400_000)
	fulfilled := 0
	for range 3 {
		if n.handle(p).Type() == packet.TypeFulfill {
			fulfilled++
		}
	}
	if fulfilled != 2 || len(n.deliveries) != 2 || n.balance != 200_000 {
		t.Errorf("%d fulfilled, %d deliveries, balance %d", fulfilled, len(n.deliveries), n.balance)
	}
}

func TestConcurrentPackets(t *testing.T) {
	n := newNode(t)
	replies := make([]packet.Reply, 50)
	var group sync.WaitGroup
	for i := range replies {
		p := n.prepare(t, 100_000)
		group.Go(func() { replies[i] = n.handle(p) })
	}
	group.Wait()
	fulfilled := 0
	for _, reply := range replies {
		if reply.Type() == packet.TypeFulfill {
			fulfilled++
		}
	}
	if fulfilled != 10 || len(n.deliveries) != 10 || n.balance != 0 {
		t.Errorf("%d fulfilled, %d deliveries, balance %d", fulfilled, len(n.deliveries), n.balance)
	}
}

// Nothing that could be used to pay, or to read, a connection gets into the log.
func TestLogKeepsSecrets(t *testing.T) {
	n := newNode(t)
	var log strings.Builder
	cfg := n.cfg
	cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c, err := connector.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := n.prepare(t, 5)
	for range 2 {
		must(c.Link(fromAnn()).SendPacket(context.Background(), p))
		n.payeeErr = errDown
	}
	token, _ := p.Destination.Below("test.pochi.pay")
	if log.Len() == 0 || strings.Contains(log.String(), token) {
		t.Errorf("the log: %s", log.String())
	}
	if !strings.Contains(log.String(), "down") {
		t.Errorf("the error isn't in the log: %s", log.String())
	}
}

// Whatever comes in, there is an answer, it can be sent, and money moves only with a fulfillment of the condition.
func FuzzHandle(f *testing.F) {
	n := newNode(f)
	good := n.prepare(f, 5)
	f.Add(uint64(5), int64(10_000), good.Condition[:], string(good.Destination), good.Data)
	f.Add(uint64(0), int64(10_000), make([]byte, 32), "peer.config", []byte{})
	f.Add(uint64(1), int64(-1), make([]byte, 32), "test.pochi.pay.AAAA", []byte{})
	f.Add(uint64(1), int64(1)<<62, make([]byte, 32), "", []byte{})
	f.Fuzz(func(t *testing.T, amount uint64, ms int64, condition []byte, to string, data []byte) {
		p := packet.Prepare{Amount: amount, ExpiresAt: n.Now().Add(time.Duration(ms) * time.Millisecond), Destination: address.Address(to), Data: data}
		copy(p.Condition[:], condition)
		before := len(n.deliveries)
		reply := n.handle(p)
		if _, err := reply.Append(nil); err != nil {
			t.Errorf("%v can't be sent: %v", reply, err)
		}
		fulfill, ok := reply.(*packet.Fulfill)
		if moved := len(n.deliveries) > before; ok != moved && amount != 0 || ok && !fulfill.Fulfills(p.Condition) {
			t.Errorf("moved %v with %v", moved, reply)
		}
	})
}

func TestAssetsDifferInCodeAndScale(t *testing.T) {
	n := newNode(t)
	n.payee.Asset = ilp.Asset{Code: "USD", Scale: 9}
	j := n.wantReject(t, "no rate between scales", n.handle(n.prepare(t, 5)), packet.InternalError)
	if !strings.Contains(j.Message, "USD") {
		t.Errorf("%q", j.Message)
	}
}
