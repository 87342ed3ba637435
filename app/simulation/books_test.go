package simulation

import (
	"context"
	"fmt"
	"math/big"
	"sync"
	"time"

	"pochi/ilp"
	"pochi/ilp/connector"
)

type id = [16]byte

// books is double-entry bookkeeping in memory, on the rules of connector.Books. It tells the visit that a packet makes to its
// node of each call, and fails the test when the calls break the rules.
type books struct {
	node *node

	mu       sync.Mutex
	accounts map[id]*account
	holds    map[id]*hold // of payments, by reference
	doubts   map[id]uint64
}

// account is a sum of what was credited less what was debited. It may be overdrawn by limit.
type account struct {
	asset   ilp.Asset
	balance big.Int
	pending uint64
	limit   uint64
}

// hold is what is reserved for a payment.
type hold struct {
	account      *account
	left         uint64
	taken, spent uint64
}

func newBooks(n *node) *books {
	return &books{node: n, accounts: map[id]*account{}, holds: map[id]*hold{}, doubts: map[id]uint64{}}
}

func (b *books) open(account_ id, asset ilp.Asset, limit uint64) *account {
	a := &account{asset: asset, limit: limit}
	b.accounts[account_] = a
	return a
}

// exchange is the node's own account for exchanging an asset: what it owes may be anything.
func (b *books) exchange(asset ilp.Asset) *account {
	key := id{0: 0xff, 1: asset.Scale}
	copy(key[2:], asset.Code)
	if a := b.accounts[key]; a != nil {
		return a
	}
	return b.open(key, asset, 1<<62)
}

// equity is where people's first money comes from.
func (b *books) equity(asset ilp.Asset) *account {
	key := id{0: 0xfe, 1: asset.Scale}
	copy(key[2:], asset.Code)
	if a := b.accounts[key]; a != nil {
		return a
	}
	return b.open(key, asset, 1<<63)
}

func (a *account) can(amount uint64) bool {
	room := new(big.Int).Add(&a.balance, new(big.Int).SetUint64(a.limit))
	room.Sub(room, new(big.Int).SetUint64(a.pending))
	return room.Cmp(new(big.Int).SetUint64(amount)) >= 0
}

func move(from, to *account, amount uint64) {
	n := new(big.Int).SetUint64(amount)
	from.balance.Sub(&from.balance, n)
	to.balance.Add(&to.balance, n)
}

// reserve sets a payment's money aside.
func (b *books) reserve(reference id, from *account, amount uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !from.can(amount) {
		return false
	}
	from.pending += amount
	b.holds[reference] = &hold{account: from, left: amount}
	return true
}

// close ends a payment. It returns what of it was spent.
func (b *books) close(reference id) (spent uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.holds[reference]
	if h.taken != 0 {
		b.node.world.failf("%s: a payment has ended with %d in flight", b.node.name, h.taken)
	}
	h.account.pending -= h.left
	delete(b.holds, reference)
	return h.spent
}

// legs are the two sides of a packet's money: one pair of accounts within an asset, two across.
func (b *books) legs(d connector.Delivery) (from, to *account, err error) {
	from, to = b.accounts[d.From.Account], b.accounts[d.To.Account]
	if from == nil || to == nil || from.asset != d.From.Asset || to.asset != d.To.Asset {
		return nil, nil, fmt.Errorf("no accounts for %+v", d)
	}
	return from, to, nil
}

// refuse says why the money can't move. The caller has mu.
func (b *books) refuse(d connector.Delivery) error {
	from, to, err := b.legs(d)
	if err != nil {
		return err
	}
	if d.From.Peer {
		if !from.can(d.AmountIn) {
			return connector.ErrInsufficient
		}
	} else if h := b.holds[d.From.Reference]; h == nil || h.left < d.AmountIn {
		return fmt.Errorf("%w: not reserved", connector.ErrRefused)
	}
	if from.asset != to.asset && !b.exchange(to.asset).can(d.AmountOut) {
		return connector.ErrInsufficient
	}
	return nil
}

// CanDeliver implements connector.Books. A quote has nothing reserved.
func (b *books) CanDeliver(ctx context.Context, d connector.Delivery) error {
	b.node.work(ctx, "ask")
	b.mu.Lock()
	defer b.mu.Unlock()
	if !d.From.Peer && d.From.Reference == (id{}) {
		_, _, err := b.legs(d)
		return err
	}
	return b.refuse(d)
}

// Take implements connector.Books.
func (b *books) Take(ctx context.Context, d connector.Delivery) error {
	if err := b.node.work(ctx, "take"); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refuse(d); err != nil {
		return err
	}
	visitOf(ctx).take(d)
	b.hold(d, d.AmountIn, d.AmountOut)
	return nil
}

// hold adds to, or takes from, what is in flight.
func (b *books) hold(d connector.Delivery, in, out uint64) {
	from, to, _ := b.legs(d)
	if d.From.Peer {
		from.pending += in
	} else {
		h := b.holds[d.From.Reference] // its account has it pending already
		h.left -= in
		h.taken += in
	}
	if from.asset != to.asset {
		b.exchange(to.asset).pending += out
	}
}

// Post implements connector.Books.
func (b *books) Post(ctx context.Context, d connector.Delivery) error {
	b.node.work(ctx, "post")
	b.mu.Lock()
	defer b.mu.Unlock()
	if !visitOf(ctx).settle(ctx, d, posted, "") {
		return connector.ErrUnknown
	}
	b.hold(d, -d.AmountIn, -d.AmountOut)
	b.pay(d)
	return nil
}

// pay moves the money of a packet. The caller has mu.
func (b *books) pay(d connector.Delivery) {
	from, to, _ := b.legs(d)
	if !d.From.Peer {
		h := b.holds[d.From.Reference]
		h.left -= d.AmountIn
		h.spent += d.AmountIn
		from.pending -= d.AmountIn
	}
	if from.asset == to.asset {
		move(from, to, d.AmountIn)
		return
	}
	move(from, b.exchange(from.asset), d.AmountIn)
	move(b.exchange(to.asset), to, d.AmountOut)
}

// Release implements connector.Books.
func (b *books) Release(ctx context.Context, d connector.Delivery, doubt string) error {
	b.node.work(ctx, "release")
	b.mu.Lock()
	defer b.mu.Unlock()
	if !visitOf(ctx).settle(ctx, d, released, doubt) {
		return connector.ErrUnknown
	}
	b.hold(d, -d.AmountIn, -d.AmountOut)
	if doubt != "" {
		b.doubts[d.To.Account] += d.AmountOut
	}
	return nil
}

// Deliver implements connector.Books. Once in a while nobody can say what it did.
func (b *books) Deliver(ctx context.Context, d connector.Delivery) error {
	if err := b.node.work(ctx, "deliver"); err != nil {
		return err
	}
	v := visitOf(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refuse(d); err != nil {
		return err
	}
	lost := v.dice("deliver").IntN(1000) < b.node.world.trouble/2
	if lost && v.dice("not delivered").IntN(2) == 0 {
		return connector.ErrUnknown
	}
	v.deliver(d)
	b.pay(d)
	if lost {
		return connector.ErrUnknown
	}
	return nil
}

// Payee implements connector.Payees: the tag is an account.
func (b *books) Payee(_ context.Context, tag []byte) (connector.Party, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(tag) != 16 || b.accounts[id(tag)] == nil {
		return connector.Party{}, connector.ErrNoPayee
	}
	return connector.Party{Account: id(tag), Asset: b.accounts[id(tag)].asset, Reference: id(tag)}, nil
}

// work takes the time of a disk, and has the books busy once in a while when they may refuse.
func (n *node) work(ctx context.Context, what string) error {
	dice := visitOf(ctx).dice(what)
	if n.world.slowDisk {
		time.Sleep(time.Duration(dice.Int64N(int64(slowest))))
	}
	switch {
	case what != "take" && what != "deliver":
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case dice.IntN(1000) < n.world.trouble:
		return connector.ErrBusy
	}
	return nil
}
