package simulation

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"pochi/ilp/connector"
	"pochi/ilp/packet"
)

// wire is one direction of a link between two nodes, with what its node may send over it.
type wire struct {
	world    *world
	from, to *node
	at       id // the account of to at from, and its id as a peer
	back     id // that of from at to
	name     string

	mu       sync.Mutex
	flights  int
	value    uint64
	passages []*passage
	forgot   time.Time
}

// forget is called when the node has its peer as a new one, of whose packets in flight it knows nothing.
func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forgot = time.Now()
}

// passage is one packet that was sent over a wire.
type passage struct {
	*wire
	*cargo
	by     *visit
	visits []*visit // at the node that it was sent to: more than one if it was repeated
	// carried is the money that could be lost: none of a packet that only asks.
	carried uint64
}

// SendPacket implements connector.Link.
func (w *wire) SendPacket(ctx context.Context, p *packet.PrepareView) (reply packet.Reply, err error) {
	v := visitOf(ctx)
	g := &passage{wire: w, by: v}
	g.cargo = w.world.load(w.name, p, w.from.now, g.arrive)
	w.begin(g, v)
	v.depart(g)
	defer w.end(g)
	return g.carry()
}

// tryAll asks the peer something that takes up all that may be in flight: nothing is any more.
func (w *wire) tryAll() {
	p := w.from.peer(w.at)
	prepare := packet.Prepare{
		Amount: max(1, p.MaxInFlightValue), ExpiresAt: w.from.now().Add(20 * time.Second), Condition: [32]byte{1: w.at[1], 2: w.at[2]},
		Destination: w.to.address + ".nobody",
	}
	wire, err := prepare.Append(nil)
	if err != nil {
		w.world.failf("%v", err)
	}
	view, err := packet.ViewPrepare(wire)
	if err != nil {
		w.world.failf("%v", err)
	}
	ctx, v := w.from.visit(context.Background(), nil, &view)
	v.probe = true
	reply, err := w.from.connector.Handle(ctx, connector.FromWallet(w.at, p.Asset, id{}), &view)
	v.end(reply, err)
	if v.sent == nil {
		w.world.failf("%s: nothing is in flight, and a packet of %d may not leave: %+v", w.name, prepare.Amount, reply)
	}
	if text := fmt.Sprint(reply); strings.Contains(text, "in flight") {
		w.world.failf("%s: nothing is in flight, and %s", w.name, text)
	}
}

// arrive has the peer handle the packet.
func (g *passage) arrive() (packet.Reply, error) {
	view, err := packet.ViewPrepare(append([]byte(nil), g.bytes...))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), max(0, view.ExpiresAt().Sub(g.to.now())))
	defer cancel()
	ctx, v := g.to.visit(ctx, g.wire, &view)
	g.cargo.mu.Lock()
	g.visits = append(g.visits, v)
	g.cargo.mu.Unlock()
	reply, err := g.to.connector.Handle(ctx, connector.FromPeer(g.back), &view)
	v.end(reply, err)
	if err != nil {
		return nil, fmt.Errorf("status 500: %w", err)
	}
	return viewed(reply), nil
}

// begin counts a packet in, and fails the test if its node sends more than was agreed with the peer, or the same packet twice at
// once, or on a wrong way.
func (w *wire) begin(g *passage, v *visit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passages = append(w.passages, g)
	w.flights++
	if !v.probe {
		g.carried = g.amount
	}
	w.value += g.carried
	p := w.from.peer(w.at)
	if p == nil {
		return // removed since the packet came
	}
	if known := time.Since(w.forgot) > maxHold; known && !w.from.changed() {
		w.limits(v, p)
	}
	if v.from != nil && v.from.from == w.to {
		v.failf("goes back to where it came from")
	}
	if next := w.from.next(v); next != w.to && !w.from.changed() {
		v.failf("goes to %s", w.to.name)
	}
}

func (w *wire) limits(v *visit, p *connector.Peer) {
	if most := p.MaxInFlightCount; most > 0 && uint64(w.flights) > most {
		v.failf("%d packets are in flight over %s", w.flights, w.name)
	}
	if most := p.MaxInFlightValue; most > 0 && v.amount > 0 && w.value > most {
		v.failf("%d are in flight over %s", w.value, w.name)
	}
}

func (w *wire) end(g *passage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flights--
	w.value -= g.carried
}
