package simulation

import (
	"math/big"

	"pochi/ilp"
)

// compare compares, when all is over, what the packets' ways add up to with the books, those of each two peers with each other,
// and what senders say with both.
func (w *world) compare() {
	for _, n := range w.nodes {
		w.compareNode(n)
	}
	for i := 0; i < len(w.wires); i += 2 {
		w.comparePair(w.wires[i], w.wires[i+1])
	}
	for _, p := range w.payments {
		w.comparePayment(p)
	}
}

// compareNode: nothing is in flight, what is owed in each asset sums to zero, and each account has what its packets moved.
func (w *world) compareNode(n *node) {
	want := map[id]*big.Int{}
	add := func(account id, amount uint64, sign int64) {
		if want[account] == nil {
			want[account] = new(big.Int)
		}
		x := new(big.Int).SetUint64(amount)
		want[account].Add(want[account], x.Mul(x, big.NewInt(sign)))
	}
	for _, v := range n.visited {
		if v.reply == nil && v.err == nil {
			w.failf("%s: a packet of %d has no end", n.name, v.amount)
		}
		if d := v.moved(); d != nil {
			add(d.From.Account, d.AmountIn, -1)
			add(d.To.Account, d.AmountOut, 1)
		}
	}
	for _, person := range n.people {
		add(person, fortune, 1)
	}
	sums := map[ilp.Asset]*big.Int{}
	for key, a := range n.books.accounts {
		if a.pending != 0 {
			w.failf("%s: account %x has %d in flight", n.name, key, a.pending)
		}
		if sums[a.asset] == nil {
			sums[a.asset] = new(big.Int)
		}
		sums[a.asset].Add(sums[a.asset], &a.balance)
		if key[0] == 0xff || key[0] == 0xfe {
			continue // the house's own
		}
		if want[key] == nil {
			want[key] = new(big.Int)
		}
		if a.balance.Cmp(want[key]) != 0 {
			w.failf("%s: account %x has %v, its packets say %v", n.name, key, &a.balance, want[key])
		}
	}
	for asset, sum := range sums {
		if sum.Sign() != 0 {
			w.failf("%s: the accounts in %v sum to %v", n.name, asset, sum)
		}
	}
	if len(n.books.holds) > 0 || len(n.active) > 0 {
		w.failf("%s: %d payments are reserved for, %d packets under way", n.name, len(n.books.holds), len(n.active))
	}
}

// comparePair: what two nodes say that they owe each other differs by what one has in doubt, what a link forged, and what it
// repeated.
func (w *world) comparePair(ab, ba *wire) {
	differ := new(big.Int)
	for _, direction := range []*wire{ab, ba} {
		claims, doubts := direction.claims()
		differ.Add(differ, new(big.Int).SetUint64(claims))
		if got := direction.from.books.doubts[direction.at]; got != doubts {
			w.failf("%s: %d are in doubt, and the packets say %d", direction.name, got, doubts)
		}
	}
	both := new(big.Int).Add(&ab.from.books.accounts[ab.at].balance, &ba.from.books.accounts[ba.at].balance)
	if both.Neg(both).Cmp(differ) != 0 {
		w.failf("%s: the two differ by %v, and the packets say %v", ab.name, both, differ)
	}
}

// claims is what the peer has fulfilled without being paid for it, and doubts what the node has in doubt.
func (w *wire) claims() (claims, doubts uint64) {
	for _, g := range w.passages {
		moved := uint64(0)
		for _, v := range g.visits {
			if v.moved() != nil {
				moved++
			}
		}
		paid, repeated := g.by.state == posted, g.fate == twice || g.fate == again
		if g.by.doubt != "" {
			doubts += g.amount
		}
		switch {
		case paid && moved == 0:
			w.world.failf("%s: a packet of %d was paid that the peer didn't fulfill", w.name, g.amount)
		case moved > 1 && !repeated:
			w.world.failf("%s: a packet of %d (%s) was fulfilled %d times", w.name, g.amount, g.fate, moved)
		case !paid && moved > 0 && g.by.doubt == "" && g.fate != forgedAfter && !repeated:
			w.world.failf("%s: a packet of %d (%s) was fulfilled, and nobody knows: %q, heard %s", w.name, g.amount, g.fate, g.by.state, g.word)
		}
		if moved > 0 {
			claims += moved * g.amount
			if paid {
				claims -= g.amount
			}
		}
	}
	return claims, doubts
}

// comparePayment: the sender says what the books say, and what was agreed has arrived.
func (w *world) comparePayment(p *payment) {
	var sent, unknown, arrived, told uint64
	exact := true
	for _, v := range p.visits {
		switch {
		case v.err != nil:
			unknown += v.amount
		case fulfills(v.reply, v.condition):
			sent += v.amount
			told += v.least
			got, sure := v.arrived()
			arrived += got
			exact = exact && sure
		}
	}
	r := p.result
	if r.Sent != sent || r.Unknown != unknown || p.spent != sent+p.undone() {
		w.failf("payment %d: sent %d, unknown %d, and the packets say %d and %d; %d were spent", p.n, r.Sent, r.Unknown, sent, unknown, p.spent)
	}
	if r.Delivered < told || r.Delivered > arrived || exact && r.Delivered != arrived {
		w.failf("payment %d: delivered %d, and the packets say %d (at least %d)", p.n, r.Delivered, arrived, told)
	}
	if sent+unknown > p.amount {
		w.failf("payment %d of %d: %d were sent, and %d more are unknown", p.n, p.amount, sent, unknown)
	}
	if p.err == nil {
		w.compareComplete(p)
	}
	w.compareOrder(p)
}

// undone is what left the account of packets whose sender was told nothing, because this very node's books couldn't say it.
func (p *payment) undone() (sum uint64) {
	for _, v := range p.visits {
		if v.err != nil && v.moved() != nil {
			sum += v.amount
		}
	}
	return sum
}

// compareComplete: of a payment that succeeded all was sent, or all arrived, at the price that was agreed.
func (w *world) compareComplete(p *payment) {
	r := p.result
	all := r.Sent == p.amount || p.params.FixedReceive && !p.whole && r.Delivered >= p.params.MinDelivered
	if !all || r.Unknown != 0 {
		w.failf("payment %d is complete with %+v of %+v", p.n, r, p.params)
	}
	if r.Delivered+min(p.params.MaxRounding, r.Packets-1) < p.params.MinDelivered {
		w.failf("payment %d: %d arrived in %d packets, agreed were %d", p.n, r.Delivered, r.Packets, p.params.MinDelivered)
	}
	if got := r.Delivered; p.fixed && !p.whole && got > p.params.MinDelivered {
		w.count("a fixed receipt brought more than was asked for")
	}
}

// compareOrder: after an answer that was lost to the wallet itself no more money was sent, and none after the deadline.
func (w *world) compareOrder(p *payment) {
	for _, lost := range p.visits {
		for _, v := range p.visits {
			if lost.err != nil && v.began.After(lost.ended) {
				w.failf("payment %d: %d were sent after an answer was lost", p.n, v.amount)
			}
		}
		if !p.params.Deadline.IsZero() && lost.expires.After(p.params.Deadline) {
			w.failf("payment %d: a packet expires after the payment's deadline", p.n)
		}
	}
}

// arrived is what the last receiver got of a fulfilled packet: surely so much, unless a link repeated it or garbled what the
// receiver said.
func (v *visit) arrived() (amount uint64, sure bool) {
	if v.delivered != nil {
		return v.delivered.AmountOut, true
	}
	if v.sent == nil {
		return 0, false
	}
	sure = v.sent.fate != twice && v.sent.fate != again && v.sent.fate != garbledAnswer
	for _, next := range v.sent.visits {
		if fulfills(next.reply, next.condition) {
			got, surely := next.arrived()
			amount, sure = max(amount, got), sure && surely
		}
	}
	return amount, sure
}
