package stream_test

import (
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

var (
	usd = ilp.Asset{Code: "USD", Scale: 2}
	eur = ilp.Asset{Code: "EUR", Scale: 2}
)

// newRandom returns a source that is the same in each run, and safe for concurrent use.
func newRandom() io.Reader { return &lockedReader{r: rand.NewChaCha8([32]byte{42})} }

type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

// clock is a Clock in which only sleeping takes time.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

// total returns how long all sleeping took.
func (c *clock) total() (sum time.Duration) {
	for _, d := range c.slept {
		sum += d
	}
	return sum
}

// path is a link to a receiver, with a rate, a largest packet, and whatever a test does to it.
type path struct {
	receiver         *stream.Receiver
	asset            ilp.Asset
	multiply, divide uint64
	hops             hops                // instead of multiply and divide, if there are any
	max              uint64              // 0 is no limit
	bareF08          bool                // F08 without data
	limit            func() stream.Limit // of the receiver's, nil for none

	// before answers instead of the receiver if it returns something; after changes what the receiver answered.
	before func(n int, p packet.Prepare) (packet.Reply, error)
	after  func(n int, p packet.Prepare, reply packet.Reply) packet.Reply

	secret   [32]byte         // of the connection that sender made
	packets  []packet.Prepare // all that were sent
	received uint64           // what the receiver fulfilled
}

func newPath(t *testing.T) *path {
	t.Helper()
	receiver, err := stream.NewReceiver("test.receiver", [32]byte{7}, newRandom())
	if err != nil {
		t.Fatal(err)
	}
	return &path{receiver: receiver, asset: usd, multiply: 1, divide: 1}
}

// sender returns a Sender to a fresh connection over the path.
func (p *path) sender(t *testing.T) (*stream.Sender, *clock) {
	t.Helper()
	to, secret, err := p.receiver.Credentials([]byte("ann"))
	if err != nil {
		t.Fatal(err)
	}
	p.secret, p.packets = secret, nil
	c := newClock()
	return stream.NewSender(stream.SenderConfig{Link: p, Destination: to, Secret: secret, Clock: c, Random: newRandom(), MaxInFlight: 1}), c
}

func (p *path) SendPacket(_ context.Context, prepare packet.Prepare) (packet.Reply, error) {
	p.packets = append(p.packets, prepare)
	n := len(p.packets)
	if p.before != nil {
		if reply, err := p.before(n, prepare); reply != nil || err != nil {
			return reply, err
		}
	}
	if p.max > 0 && prepare.Amount > p.max {
		return p.tooLarge(prepare), nil
	}
	connection, ok := p.receiver.Identify(prepare.Destination)
	if !ok {
		return packet.NewReject(packet.Unreachable, "test.path", "no such receiver"), nil
	}
	delivered := prepare
	delivered.Amount = prepare.Amount * p.multiply / p.divide
	if p.hops != nil {
		delivered.Amount = p.hops.convert(prepare.Amount)
	}
	reply := connection.Receive(delivered.Amount, delivered.Condition, delivered.Data, p.asset, p.limited())
	if reply.Type() == packet.TypeFulfill {
		p.received += delivered.Amount
	}
	if p.after != nil {
		reply = p.after(n, prepare, reply)
	}
	return reply, nil
}

func (p *path) limited() *stream.Limit {
	if p.limit == nil {
		return nil
	}
	limit := p.limit()
	return &limit
}

func (p *path) tooLarge(prepare packet.Prepare) packet.Reply {
	j := packet.NewReject(packet.TooLarge, "test.path", "too large")
	if !p.bareF08 {
		// The path's own units are twice the sender's.
		j.Data = packet.AmountTooLarge{Received: prepare.Amount * 2, Maximum: p.max * 2}.Append(nil)
	}
	return j
}

// receive gives a connection a packet of whose amount all arrives.
func receive(c *stream.Connection, p packet.Prepare, asset ilp.Asset) packet.Reply {
	return c.Receive(p.Amount, p.Condition, p.Data, asset, nil)
}

// fulfillable returns a Prepare with that STREAM packet in it, as a sender who knows the secret makes it.
func fulfillable(t testing.TB, secret [32]byte, amount uint64, p stream.Packet) packet.Prepare {
	t.Helper()
	keys := stream.NewKeys(secret)
	data, err := keys.Seal(newRandom(), p.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	return packet.Prepare{
		Amount:      amount,
		Condition:   stream.Condition(keys.Fulfillment(data)),
		Destination: address.Address("test.receiver.x"),
		Data:        data,
	}
}

// open returns the STREAM packet in a reply's data.
func open(t testing.TB, secret [32]byte, reply packet.Reply) stream.Packet {
	t.Helper()
	var data []byte
	switch reply := reply.(type) {
	case *packet.Fulfill:
		data = reply.Data
	case *packet.Reject:
		data = reply.Data
	}
	plaintext, err := stream.NewKeys(secret).Open(data)
	if err != nil {
		t.Fatalf("%v has no STREAM packet: %v", reply, err)
	}
	p, err := stream.DecodePacket(plaintext)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rewrite changes the STREAM packet in a reply, as only the receiver could.
func (p *path) rewrite(prepare packet.Prepare, reply packet.Reply, change func(request stream.Packet, answer *stream.Packet)) packet.Reply {
	keys := stream.NewKeys(p.secret)
	plaintext, err := keys.Open(prepare.Data)
	if err != nil {
		return reply
	}
	request, err := stream.DecodePacket(plaintext)
	if err != nil {
		return reply
	}
	seal := func(data []byte) []byte {
		plaintext, err := keys.Open(data)
		if err != nil {
			return data
		}
		answer, err := stream.DecodePacket(plaintext)
		if err != nil {
			return data
		}
		change(request, &answer)
		data, err = keys.Seal(newRandom(), answer.Append(nil))
		if err != nil {
			return nil
		}
		return data
	}
	switch reply := reply.(type) {
	case *packet.Fulfill:
		reply.Data = seal(reply.Data)
	case *packet.Reject:
		reply.Data = seal(reply.Data)
	}
	return reply
}
