package simulation

import (
	"context"
	"errors"
	"sync"
	"time"

	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// payment is one of a person's to another, at another node or the same.
type payment struct {
	n           int
	from, to    *node
	account, at id // who pays, and who is paid
	asset       ilp.Asset
	reference   id
	destination address.Address
	secret      [32]byte

	start, deadline time.Duration // after the network's start
	amount          uint64
	fixed, whole    bool
	slippage        uint64 // in 1/1,000
	inFlight        int

	mu     sync.Mutex
	visits []*visit // of its packets with money at its own node

	quoted stream.Probe
	params stream.SendParams
	result stream.Result
	err    error
	spent  uint64
}

func (p *payment) add(v *visit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.visits = append(p.visits, v)
}

// newPayment draws a payment.
func newPayment(w *world, n int) *payment {
	dice := w.dice("payment", []byte{byte(n), byte(n >> 8), byte(n >> 16)})
	p := &payment{n: n, from: w.nodes[dice.IntN(len(w.nodes))], to: w.nodes[dice.IntN(len(w.nodes))]}
	p.account, p.at = p.from.people[dice.IntN(len(p.from.people))], p.to.people[dice.IntN(len(p.to.people))]
	p.asset = p.from.books.accounts[p.account].asset
	p.reference = id{0: 1, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
	p.amount = 1 + dice.Uint64N(1<<(1+dice.IntN(28)))
	p.start = time.Duration(dice.Int64N(int64(w.span)))
	p.deadline = p.start + time.Duration(1+dice.IntN(90))*time.Second
	p.fixed, p.slippage = dice.IntN(3) == 0, dice.Uint64N(20)
	p.whole = p.from == p.to
	p.inFlight = []int{1, 3, 10, 0}[dice.IntN(4)]
	var err error
	if p.destination, p.secret, err = p.to.receiver.Credentials(p.at[:]); err != nil {
		w.t.Fatal(err)
	}
	if dice.IntN(20) == 0 { // to nobody, at an address like a node's: round and round, if the routes let it
		p.destination = p.to.address + "x.nobody"
	}
	return p
}

// pay asks what would arrive, reserves the money and sends it, as a wallet does.
func (p *payment) pay(w *world) {
	time.Sleep(p.start)
	ctx := context.Background()
	link := &turned{asks: p.from.wallet(p, true)}
	sender := stream.NewSender(stream.SenderConfig{
		Link: link, Destination: p.destination, Secret: p.secret, Clock: p.from,
		Random: w.chacha("payment " + string(p.reference[:])), MaxInFlight: p.inFlight,
	})
	if p.quoted, p.err = sender.Probe(ctx, p.amount); p.err != nil {
		w.count("not quoted: " + reason(p.err))
		return
	}
	least := p.quoted.AtLeast(p.quoted.Packets)
	p.params = stream.SendParams{
		Amount: p.amount, MinDelivered: max(1, least-least*p.slippage/1000), MaxRounding: p.quoted.Packets + 5, FixedReceive: p.fixed,
		Asset: p.quoted.Asset, Whole: p.whole, Deadline: p.from.now().Add(p.deadline - p.start),
	}
	if p.account == p.at && p.from == p.to || !p.from.books.reserve(p.reference, p.from.books.accounts[p.account], p.amount) {
		p.err = errors.New("not reserved")
		return
	}
	link.pays = p.from.wallet(p, false)
	p.result, p.err = sender.Send(ctx, p.params)
	sender.Close(ctx)
	p.spent = p.from.books.close(p.reference)
	w.count("sent: " + reason(p.err))
}

// turned asks over one link and pays over another, as soon as there is one.
type turned struct {
	asks *origin
	pays *origin
}

// SendPacket implements stream.Link.
func (t *turned) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	return t.asks.SendPacket(ctx, p)
}

// SendMoney implements stream.MinimumLink.
func (t *turned) SendMoney(ctx context.Context, p packet.Prepare, least uint64) (packet.Reply, error) {
	return t.pays.SendMoney(ctx, p, least)
}

func reason(err error) string {
	var f *stream.Failure
	switch {
	case err == nil:
		return "all"
	case errors.As(err, &f):
		return string(f.Reason)
	}
	return err.Error()
}
