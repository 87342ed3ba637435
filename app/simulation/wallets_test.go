package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pochi/app/payments"
	"pochi/app/payments/paytest"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ledger"

	"github.com/google/uuid"
)

// chain is two or three wallets in a row, each a peer of the next, with real ledgers.
type chain struct {
	*world
	mu      sync.RWMutex // Start changes a wallet's parts
	wallets []*paytest.Wallet
	people  [][]paytest.Person
	roads   []*road
}

// road is one direction of a link between two wallets.
type road struct {
	chain    *chain
	name     string
	from, to *paytest.Wallet
	at, back uuid.UUID // each wallet's account at the other: of to at from, of from at to

	mu   sync.Mutex
	sent []*haul
}

// haul is a packet on a road, and how often the peer fulfilled it as far as it said so.
type haul struct {
	*cargo
	fulfilled uint64
	silent    bool // the peer itself couldn't say, once at least
}

// SendPacket implements connector.Link.
func (r *road) SendPacket(_ context.Context, p *packet.PrepareView) (packet.Reply, error) {
	h := new(haul)
	h.cargo = r.chain.load(r.name, p, time.Now, func() (packet.Reply, error) { return r.arrive(h) })
	r.mu.Lock()
	r.sent = append(r.sent, h)
	r.mu.Unlock()
	return h.carry()
}

func (r *road) arrive(h *haul) (packet.Reply, error) {
	view, err := packet.ViewPrepare(append([]byte(nil), h.bytes...))
	if err != nil {
		return nil, err
	}
	r.chain.mu.RLock()
	node := r.to.Node
	r.chain.mu.RUnlock()
	reply, err := node.Handle(context.Background(), connector.FromPeer(r.back), &view)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err != nil:
		h.silent = true
		return nil, fmt.Errorf("status 500: %w", err)
	case fulfills(reply, h.condition):
		h.fulfilled++
	}
	return viewed(reply), nil
}

func newChain(t *testing.T, seed uint64) *chain {
	c := &chain{world: &world{t: t, seed: seed, counts: map[string]int{}}}
	dice := c.dice("wallets")
	c.trouble, c.latency = []int{0, 50, 200, 200}[dice.IntN(4)], time.Second
	currencies := []ledger.Asset{paytest.USD, paytest.EUR, paytest.JPY}
	addresses := []address.Address{"test.b.a", "test.b", "test.b.c"} // the second is the way to all that begins as it does
	for i := range 2 + dice.IntN(2) {
		w := paytest.New(t, paytest.Options{
			Address: addresses[i], Host: string(rune('a'+i)) + ".example", Clock: paytest.RealClock(), Log: quiet,
		})
		people := make([]paytest.Person, 2)
		for j := range people {
			people[j] = w.Person(fmt.Sprintf("person%d", j), currencies[dice.IntN(3)], "100000")
		}
		c.wallets, c.people = append(c.wallets, w), append(c.people, people)
	}
	for _, w := range c.wallets {
		for _, far := range c.wallets {
			if far != w {
				w.Elsewhere.Reach(far)
			}
		}
	}
	same, one := dice.IntN(2) == 0, currencies[dice.IntN(3)]
	for i := range len(c.wallets) - 1 {
		asset := currencies[dice.IntN(3)]
		if same {
			asset = one
		}
		c.join(c.wallets[i], c.wallets[i+1], asset, 1<<(16+dice.Uint64N(24)))
	}
	return c
}

// join makes two wallets peers, each of which is the other's way to all that is behind it.
func (c *chain) join(a, b *paytest.Wallet, asset ledger.Asset, limit uint64) {
	ab := &road{chain: c, name: a.Host + b.Host, from: a, to: b}
	ba := &road{chain: c, name: b.Host + a.Host, from: b, to: a}
	ab.at = a.AddPeer(b.Address, asset, limit, ab)
	ba.at = b.AddPeer(a.Address, asset, limit, ba)
	ab.back, ba.back = ba.at, ab.at
	c.roads = append(c.roads, ab, ba)
}

// run has payments made while wallets crash, and returns when all have ended.
func (c *chain) run(count int) {
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() { c.pay(i) })
	}
	if c.trouble > 0 {
		all.Go(c.crash)
	}
	all.Wait()
	time.Sleep(10 * time.Minute) // workers try again what they couldn't end
	synctest.Wait()
}

func (c *chain) pay(i int) {
	dice := c.dice("payment", []byte{byte(i)})
	from, to := dice.IntN(len(c.wallets)), dice.IntN(len(c.wallets))
	if from == to && dice.IntN(4) > 0 {
		to = (to + 1) % len(c.wallets) // those within a wallet are no news
	}
	payer := c.people[from][dice.IntN(2)]
	pointer := fmt.Sprintf("$%s/person%d", c.wallets[to].Host, dice.IntN(2))
	amount, fixed := fmt.Sprint(1+dice.Uint64N(1<<dice.IntN(12))), []payments.Fixed{payments.FixedDebit, payments.FixedReceive}[dice.IntN(2)]
	time.Sleep(time.Duration(dice.Int64N(int64(10 * time.Second))))
	ctx := context.Background()
	var service *payments.Service
	var q payments.Quote
	err := errors.New("not tried")
	for try := 0; err != nil && try < 5; try++ { // as people do
		c.mu.RLock()
		service = c.wallets[from].Payments
		c.mu.RUnlock()
		q, err = service.Quote(ctx, payer.ID, payments.QuoteRequest{AccountID: payer.Account, To: pointer, Amount: amount, Fixed: fixed})
	}
	if err != nil {
		c.count("not quoted")
		return
	}
	if _, err := service.Confirm(ctx, payer.ID, q.ID); err != nil {
		c.count("not confirmed")
		return
	}
	service.Wait(ctx, q.ID)
}

// crash crashes wallets, now and then.
func (c *chain) crash() {
	dice := c.dice("crash")
	for range 2 * dice.IntN(2) {
		time.Sleep(time.Duration(dice.Int64N(int64(6 * time.Second))))
		w := c.wallets[1] // it has most to do
		if dice.IntN(3) == 0 {
			w = c.wallets[dice.IntN(len(c.wallets))]
		}
		w.Crash()
		time.Sleep(time.Duration(dice.Int64N(int64(3 * time.Second))))
		c.mu.Lock()
		w.Start(true)
		c.mu.Unlock()
		c.count("crash")
	}
}

// Payments between wallets with real ledgers, some of which crash: what is true of the books in the end.
func TestWallets(t *testing.T) {
	counts := map[string]int{}
	for _, seed := range seeds(t, 3) {
		synctest.Test(t, func(t *testing.T) {
			c := newChain(t, seed)
			c.run(perNetwork)
			c.compare()
			for what, n := range c.counts {
				counts[what] += n
			}
		})
		if t.Failed() {
			t.Fatalf("%s=%d", seedEnv, seed)
		}
	}
	t.Log(table(counts))
	if os.Getenv(seedEnv) == "" && counts["payment completed"] == 0 {
		t.Error("nothing went well")
	}
}

func (c *chain) compare() {
	for i, w := range c.wallets {
		w.Rest()
		for _, d := range w.Defects() {
			c.failf("%s: %s: %s", w.Host, d.Name, d.Detail)
		}
		for _, p := range c.people[i] {
			w.Has(p) // nothing is held
		}
		if c.number(w, "SELECT count(*) FROM suspense") > 0 {
			c.count("a crash left something in suspense")
		}
		if c.number(w, "SELECT count(*) FROM suspense x JOIN accounts b ON b.n = x.bearer WHERE b.code = ?", ledger.CodeEquity) > 0 {
			c.count("a crash left something for the house to bear")
		}
		c.compareRows(w)
		c.compareExchange(w)
	}
	for i := 0; i < len(c.roads); i += 2 {
		c.comparePair(c.roads[i], c.roads[i+1])
	}
}

// number is the answer to a query for one.
func (c *chain) number(w *paytest.Wallet, query string, args ...any) (n int64) {
	if err := w.DB.Read.QueryRow(query, args...).Scan(&n); err != nil {
		c.failf("%s: %s: %v", w.Host, query, err)
	}
	return n
}

// compareRows: every payment has ended, complete or for a reason, and what was sent, came back and is in suspense is all of it.
func (c *chain) compareRows(w *paytest.Wallet) {
	rows, err := w.DB.Read.Query("SELECT id, user_id FROM outgoing_payments")
	if err != nil {
		c.failf("%v", err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id, user uuid.UUID
		if err := rows.Scan(&id, &user); err != nil {
			c.failf("%v", err)
		}
		out, err := w.Payments.FindOutgoing(context.Background(), user, id)
		if err != nil {
			c.failf("%v", err)
			continue
		}
		c.count("payment " + string(out.State))
		open := out.Suspended.Open.Value
		if !out.State.Ended() || (out.State == payments.Failed) != (out.Reason != "") {
			c.failf("%s: payment %+v", w.Host, out)
		}
		if out.SentAmount.Value+out.Back().Value+open != out.DebitAmount.Value {
			c.failf("%s: sent, suspended and returned is not all of %+v", w.Host, out)
		}
		if out.State == payments.Completed && out.DeliveredAmount.Value+uint64(out.Packets) < out.ReceiveAmount.Value {
			c.failf("%s: %s were quoted: %+v", w.Host, out.ReceiveAmount, out)
		}
		if c.trouble == 0 && (out.Doubted.Value != 0 || open != 0) {
			c.failf("%s: no trouble, and in doubt: %+v", w.Host, out)
		}
	}
}

// compareExchange: what a wallet has from exchanging is never worth less than what it gave: every rounding is in its favour.
func (c *chain) compareExchange(w *paytest.Wallet) {
	sum := new(big.Rat)
	for asset, units := range map[ledger.Asset]*big.Rat{
		paytest.USD: big.NewRat(100, 1), paytest.EUR: big.NewRat(9137, 100), paytest.JPY: big.NewRat(14962, 100),
	} {
		has := w.Balance(ledger.HouseAccount(asset, ledger.CodeExchange))
		sum.Add(sum, new(big.Rat).Quo(big.NewRat(has, 1), units))
	}
	// What a crash interrupted between two currencies is in suspense on one side, and on the other not yet.
	if open := c.number(w, "SELECT count(*) FROM suspense WHERE state = 0"); sum.Sign() < 0 && open == 0 {
		c.failf("%s: exchanging has lost %s dollars", w.Host, sum.FloatString(4))
	}
}

// comparePair: two wallets' books differ by what one fulfilled without the other having heard of it, which is in doubt there
// unless the road forged or repeated it; and when one crashed, by what it heard and couldn't write any more, which is in suspense.
func (c *chain) comparePair(ab, ba *road) {
	const doubted = "SELECT coalesce(sum(amount), 0) FROM peer_doubts WHERE peer = ?"
	const suspended = "SELECT coalesce(sum(x.amount), 0) FROM suspense x JOIN accounts a ON a.n = x.counterparty WHERE a.id = ? AND x.state = 0"
	differ := -ab.from.Balance(ab.at) - ba.from.Balance(ba.at)
	var least, most int64
	for _, r := range []*road{ab, ba} {
		claims, hidden, lost, silent := r.claims()
		doubts, suspense := c.number(r.from, doubted, r.at[:]), c.number(r.from, suspended, r.at[:])
		if doubts > lost || doubts+suspense < claims-hidden {
			c.failf("%s: %d are in doubt and %d in suspense, of %d about which nothing was heard; of these the peer fulfilled %d",
				r.name, doubts, suspense, lost, claims-hidden)
		}
		least += claims
		most += claims + suspense + silent
	}
	if differ < least || differ > most {
		c.failf("%s: the books differ by %d, and the packets say %d, or up to %d with what crashes interrupted", ab.name, differ, least, most)
	}
}

// claims is what the peer fulfilled and wasn't paid for as the answers went, hidden what of it the road forged or repeated, and
// lost what nothing was heard about, by whatever cause; about silent the peer's own books didn't know.
func (r *road) claims() (claims, hidden, lost, silent int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.sent {
		amount, times := int64(h.amount), int64(h.fulfilled)
		if h.word == fulfilled {
			times--
		}
		if times < 0 {
			r.chain.failf("%s: a packet of %d was paid that the peer didn't fulfill", r.name, h.amount)
		}
		claims += times * amount
		if h.silent {
			silent += amount
		}
		switch {
		case h.word == nothing || h.word == late:
			lost += amount
			hidden += max(0, times-1) * amount
		default:
			hidden += times * amount
		}
		if times > 0 && h.word != nothing && h.word != late && h.fate != forgedAfter && h.fate != twice && h.fate != again {
			r.chain.failf("%s: a packet of %d (%s) was fulfilled, and %s heard", r.name, h.amount, h.fate, h.word)
		}
	}
	return claims, hidden, lost, silent
}
