package simulation

import (
	"context"
	"crypto/sha256"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// node is a connector with books in memory.
type node struct {
	world     *world
	name      string
	address   address.Address
	skew      time.Duration // of its clock
	connector *connector.Connector
	receiver  *stream.Receiver
	books     *books
	market    *market
	people    []id

	mu      sync.Mutex
	peers   []connector.Peer
	moved   time.Time // when the peers changed last
	active  map[[32]byte]int
	visited []*visit
}

func newNode(w *world, name string) *node {
	n := &node{world: w, name: name, address: address.Address("test." + name), active: map[[32]byte]int{}}
	dice := w.dice("node " + name)
	if w.skews {
		n.skew = time.Duration(dice.Int64N(int64(4*time.Second))) - 2*time.Second
	}
	n.books = newBooks(n)
	n.market = &market{worth: values, spread: dice.Int64N(3) * 25}
	var err error
	if n.receiver, err = stream.NewReceiver(n.address, [32]byte{1}, &source{random: w.chacha("receiver " + name)}); err != nil {
		w.t.Fatal(err)
	}
	n.connector, err = connector.New(connector.Config{
		Address: n.address, Receiver: n.receiver, Payees: n.books, Books: n.books, Rates: n.market,
		Now: n.now, Log: quiet,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for range 3 {
		n.addPerson(assets[dice.IntN(len(assets))])
	}
	return n
}

// source is a source of randomness for many at once.
type source struct {
	mu     sync.Mutex
	random *rand.ChaCha8
}

func (s *source) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.Read(b)
}

const fortune = 1 << 50

func (n *node) addPerson(asset ilp.Asset) {
	person := id(sha256.New().Sum([]byte(n.name))[:16])
	person[15], person[14] = byte(len(n.people)+1), 0xaa
	n.people = append(n.people, person)
	move(n.books.equity(asset), n.books.open(person, asset, 0), fortune)
}

func (n *node) now() time.Time { return time.Now().Add(n.skew) }

// Now and Sleep implement stream.Clock.
func (n *node) Now() time.Time { return n.now() }

func (n *node) Sleep(ctx context.Context, d time.Duration) error {
	return stream.SystemClock{}.Sleep(ctx, d)
}

// begin and end are a visit's. Two of the same packet at once are twins.
func (n *node) begin(v *visit) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.visited = append(n.visited, v)
	v.twin = n.active[v.condition] > 0
	n.active[v.condition]++
}

func (n *node) end(v *visit) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.active[v.condition]--; n.active[v.condition] == 0 {
		delete(n.active, v.condition)
	}
}

// setPeers changes the node's peers.
func (n *node) setPeers(change func([]connector.Peer) []connector.Peer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.peers = change(slices.Clone(n.peers))
	n.moved = time.Now()
	if err := n.connector.SetPeers(n.peers); err != nil {
		n.world.failf("%v", err)
	}
}

// changed reports whether the peers changed while a packet may have been between two steps.
func (n *node) changed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Since(n.moved) < 10*time.Millisecond
}

func (n *node) peer(at id) *connector.Peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.peers {
		if p.ID == at {
			return &p
		}
	}
	return nil
}

// next is where a packet has to go, by the longest prefix.
func (n *node) next(v *visit) *node {
	came, err := packet.ViewPrepare(v.wire)
	if err != nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var best *node
	longest := -1
	for _, p := range n.peers {
		for _, prefix := range append([]address.Address{p.Address}, p.Routes...) {
			if strings.HasPrefix(string(came.Destination())+".", string(prefix)+".") && len(prefix) > longest {
				best, longest = p.Link.(*wire).to, len(prefix)
			}
		}
		if p.Default && longest < 0 {
			best, longest = p.Link.(*wire).to, 0
		}
	}
	return best
}

// origin is the link of a payment at its own node.
type origin struct {
	node    *node
	payment *payment
	link    stream.Link
	probe   bool
}

// SendPacket implements stream.Link.
func (o *origin) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	return o.SendMoney(ctx, p, 0)
}

// SendMoney implements stream.MinimumLink.
func (o *origin) SendMoney(ctx context.Context, p packet.Prepare, least uint64) (packet.Reply, error) {
	wire, err := p.Append(nil)
	if err != nil {
		return nil, err
	}
	view, err := packet.ViewPrepare(wire)
	if err != nil {
		return nil, err
	}
	launched := time.Now()
	// Packets leave one after another, so that a seed always makes the same network.
	time.Sleep(time.Duration(1 + o.node.world.dice("leave", view.Bytes()).Int64N(int64(time.Millisecond))))
	ctx, v := o.node.visit(ctx, nil, &view)
	v.payment, v.probe, v.least, v.began = o.payment, o.probe, least, launched
	v.open = stream.Condition(stream.NewKeys(o.payment.secret).Fulfillment(p.Data)) == p.Condition
	if v.open != (p.Amount > 0 && !o.probe) {
		v.failf("reserved for is %t, and it can be fulfilled is %t", !o.probe, v.open)
	}
	if v.open {
		o.payment.add(v)
	}
	reply, err := o.link.(stream.MinimumLink).SendMoney(ctx, p, least)
	v.end(reply, err)
	return reply, err
}

// wallet is the link of a payment, or of a question if probe is set.
func (n *node) wallet(p *payment, probe bool) *origin {
	reference := p.reference
	if probe {
		reference = id{}
	}
	return &origin{n, p, n.connector.Link(connector.FromWallet(p.account, p.asset, reference)), probe}
}
