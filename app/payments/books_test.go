package payments_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/app/payments"
	"pochi/app/payments/paytest"
	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// connect returns a new connection to somebody's pointer, as the books see it.
func connect(t testing.TB, w *paytest.Wallet, name string) connector.Party {
	t.Helper()
	to, err := w.Connect(name)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func peerParty(id uuid.UUID, asset ledger.Asset) connector.Party {
	return connector.Party{Account: id, Asset: ilp.Asset(asset), Peer: true}
}

// Packets of many connections at once, of which some are refused: each line has what
// its account got, to the unit.
func TestArrivalsAreSummedUp(t *testing.T) {
	w := newWallet(t)
	ben, cho := w.Person("ben", usd, ""), w.Person("cho", eur, "")
	const limit = 40_000
	peer := w.AddPeer("test.far", usd, limit, nil)
	connections := make([]connector.Party, 20)
	for i := range connections {
		connections[i] = connect(t, w.Wallet, []string{"ben", "cho"}[i%2])
	}
	var accepted [20]atomic.Int64
	var sent atomic.Int64
	var all sync.WaitGroup
	for i := range 2000 {
		all.Go(func() {
			to := i % len(connections)
			d := connector.Delivery{From: peerParty(peer, usd), To: connections[to], AmountIn: 21 + uint64(i%7), AmountOut: 21 + uint64(i%7)}
			if to%2 == 1 {
				d.AmountOut = 20
			}
			switch err := w.Books.Deliver(context.Background(), d); {
			case err == nil:
				accepted[to].Add(int64(d.AmountOut))
				sent.Add(int64(d.AmountIn))
			case !errors.Is(err, connector.ErrInsufficient):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := sent.Load(); n > limit || n < limit-28 || -w.Balance(peer) != n {
		t.Errorf("%d were sent, the peer owes %d and may owe %d", n, -w.Balance(peer), limit)
	}
	for i, to := range connections {
		whose := []person{ben, cho}[i%2]
		in, err := w.Payments.FindIncoming(context.Background(), whose.ID, to.Reference)
		if err != nil || int64(in.Received.Value) != accepted[i].Load() || in.UpdatedAt.Before(in.CreatedAt) || in.Packets == 0 {
			t.Errorf("connection %d got %d: %+v, %v", i, accepted[i].Load(), in, err)
		}
	}
	w.Check()
}

// A connection pays the account it was made for, wherever its pointer leads by now,
// until that account is closed.
func TestAConnectionKeepsToItsAccount(t *testing.T) {
	w := newWallet(t)
	ben := w.Person("ben", usd, "")
	peer := w.AddPeer("test.far", usd, 1000, nil)
	ctx := context.Background()
	early, spare := connect(t, w.Wallet, "ben"), connect(t, w.Wallet, "ben")
	savings, err := w.Accounts.Open(ctx, ben.ID, "EUR", "Savings")
	if err != nil {
		t.Fatal(err)
	}
	pointers, err := w.Accounts.Pointers(ctx, ben.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Accounts.Repoint(ctx, ben.ID, pointers[0].ID, savings); err != nil {
		t.Fatal(err)
	}
	if late := connect(t, w.Wallet, "ben"); late.Account != savings || late.Asset != ilp.Asset(eur) {
		t.Errorf("a new connection pays %+v", late)
	}
	d := connector.Delivery{From: peerParty(peer, usd), To: spare, AmountIn: 5, AmountOut: 5}
	if err := w.Accounts.Close(ctx, ben.ID, ben.Account); err != nil {
		t.Fatal(err)
	}
	d.To = early
	if err := w.Books.Deliver(ctx, d); !errors.Is(err, connector.ErrRefused) {
		t.Errorf("to a closed account: %v", err)
	}
	if err := w.Books.CanDeliver(ctx, d); !errors.Is(err, connector.ErrRefused) {
		t.Errorf("asked for a closed account: %v", err)
	}
	w.Check()
}

// Somebody's tag from a database that this one was restored from before it was there
// pays nobody, and stops nothing.
func TestUnknownPayees(t *testing.T) {
	w := newWallet(t)
	w.Person("ben", usd, "")
	w.Person("cho", usd, "")
	ben, cho := connect(t, w.Wallet, "ben"), connect(t, w.Wallet, "cho")
	tag := func(ids ...[16]byte) (tag []byte) {
		for _, id := range ids {
			tag = append(tag, id[:]...)
		}
		return tag
	}
	for name, tag := range map[string][]byte{
		"a tag of another length":  tag(ben.Pointer, ben.Reference),
		"an unknown pointer":       tag(uuid.New(), ben.Reference, ben.Account),
		"an unknown account":       tag(ben.Pointer, ben.Reference, uuid.New()),
		"another person's pointer": tag(cho.Pointer, ben.Reference, ben.Account),
		"no tag":                   nil,
	} {
		if to, err := w.Books.Payee(context.Background(), tag); !errors.Is(err, connector.ErrNoPayee) {
			t.Errorf("%s pays %+v, %v", name, to, err)
		}
	}
	if to, err := w.Books.Payee(context.Background(), tag(ben.Pointer, ben.Reference, ben.Account)); err != nil || to != ben {
		t.Errorf("Ben's tag pays %+v, %v", to, err)
	}
}

// A payment whose packets are in flight to one node can't send to another yet.
func TestTwoWaysAtOnce(t *testing.T) {
	p := newPair(t, usd, usd, dollars(), paytest.NewClock())
	other := p.a.AddPeer("test.other", usd, 0, nil)
	p.a.Stop()
	p.a.Start(false)
	ctx := context.Background()
	q := p.a.Quote(p.ann, farBen, "25", payments.FixedDebit)
	d := p.delivery(q, 100, 1)
	if err := p.a.Books.Take(ctx, d); !errors.Is(err, connector.ErrRefused) {
		t.Errorf("before it is confirmed: %v", err)
	}
	if _, err := p.a.Payments.Confirm(ctx, p.ann.ID, q.ID); err != nil {
		t.Fatal(err)
	}
	elsewhere := d
	elsewhere.To.Account = other
	steps := []struct {
		name string
		do   func() error
		want error
	}{
		{"take", func() error { return p.a.Books.Take(ctx, d) }, nil},
		{"take toward another", func() error { return p.a.Books.Take(ctx, elsewhere) }, connector.ErrBusy},
		{"release", func() error { return p.a.Books.Release(ctx, d, "") }, nil},
		{"take toward another now", func() error { return p.a.Books.Take(ctx, elsewhere) }, nil},
		{"release in doubt", func() error { return p.a.Books.Release(ctx, elsewhere, "no answer") }, nil},
		{"release again", func() error { return p.a.Books.Release(ctx, elsewhere, "") }, connector.ErrUnknown},
		{"post what isn't in flight", func() error { return p.a.Books.Post(ctx, d) }, connector.ErrUnknown},
	}
	for _, step := range steps {
		if err := step.do(); !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.name, err, step.want)
		}
	}
	if out := p.a.Outgoing(p.ann, q.ID); out.Doubted.Value != 100 || out.SentAmount.Value != 0 {
		t.Errorf("payment %+v", out)
	}
	p.agree(0)
}

// What one peer sends to another is bounded by what it may owe, and by what the wallet
// may owe from exchanging; what is posted is what one owes more and the other less.
func TestPeerToPeer(t *testing.T) {
	w := newWallet(t)
	in, out := w.AddPeer("test.in", usd, 1000, nil), w.AddPeer("test.out", eur, 0, nil)
	ctx := context.Background()
	d := connector.Delivery{From: peerParty(in, usd), To: peerParty(out, eur), AmountIn: 600, AmountOut: 548}
	if err := w.Books.CanDeliver(ctx, d); err != nil {
		t.Error(err)
	}
	if err := w.Books.Take(ctx, d); err != nil {
		t.Fatal(err)
	}
	w.Person("ben", usd, "")
	here := connector.Delivery{From: d.From, To: connect(t, w.Wallet, "ben"), AmountIn: 600, AmountOut: 600}
	for name, err := range map[string]error{
		"to a peer": w.Books.Take(ctx, d), "asked for that": w.Books.CanDeliver(ctx, d),
		"to somebody here": w.Books.Deliver(ctx, here), "asked for this": w.Books.CanDeliver(ctx, here),
	} {
		if !errors.Is(err, connector.ErrCredit) {
			t.Errorf("600 of 1000 are in flight, and 600 more %s: %v", name, err)
		}
	}
	if err := w.Books.Post(ctx, d); err != nil {
		t.Fatal(err)
	}
	if a, b := w.Balance(in), w.Balance(out); a != -600 || b != 548 {
		t.Errorf("balances are %d and %d", a, b)
	}
	if err := w.Books.Take(ctx, connector.Delivery{From: peerParty(out, eur), To: peerParty(in, usd), AmountIn: 100, AmountOut: 109}); err != nil {
		t.Errorf("the other way: %v", err)
	}
	w.Crash() // the money in flight: the sender's is free again, ours is in suspense
	w.Start(true)
	if a, b := w.Balance(in), w.Balance(out); a != -600 || b != 548 {
		t.Errorf("after a crash balances are %d and %d", a, b)
	}
	items, err := payments.ListSuspense(ctx, w.DB.Read, true)
	if err != nil || len(items) != 1 || items[0].Amount != 109 || items[0].Counterparty != in {
		t.Errorf("suspense %+v, %v", items, err)
	}
	w.Rest()
	w.Check()
}

// Packets under an agreement use its allowance in the chain that moves the money,
// whichever way they go.
func TestPacketsUseTheirAllowance(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	w.Person("ben", usd, "")
	peer := w.AddPeer("test.far", usd, 0, nil)
	ctx := context.Background()
	shop := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: usd}, "")
	interval := w.Interval(shop)
	packet := func(to connector.Party, amount uint64) connector.Delivery {
		return connector.Delivery{
			From: connector.Party{Account: ann.Account, Asset: ilp.Asset(usd), Reference: shop}, To: to, AmountIn: amount, AmountOut: amount,
			Authority: &connector.Authority{Account: interval, Asset: ilp.Asset(usd), Limit: 1000, Amount: amount},
		}
	}
	here, far := connect(t, w.Wallet, "ben"), peerParty(peer, usd)
	steps := []struct {
		name string
		err  error
		want error
	}{
		{"deliver", w.Books.Deliver(ctx, packet(here, 300)), nil},
		{"take", w.Books.Take(ctx, packet(far, 500)), nil},
		{"take too much", w.Books.Take(ctx, packet(far, 201)), connector.ErrAllowance},
		{"deliver too much", w.Books.Deliver(ctx, packet(here, 201)), connector.ErrAllowance},
		{"post a part", w.Books.Post(ctx, packet(far, 200)), nil},
		{"release the rest", w.Books.Release(ctx, packet(far, 300), ""), nil},
	}
	for _, step := range steps {
		if !errors.Is(step.err, step.want) {
			t.Errorf("%s: %v, want %v", step.name, step.err, step.want)
		}
	}
	if used, a := -w.Balance(interval), w.Balance(ann.Account); used != 500 || a != 9500 {
		t.Errorf("used %d, Ann has %d", used, a)
	}
	w.Rest()
	w.Check()
}

// The end of a packet is written as soon as the database has time for it. What can't
// be written at all is tried a few times, and then an admin's.
func TestThePacketsEndIsTriedAgain(t *testing.T) {
	w := newWallet(t)
	in, out := w.AddPeer("test.in", usd, 10_000, nil), w.AddPeer("test.out", usd, 0, nil)
	d := connector.Delivery{From: peerParty(in, usd), To: peerParty(out, usd), AmountIn: 600, AmountOut: 600}
	ctx := context.Background()
	for name, test := range map[string]struct {
		err   error
		times int // before it would go well
		want  error
		tries int
	}{
		"busy":         {fmt.Errorf("%w: somebody else writes", db.ErrBusy), 10, nil, 11},
		"full":         {fmt.Errorf("%w: a queue", db.ErrFull), 10, nil, 11},
		"broken twice": {errors.New("a constraint"), 2, nil, 3},
		"broken":       {errors.New("a constraint"), 1000, connector.ErrUnknown, 8},
		"stopped":      {db.ErrStopped, 1000, connector.ErrUnknown, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if err := w.Books.Take(ctx, d); err != nil {
				t.Fatal(err)
			}
			tries := 0
			w.Writer.Between(func(next func() error) error {
				if tries++; tries <= test.times {
					return test.err
				}
				return next()
			})
			err := w.Books.Release(ctx, d, "")
			w.Writer.Between(nil)
			if !errors.Is(err, test.want) || tries != test.tries {
				t.Errorf("%v after %d tries, want %v after %d", err, tries, test.want, test.tries)
			}
			if err != nil {
				if err := w.Books.Release(ctx, d, ""); err != nil {
					t.Error(err)
				}
			}
			w.Rest()
		})
	}
}

// An exchange account whose total is nearly full lets no packet leave that couldn't be
// written down at its end.
func TestFullExchangeAccount(t *testing.T) {
	w := newWallet(t)
	in, out := w.AddPeer("test.in", usd, 10_000, nil), w.AddPeer("test.out", eur, 0, nil)
	ctx := context.Background()
	equity, exchange := ledger.HouseAccount(usd, ledger.CodeEquity), ledger.HouseAccount(usd, ledger.CodeExchange)
	fill := ledger.Transfer{ID: uuid.Must(uuid.NewV7()), Debit: equity, Credit: exchange, Amount: ledger.AmountMax - 700}
	if err := w.Ledger.Submit(ctx, ledger.Chain{fill}, nil); err != nil {
		t.Fatal(err)
	}
	first := connector.Delivery{From: peerParty(in, usd), To: peerParty(out, eur), AmountIn: 600, AmountOut: 548}
	second := connector.Delivery{From: first.From, To: first.To, AmountIn: 101, AmountOut: 92}
	if err := w.Books.Take(ctx, first); err != nil {
		t.Fatal(err)
	}
	if err := w.Books.Take(ctx, second); !errors.Is(err, connector.ErrInsufficient) || errors.Is(err, connector.ErrCredit) {
		t.Errorf("a packet left for which there is no room: %v", err)
	}
	if err := w.Books.Post(ctx, first); err != nil {
		t.Error(err)
	}
	w.Rest()
}
