package paytest

import (
	"context"
	"sync"

	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Way is one direction of what joins two wallets: the sender's connector calls the
// receiver's, in process, with a copy of each packet.
type Way struct {
	to   *Wallet
	from uuid.UUID // the sender as the receiver knows it

	mu      sync.Mutex
	between func(p packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error)
}

// Between has f see each packet on its way; next delivers it and returns the answer.
func (w *Way) Between(f func(p packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.between = f
}

// SendPacket implements connector.Link.
func (w *Way) SendPacket(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
	w.mu.Lock()
	between := w.between
	w.mu.Unlock()
	wire := append([]byte(nil), p.Bytes()...)
	next := func() (packet.Reply, error) { return w.deliver(ctx, wire) }
	if between == nil {
		return next()
	}
	return between(p.Prepare(), next)
}

func (w *Way) deliver(ctx context.Context, wire []byte) (packet.Reply, error) {
	view, err := packet.ViewPrepare(append([]byte(nil), wire...))
	if err != nil {
		return nil, err
	}
	w.to.mu.Lock()
	node := w.to.Node
	w.to.mu.Unlock()
	reply, err := node.Handle(ctx, connector.FromPeer(w.from), &view)
	if err != nil {
		return nil, err
	}
	if wire, err = reply.Append(nil); err != nil {
		return nil, err
	}
	answer, err := packet.ViewReply(wire)
	return &answer, err
}

// Terms are on what two wallets exchange packets, in units of Asset.
type Terms struct {
	Asset ledger.Asset
	// LimitA is how much A lets B owe, LimitB how much B lets A owe.
	LimitA, LimitB uint64
}

// Line is two wallets that are peers, as each of them sees the other.
type Line struct {
	AtA, AtB uuid.UUID // the account of B at A, that of A at B
	ToA, ToB *Way
	a, b     *Wallet
	asset    ledger.Asset
}

// Join makes two wallets peers, each with a route to the other's address, and lets
// each ask the other for payment details. They must have the same clock.
func Join(a, b *Wallet, t Terms) *Line {
	l := &Line{a: a, b: b, asset: t.Asset, ToA: &Way{to: a}, ToB: &Way{to: b}}
	l.AtA = a.AddPeer(b.Address, t.Asset, t.LimitA, l.ToB)
	l.AtB = b.AddPeer(a.Address, t.Asset, t.LimitB, l.ToA)
	l.ToB.from, l.ToA.from = l.AtB, l.AtA
	a.Elsewhere.add(b)
	b.Elsewhere.add(a)
	return l
}

// Route gives A's peer B another prefix.
func (l *Line) Route(to address.Address) { l.a.route(l.AtA, to) }

// RouteBack gives B's peer A another prefix.
func (l *Line) RouteBack(to address.Address) { l.b.route(l.AtB, to) }

// Owed returns what A owes B by A's books, and by B's. They are below zero when B
// owes A.
func (l *Line) Owed() (byA, byB int64) {
	return l.a.Balance(l.AtA), -l.b.Balance(l.AtB)
}

// AddPeer makes a peer with an account, whose limit is what it may owe. Packets to it
// go to link.
func (w *Wallet) AddPeer(to address.Address, asset ledger.Asset, limit uint64, link connector.Link) uuid.UUID {
	w.t.Helper()
	ctx := context.Background()
	number, err := w.Ledger.OpenAsset(ctx, asset, ExchangeLimit)
	if err != nil {
		w.t.Fatal(err)
	}
	id := uuid.Must(uuid.NewV7())
	open := ledger.OpenAccount{ID: id, Ledger: number, Code: ledger.CodePeer, Limit: limit}
	err = w.Ledger.Submit(ctx, ledger.Chain{open}, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO peers (id, name, ilp_address, outgoing_url, outgoing_token, async, callback_url, max_packet,
			rate_limit, throughput, max_in_flight_value, max_in_flight_count, default_route, created_at) VALUES (?, ?, ?, '', '', 0, '', 0, 0, 0, 0, 0, 0, 0)`,
			id[:], id.String(), string(to))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.peers = append(w.peers, connector.Peer{
		ID: id, Name: string(to), Address: to, Account: id, Asset: ilp.Asset(asset), Link: link,
	})
	w.setPeers()
	return id
}

func (w *Wallet) route(peer uuid.UUID, to address.Address) {
	for i := range w.peers {
		if w.peers[i].ID == peer {
			w.peers[i].Routes = append(w.peers[i].Routes, to)
		}
	}
	w.setPeers()
}

func (w *Wallet) setPeers() {
	w.t.Helper()
	if err := w.Node.SetPeers(w.peers); err != nil {
		w.t.Fatal(err)
	}
}
