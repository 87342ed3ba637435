package connector_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"sync"
	"testing"
	"time"

	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

var (
	usd = ilp.Asset{Code: "USD", Scale: 2}
	eur = ilp.Asset{Code: "EUR", Scale: 2}
	jpy = ilp.Asset{Code: "JPY", Scale: 0}

	ann = [16]byte{0xa}
	ben = [16]byte{0xb}
)

// node is a connector with books in memory, in which Ann pays Ben.
type node struct {
	*connector.Connector
	cfg      connector.Config
	receiver *stream.Receiver

	mu         sync.Mutex
	now        time.Time
	balance    uint64 // Ann's, and that of whoever else sends
	deliveries []connector.Delivery
	asked      []connector.Delivery           // that could be made
	deliver    func(connector.Delivery) error // before money moves, and for probes; nil is always fine
	slept      time.Duration

	taken, posted, released []connector.Delivery
	doubts                  []string // of released
	settleErr               error    // of Post and Release

	payee     connector.Party
	payeeErr  error
	rate      map[[2]ilp.Asset][2]uint64 // multiply, divide
	rateErr   error
	converted int
}

func newNode(t testing.TB) *node {
	t.Helper()
	n := &node{
		now:     time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		balance: 1_000_000,
		payee:   connector.Party{Account: ben, Asset: usd, Reference: [16]byte{2}},
		rate:    map[[2]ilp.Asset][2]uint64{{usd, eur}: {9137, 10000}, {usd, jpy}: {151, 100}},
	}
	var err error
	if n.receiver, err = stream.NewReceiver("test.pochi.pay", [32]byte{7}, rand.Reader); err != nil {
		t.Fatal(err)
	}
	n.cfg = connector.Config{
		Address: "test.pochi", Receiver: n.receiver, Payees: n, Books: n, Rates: n,
		Now: n.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if n.Connector, err = connector.New(n.cfg); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) Now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *node) Sleep(ctx context.Context, d time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
	n.slept += d
	return ctx.Err()
}

func (n *node) Deliver(ctx context.Context, d connector.Delivery) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.refusal(ctx, d); err != nil {
		return err
	}
	n.balance -= d.AmountIn
	n.deliveries = append(n.deliveries, d)
	return nil
}

func (n *node) CanDeliver(ctx context.Context, d connector.Delivery) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.refusal(ctx, d); err != nil {
		return err
	}
	n.asked = append(n.asked, d)
	return nil
}

func (n *node) Take(ctx context.Context, d connector.Delivery) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.refusal(ctx, d); err != nil {
		return err
	}
	n.balance -= d.AmountIn
	n.taken = append(n.taken, d)
	return nil
}

func (n *node) Post(ctx context.Context, d connector.Delivery) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.posted = append(n.posted, d)
	return errors.Join(ctx.Err(), n.settleErr)
}

func (n *node) Release(ctx context.Context, d connector.Delivery, doubt string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.balance += d.AmountIn
	n.released = append(n.released, d)
	n.doubts = append(n.doubts, doubt)
	return errors.Join(ctx.Err(), n.settleErr)
}

func (n *node) refusal(ctx context.Context, d connector.Delivery) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if n.deliver != nil {
		if err := n.deliver(d); err != nil {
			return err
		}
	}
	if d.AmountIn > n.balance {
		return fmt.Errorf("ann: %w", connector.ErrInsufficient)
	}
	return nil
}

func (n *node) Payee(_ context.Context, tag []byte) (connector.Party, error) {
	if string(tag) != "ben" {
		return connector.Party{}, fmt.Errorf("%q: %w", tag, connector.ErrNoPayee)
	}
	return n.payee, n.payeeErr
}

func (n *node) Convert(_ context.Context, amount uint64, from, to ilp.Asset) (uint64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.converted++
	rate, ok := n.rate[[2]ilp.Asset{from, to}]
	switch {
	case n.rateErr != nil:
		return 0, n.rateErr
	case !ok:
		return 0, fmt.Errorf("%v to %v: %w", from, to, connector.ErrNoRate)
	}
	hi, lo := bits.Mul64(amount, rate[0])
	if hi >= rate[1] {
		return 0, connector.ErrOverflow
	}
	out, _ := bits.Div64(hi, lo, rate[1])
	return out, nil
}

// fromAnn is the wallet's own link for a payment of Ann's.
func fromAnn() connector.Sender {
	return connector.FromWallet(ann, usd, [16]byte{1})
}

// connect returns fresh credentials for paying Ben.
func (n *node) connect(t testing.TB) (address.Address, [32]byte) {
	t.Helper()
	to, secret, err := n.receiver.Credentials([]byte("ben"))
	if err != nil {
		t.Fatal(err)
	}
	return to, secret
}

// sender returns a stream.Sender of Ann's to Ben.
func (n *node) sender(t testing.TB, link stream.Link) *stream.Sender {
	t.Helper()
	to, secret := n.connect(t)
	return stream.NewSender(stream.SenderConfig{Link: link, Destination: to, Secret: secret, Clock: n, Random: rand.Reader})
}

// prepare returns a packet that Ben's connection fulfills.
func (n *node) prepare(t testing.TB, amount uint64) packet.Prepare {
	t.Helper()
	to, secret := n.connect(t)
	keys := stream.NewKeys(secret)
	plain := stream.Packet{Type: packet.TypePrepare, Sequence: 1}
	data, err := keys.Seal(rand.Reader, plain.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	return packet.Prepare{
		Amount:      amount,
		ExpiresAt:   n.Now().Add(10 * time.Second),
		Condition:   stream.Condition(keys.Fulfillment(data)),
		Destination: to,
		Data:        data,
	}
}

// probe returns a packet of Ben's connection that nobody can fulfill.
func (n *node) probe(t testing.TB, amount uint64) packet.Prepare {
	t.Helper()
	p := n.prepare(t, amount)
	p.Condition = [32]byte{1}
	return p
}

func (n *node) handle(p packet.Prepare) packet.Reply {
	return must(n.Link(fromAnn()).SendPacket(context.Background(), p))
}

// must returns the reply to a packet that can't stay without one.
func must(reply packet.Reply, err error) packet.Reply {
	if err != nil {
		panic(err)
	}
	return reply
}

// wantReject checks a reject of the node's own: its code, its address, and that nothing moved.
func (n *node) wantReject(t *testing.T, name string, reply packet.Reply, code packet.Code) *packet.Reject {
	t.Helper()
	j, ok := reply.(*packet.Reject)
	if !ok {
		t.Fatalf("%s: %+v, want %s", name, reply, code)
	}
	if j.Code != code || !j.TriggeredBy.HasPrefix("test.pochi") || j.Message == "" {
		t.Errorf("%s: %v, want %s", name, j, code)
	}
	if len(n.deliveries) != 0 || len(n.posted) != 0 {
		t.Errorf("%s: rejected, and yet delivered %+v, posted %+v", name, n.deliveries, n.posted)
	}
	return j
}

var errDown = errors.New("secret-database-password: down")
