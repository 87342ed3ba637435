package payments_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/app/payments/paytest"
	"pochi/app/problem"
	"pochi/app/rates"
	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
	"pochi/ledger"
)

// pair is two wallets that are peers: Ann is at A, Ben at B.
type pair struct {
	t        *testing.T
	a, b     *paytest.Wallet
	line     *paytest.Line
	ann, ben person
}

const (
	farBen = "$b.example/ben"
	farAnn = "$a.example/ann"
)

func newPair(t *testing.T, annHas, benHas ledger.Asset, terms paytest.Terms, clock *paytest.Clock) *pair {
	t.Helper()
	p := &pair{
		t: t,
		a: paytest.New(t, paytest.Options{Address: "test.a", Host: "a.example", Clock: clock}),
		b: paytest.New(t, paytest.Options{Address: "test.b", Host: "b.example", Clock: clock}),
	}
	p.line = paytest.Join(p.a, p.b, terms)
	p.ann, p.ben = p.a.Person("ann", annHas, "1000"), p.b.Person("ben", benHas, "1000")
	return p
}

// dollars are terms that are never in the way.
func dollars() paytest.Terms {
	return paytest.Terms{Asset: usd, LimitA: 1_000_000_00, LimitB: 1_000_000_00}
}

// agree fails the test unless both wallets' books are in order and at rest, and say
// the same of what they owe each other.
func (p *pair) agree(want int64) {
	p.t.Helper()
	byA, byB := p.line.Owed()
	if byA != want || byB != want {
		p.t.Errorf("A owes B %d by its books, %d by B's, want %d", byA, byB, want)
	}
	for _, w := range []*paytest.Wallet{p.a, p.b} {
		w.Rest()
		w.Check()
	}
}

// arrived returns the newest line of somebody's history.
func arrived(t *testing.T, w *paytest.Wallet, to person) payments.Incoming {
	t.Helper()
	ctx := context.Background()
	list, _, err := w.Payments.History(ctx, payments.Filter{UserID: to.ID, Limit: 1})
	if err != nil || len(list) != 1 || !list[0].In {
		t.Fatalf("history %+v, %v", list, err)
	}
	in, err := w.Payments.FindIncoming(ctx, to.ID, list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestPaymentsBetweenWallets(t *testing.T) {
	for _, test := range []struct {
		name               string
		ann, ben, link     ledger.Asset
		amount             string
		sent, got, annLeft string
		owed               int64
	}{
		{"one currency", usd, usd, usd, "25", "25.00 USD", "25.00 USD", "975.00 USD", 2500},
		{"exchanged by the sender", usd, eur, eur, "25", "25.00 USD", "22.84 EUR", "975.00 USD", 2284},
		{"exchanged by the receiver", usd, eur, usd, "25", "25.00 USD", "22.84 EUR", "975.00 USD", 2500},
		{"exchanged by both", eur, eur, usd, "25", "25.00 EUR", "24.99 EUR", "975.00 EUR", 2736},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPair(t, test.ann, test.ben, paytest.Terms{Asset: test.link, LimitA: 1e9, LimitB: 1e9}, paytest.NewClock())
			q := p.a.Quote(p.ann, farBen, test.amount, payments.FixedDebit)
			out := p.a.Confirm(p.ann, q)
			if less := out.DeliveredAmount.Value - q.ReceiveAmount.Value; less > 1 { // if it went in two packets
				t.Errorf("quoted %s, and %s arrived", q.ReceiveAmount, out.DeliveredAmount)
			}
			if out.State != payments.Completed || out.SentAmount.String() != test.sent || out.DeliveredAmount.String() != test.got {
				t.Errorf("payment %+v", out)
			}
			in := arrived(t, p.b, p.ben)
			if in.Received.String() != test.got || in.Packets != 1 || in.Pointer != "ben" || in.Sender != "" || in.SenderName != "" {
				t.Errorf("Ben sees %+v", in)
			}
			if got := p.a.Has(p.ann); got != test.annLeft {
				t.Errorf("Ann has %s", got)
			}
			p.agree(test.owed)
			if n := p.a.Elsewhere.Asked(); n != 1 {
				t.Errorf("B was asked %d times for the details of one payment", n)
			}
			// And back.
			if back := p.b.Confirm(p.ben, p.b.Quote(p.ben, farAnn, "1", payments.FixedDebit)); back.State != payments.Completed {
				t.Errorf("payment back %+v", back)
			}
		})
	}
}

// After a restart between quote and confirmation the other wallet is asked again.
func TestQuoteFromBeforeARestart(t *testing.T) {
	p := newPair(t, usd, usd, dollars(), paytest.NewClock())
	q := p.a.Quote(p.ann, farBen, "25", payments.FixedDebit)
	p.a.Stop()
	p.a.Start(true)
	if out := p.a.Confirm(p.ann, q); out.State != payments.Completed || p.a.Elsewhere.Asked() != 2 {
		t.Errorf("payment %+v, asked %d times", out, p.a.Elsewhere.Asked())
	}
	p.agree(2500)
}

// B lets A owe 10.00: what exceeds it is refused, by a probe too, until A has
// settled.
func TestPeerAtItsCreditLimit(t *testing.T) {
	p := newPair(t, usd, eur, paytest.Terms{Asset: usd, LimitA: 0, LimitB: 1000}, paytest.NewClock())
	ctx := context.Background()
	early := p.a.Quote(p.ann, farBen, "8", payments.FixedDebit)
	last := p.a.Quote(p.ann, farBen, "8.01", payments.FixedDebit)
	if out := p.a.Confirm(p.ann, p.a.Quote(p.ann, farBen, "6", payments.FixedDebit)); out.State != payments.Completed {
		t.Errorf("payment %+v", out)
	}
	out := p.a.Confirm(p.ann, early)
	if out.State != payments.Failed || out.SentAmount.Value > 400 || out.Reason != "The way to the other wallet can't carry this amount right now." {
		t.Errorf("payment %+v", out)
	}
	_, err := p.a.Payments.Quote(ctx, p.ann.ID, payments.QuoteRequest{AccountID: p.ann.Account, To: farBen, Amount: "8", Fixed: payments.FixedDebit})
	if problem.Fields(err)["amount"] == "" {
		t.Errorf("quote: %v", err)
	}
	p.agree(600 + int64(out.SentAmount.Value))
	// Nothing at all passes any more: that isn't the amount's fault.
	begin := p.a.Clock.Now()
	if out := p.a.Confirm(p.ann, last); out.State != payments.Failed || out.Reason != "The way to the other wallet can't carry this amount right now." {
		t.Errorf("payment %+v", out)
	} else if took := p.a.Clock.Now().Sub(begin); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	// Ben's money may go the other way, which lowers what A owes.
	if back := p.b.Confirm(p.ben, p.b.Quote(p.ben, farAnn, "5", payments.FixedDebit)); back.State != payments.Completed {
		t.Errorf("payment back %+v", back)
	}
	if again := p.a.Confirm(p.ann, p.a.Quote(p.ann, farBen, "4", payments.FixedDebit)); again.State != payments.Completed {
		t.Errorf("payment %+v", again)
	}
}

// What this wallet itself can't do it says itself, also of payments to others; what
// the other wallet can't do isn't told as if this one couldn't.
func TestOwnRejectsAreToldInOwnWords(t *testing.T) {
	const words = "The exchange rate from USD to EUR is out of date. Try again later."
	for _, test := range []struct {
		name string
		link ledger.Asset
		told string
	}{
		{"exchanged here", eur, words},
		{"exchanged there", usd, "The way to the other wallet is too busy right now."},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPair(t, usd, eur, paytest.Terms{Asset: test.link, LimitA: 1e9, LimitB: 1e9}, paytest.NewClock())
			ctx := context.Background()
			exchanging := map[ledger.Asset]*paytest.Wallet{eur: p.a, usd: p.b}[test.link]
			if _, err := exchanging.Rates.Set(ctx, rates.Change{From: "USD", To: "EUR", Rate: "0.9", Valid: time.Minute}); err != nil {
				t.Fatal(err)
			}
			q := p.a.Quote(p.ann, farBen, "8", payments.FixedDebit)
			p.a.Clock.Advance(time.Minute)
			if out := p.a.Confirm(p.ann, q); out.State != payments.Failed || out.Reason != test.told {
				t.Errorf("payment %+v", out)
			}
			for _, fixed := range []payments.Fixed{payments.FixedDebit, payments.FixedReceive} {
				_, err := p.a.Payments.Quote(ctx, p.ann.ID, payments.QuoteRequest{AccountID: p.ann.Account, To: farBen, Amount: "8", Fixed: fixed})
				if got := problem.Fields(err)["to"]; got != test.told {
					t.Errorf("quote: %v", err)
				}
			}
		})
	}
}

// A and C aren't peers: B is between them, in other currencies on both sides.
func TestPaymentOverAThirdWallet(t *testing.T) {
	clock := paytest.NewClock()
	for _, links := range [][2]ledger.Asset{{usd, usd}, {usd, eur}} {
		p := newPair(t, usd, usd, paytest.Terms{Asset: links[0], LimitB: 1e9}, clock)
		c := paytest.New(t, paytest.Options{Address: "test.c", Host: "c.example", Clock: clock})
		cho := c.Person("cho", eur, "")
		further := paytest.Join(p.b, c, paytest.Terms{Asset: links[1], LimitB: 1e9})
		p.line.Route("test.c")
		p.a.Elsewhere.Reach(c)
		out := p.a.Confirm(p.ann, p.a.Quote(p.ann, "$c.example/cho", "100", payments.FixedDebit))
		if out.State != payments.Completed || out.DeliveredAmount.String() != "91.37 EUR" || c.Has(cho) != "91.37 EUR" {
			t.Errorf("payment %+v, Cho has %s", out, c.Has(cho))
		}
		p.agree(10000)
		if byB, byC := further.Owed(); byB != byC || byB == 0 {
			t.Errorf("B owes C %d by its books, %d by C's", byB, byC)
		}
		c.Check()
	}
}

// A crashes when B has fulfilled and A doesn't know it yet: what was in flight is in
// suspense, by peer and payment, and that is what the two differ by.
func TestCrashBetweenTakeAndPost(t *testing.T) {
	for _, link := range []ledger.Asset{usd, eur} {
		p := newPair(t, usd, usd, paytest.Terms{Asset: link, LimitB: 1e9}, paytest.NewClock())
		q := p.a.Quote(p.ann, farBen, "25", payments.FixedDebit)
		crashed := make(chan struct{})
		p.line.ToB.Between(func(_ packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
			reply, err := next()
			if _, fulfilled := reply.(*packet.ReplyView); fulfilled && reply.Type() == packet.TypeFulfill {
				go func() { p.a.Crash(); close(crashed) }()
				<-p.a.DB.Writer.Done()
			}
			return reply, err
		})
		if _, err := p.a.Payments.Confirm(context.Background(), p.ann.ID, q.ID); err != nil {
			t.Fatal(err)
		}
		<-crashed
		p.line.ToB.Between(nil)
		p.a.Start(true)
		p.a.Payments.Wait(context.Background(), q.ID)
		out := p.a.Outgoing(p.ann, q.ID)
		wantSummary(t, out, "failed sent 0.00 USD held 0.00 USD checking 25.00 USD released 0.00 USD paid 0.00 USD")
		items, err := payments.ListSuspense(context.Background(), p.a.DB.Read, true)
		if err != nil || len(items) == 0 {
			t.Fatalf("items %+v, %v", items, err)
		}
		last := items[len(items)-1]
		if last.Counterparty != p.line.AtA || last.Payment.ID != q.ID {
			t.Errorf("suspense %+v", last)
		}
		p.a.Rest()
		p.a.Check()
		p.b.Check()
		byA, byB := p.line.Owed()
		if byB-byA != int64(last.Amount) {
			t.Errorf("A owes B %d by its books, %d by B's, and %d are in suspense", byA, byB, last.Amount)
		}
		review := payments.Review{DB: p.a.DB, Ledger: p.a.Ledger, Now: p.a.Clock.Now}
		if _, _, err := review.Resolve(context.Background(), items[0].Item, true); err != nil {
			t.Fatal(err)
		}
		p.agree(byB)
	}
}

// B's answers are lost on the way: nothing is owed by the protocol, so Ann has her
// money back; but it isn't sent again, and what B may claim is written down.
func TestLostAnswer(t *testing.T) {
	for _, link := range []ledger.Asset{usd, eur} {
		p := newPair(t, usd, usd, paytest.Terms{Asset: link, LimitB: 1e9}, paytest.NewClock())
		q := p.a.Quote(p.ann, farBen, "25", payments.FixedDebit)
		var paid atomic.Int64
		p.line.ToB.Between(func(_ packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
			reply, err := next()
			if err == nil && reply.Type() == packet.TypeFulfill {
				paid.Add(1)
				return nil, errors.New("connection reset")
			}
			return reply, err
		})
		out := p.a.Confirm(p.ann, q)
		if out.State != payments.Failed || out.Doubted.String() != "25.00 USD" || out.SentAmount.Value != 0 || out.Reason == "" || paid.Load() != 1 {
			t.Errorf("payment %+v, of which B got %d packets", out, paid.Load())
		}
		if got := p.a.Has(p.ann); got != "1,000.00 USD" {
			t.Errorf("Ann has %s", got)
		}
		var packets, amount int64
		var cause string
		err := p.a.DB.Read.QueryRow("SELECT packets, amount, cause FROM peer_doubts WHERE peer = ? AND reference = ?", p.line.AtA[:], q.ID[:]).
			Scan(&packets, &amount, &cause)
		byA, byB := p.line.Owed()
		if err != nil || packets != 1 || amount != byB-byA || !strings.Contains(cause, "connection reset") {
			t.Errorf("%d packets of %d because of %q, %v; A owes B %d by its books, %d by B's", packets, amount, cause, err, byA, byB)
		}
		p.a.Rest()
		p.a.Check()
		p.b.Check()
	}
}

// The database is busy for a while each time a packet is to be written: what is in
// flight comes to its end all the same.
func TestPassingTroubleLeavesNothingInFlight(t *testing.T) {
	p := newPair(t, usd, usd, dollars(), paytest.NewClock())
	fulfilled, refused := p.a.Quote(p.ann, farBen, "25", payments.FixedDebit), p.a.Quote(p.ann, farBen, "25", payments.FixedDebit)
	var units atomic.Int64
	p.a.Writer.Between(func(next func() error) error {
		if units.Add(1)%4 != 1 {
			return fmt.Errorf("%w: somebody else writes", db.ErrBusy)
		}
		return next()
	})
	if out := p.a.Confirm(p.ann, fulfilled); out.State != payments.Completed {
		t.Errorf("payment %+v", out)
	}
	p.line.ToB.Between(func(packet.Prepare, func() (packet.Reply, error)) (packet.Reply, error) {
		return packet.NewReject(packet.Unreachable, "test.b", "gone"), nil
	})
	if out := p.a.Confirm(p.ann, refused); out.State != payments.Failed || p.a.Has(p.ann) != "975.00 USD" {
		t.Errorf("payment %+v, Ann has %s", out, p.a.Has(p.ann))
	}
	p.agree(2500)
}

func TestConcurrentPaymentsBetweenWallets(t *testing.T) {
	p := newPair(t, usd, eur, dollars(), paytest.RealClock())
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			var out payments.Outgoing
			if i%2 == 0 {
				out = p.a.Confirm(p.ann, p.a.Quote(p.ann, farBen, "10", payments.FixedDebit))
			} else {
				out = p.b.Confirm(p.ben, p.b.Quote(p.ben, farAnn, "5", payments.FixedDebit))
			}
			if out.State != payments.Completed {
				t.Errorf("payment %+v", out)
			}
		})
	}
	all.Wait()
	if a, b := p.a.Has(p.ann), p.b.Has(p.ben); a != "886.75 USD" || b != "1,103.25 EUR" { // 5.00 EUR is 5.47 USD; 10.00 USD is 9.13 EUR
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	p.agree(25*1000 - 25*547)
}

// What Ben asked for arrives, and what of the debit wasn't needed is back.
func TestFixedReceiveToAnotherWallet(t *testing.T) {
	p := newPair(t, usd, eur, dollars(), paytest.NewClock())
	p.line.ToB.Between(small(300))
	q := p.a.Quote(p.ann, farBen, "100", payments.FixedReceive)
	if q.ReceiveAmount.String() != "100.00 EUR" {
		t.Errorf("quoted %s → %s", q.DebitAmount, q.ReceiveAmount)
	}
	out := p.a.Confirm(p.ann, q)
	if out.State != payments.Completed || out.Reason != "" || out.SentAmount.Value >= q.DebitAmount.Value || out.DeliveredAmount.Value < 10000 || out.DeliveredAmount.Value > 10050 {
		t.Errorf("quoted %s → %s, payment %+v", q.DebitAmount, q.ReceiveAmount, out)
	}
	if in := arrived(t, p.b, p.ben); in.Received != out.DeliveredAmount || uint64(in.Packets) != out.Packets {
		t.Errorf("Ben sees %+v of %+v", in, out)
	}
	if a := p.a.Balance(p.ann.Account); uint64(a) != 100000-out.SentAmount.Value || p.a.Has(p.ann) == "" || out.Back().Value != q.DebitAmount.Value-out.SentAmount.Value {
		t.Errorf("Ann has %d, %s is back", a, out.Back())
	}
	p.agree(int64(out.SentAmount.Value))
}

// A stop doesn't bring more than was asked for: the next run knows of all that has
// arrived, though the path brings more than each packet's least.
func TestFixedReceiveOverAStop(t *testing.T) {
	p := newPair(t, usd, eur, dollars(), paytest.NewClock())
	carry := small(1000)
	p.line.ToB.Between(carry)
	q := p.a.Quote(p.ann, farBen, "100", payments.FixedReceive)
	if _, err := p.b.Rates.Set(context.Background(), rates.Change{From: "USD", To: "EUR", Rate: "1.2", Valid: time.Hour}); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	var packets atomic.Int64
	p.line.ToB.Between(func(pr packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		reply, err := carry(pr, next)
		if err == nil && reply.Type() == packet.TypeFulfill && packets.Add(1) == 4 {
			go func() { p.a.Stop(); close(stopped) }()
		}
		return reply, err
	})
	if _, err := p.a.Payments.Confirm(context.Background(), p.ann.ID, q.ID); err != nil {
		t.Fatal(err)
	}
	<-stopped
	p.a.Start(true)
	p.a.Payments.Wait(context.Background(), q.ID)
	out := p.a.Outgoing(p.ann, q.ID)
	if got := uint64(p.b.Balance(p.ben.Account)) - 1000_00; out.State != payments.Completed || out.DeliveredAmount.Value != got || got > 100_00+20 {
		t.Errorf("100.00 EUR were asked for, %d arrived, payment %+v", got, out)
	}
	p.agree(int64(out.SentAmount.Value))
}

// Nor does a crash, but for what the last packets before it brought besides their
// least: what the receiver said of earlier ones is written down.
func TestFixedReceiveOverACrash(t *testing.T) {
	p := newPair(t, usd, eur, dollars(), paytest.NewClock())
	p.a.Stop()
	p.a.Start(false)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	q := p.a.Quote(p.ann, farBen, "100", payments.FixedReceive)
	if _, err := p.b.Rates.Set(ctx, rates.Change{From: "USD", To: "EUR", Rate: "1.2", Valid: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.a.Payments.Confirm(ctx, p.ann.ID, q.ID); err != nil {
		t.Fatal(err)
	}
	carry := small(1000)
	packets := 0
	p.line.ToB.Between(func(pr packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		reply, err := carry(pr, next)
		if err == nil && reply.Type() == packet.TypeFulfill {
			if packets++; packets == 4 {
				stop()
			}
		}
		return reply, err
	})
	result, _ := p.sendsOneByOne(ctx, q)
	if result.Packets != 4 || result.Delivered < 4*1190 { // each is at most 10.00 USD
		t.Fatalf("%+v", result)
	}
	p.a.Crash()
	p.line.ToB.Between(carry)
	p.a.Start(true)
	p.a.Payments.Wait(context.Background(), q.ID)
	const besides = 1200 - 913 // of the fourth
	out := p.a.Outgoing(p.ann, q.ID)
	if got := uint64(p.b.Balance(p.ben.Account)) - 1000_00; out.State != payments.Completed || got < 100_00 || got > 100_00+besides+20 {
		t.Errorf("100.00 EUR were asked for, %d arrived, payment %+v", got, out)
	}
	p.agree(int64(out.SentAmount.Value))
}

// sendsOneByOne sends a payment of Ann's to Ben as its worker would, one packet after another.
func (p *pair) sendsOneByOne(ctx context.Context, q payments.Quote) (stream.Result, error) {
	p.t.Helper()
	receiver, err := p.b.Payments.Resolve(ctx, q.Receiver)
	if err != nil {
		p.t.Fatal(err)
	}
	details, err := p.b.Payments.Offer(*receiver.Local)
	if err != nil {
		p.t.Fatal(err)
	}
	sender := stream.NewSender(stream.SenderConfig{
		Link:        p.a.Links.Link(connector.FromWallet(p.ann.Account, ilp.Asset(usd), q.ID)),
		Destination: details.DestinationAccount, Secret: details.SharedSecret, Clock: p.a.Clock, Random: rand.Reader, MaxInFlight: 1,
	})
	return sender.Send(ctx, stream.SendParams{
		Amount: q.DebitAmount.Value, MinDelivered: q.ReceiveAmount.Value, MaxRounding: 1, Asset: ilp.Asset(eur),
	})
}

// small makes a way take packets up to a size.
func small(most uint64) func(packet.Prepare, func() (packet.Reply, error)) (packet.Reply, error) {
	return func(p packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		if p.Amount <= most {
			return next()
		}
		j := packet.NewReject(packet.TooLarge, "test.far", "too large")
		j.Data = packet.AmountTooLarge{Received: p.Amount, Maximum: most}.Append(nil)
		return j, nil
	}
}

// flight is a packet of a payment that B has fulfilled; its money never came there.
func (p *pair) flight(q payments.Quote, amount, minimum uint64) {
	p.t.Helper()
	d := p.delivery(q, amount, minimum)
	if err := p.a.Books.Take(context.Background(), d); err != nil {
		p.t.Fatal(err)
	}
	if err := p.a.Books.Post(context.Background(), d); err != nil {
		p.t.Fatal(err)
	}
}

// delivery is a packet of a payment of Ann's to B, in dollars.
func (p *pair) delivery(q payments.Quote, amount, minimum uint64) connector.Delivery {
	return connector.Delivery{
		From:     connector.Party{Account: p.ann.Account, Asset: ilp.Asset(usd), Reference: q.ID},
		To:       connector.Party{Account: p.line.AtA, Asset: ilp.Asset(usd), Peer: true},
		AmountIn: amount, AmountOut: amount, Minimum: minimum,
	}
}

// A fixed receipt that a crash interrupts goes on from what has arrived at least.
func TestFixedReceiveGoesOnAfterARestart(t *testing.T) {
	p := newPair(t, usd, usd, dollars(), paytest.NewClock())
	p.a.Stop()
	p.a.Start(false)
	q := p.a.Quote(p.ann, farBen, "100", payments.FixedReceive)
	if _, err := p.a.Payments.Confirm(context.Background(), p.ann.ID, q.ID); err != nil {
		t.Fatal(err)
	}
	p.flight(q, 4000, 4000)
	p.a.Crash()
	p.a.Start(true)
	p.a.Payments.Wait(context.Background(), q.ID)
	out := p.a.Outgoing(p.ann, q.ID)
	if out.State != payments.Completed || out.DeliveredAmount.String() != "100.00 USD" || out.SentAmount.String() != "100.00 USD" || out.Packets != 2 {
		t.Errorf("payment %+v", out)
	}
	p.a.Check()
	if got := p.b.Has(p.ben); got != "1,060.00 USD" { // the first part never came this far
		t.Errorf("Ben has %s", got)
	}
}

// Each statement is a row that somebody changed by hand.
func TestCheckNamesWhatIsWrongBetweenWallets(t *testing.T) {
	for statement, atA := range map[string]bool{
		"UPDATE incoming_payments SET received_amount = received_amount + 1 WHERE sender_name = ''": false,
		"DELETE FROM incoming_payments WHERE sender_name = ''":                                      false,
		"UPDATE incoming_payments SET account_id = (SELECT w.id FROM wallet_accounts w JOIN users u ON u.id = w.user_id WHERE u.name = 'cho'), user_id = (SELECT id FROM users WHERE name = 'cho') WHERE sender_name = ''": false,
		"UPDATE outgoing_payments SET sent_amount = sent_amount - 1":                                                             true,
		"UPDATE outgoing_payments SET state = 'failed'":                                                                          true,
		"UPDATE outgoing_payments SET fixed = 'receive', receive_amount = delivered_amount + 1, debit_amount = debit_amount + 1": true,
		"UPDATE holds SET closed = 0 WHERE unreserved = 1":                                                                       true,
		"DELETE FROM outgoing_payments":                                                                                          true,
	} {
		t.Run(statement, func(t *testing.T) {
			p := newPair(t, usd, usd, paytest.Terms{Asset: eur, LimitB: 1e9}, paytest.NewClock())
			p.b.Person("cho", usd, "7")
			p.a.Confirm(p.ann, p.a.Quote(p.ann, farBen, "5", payments.FixedDebit))
			p.a.Check()
			p.b.Check()
			w := p.b
			if atA {
				w = p.a
			}
			err := w.DB.Write(context.Background(), func(tx db.Tx) error {
				res, err := tx.ExecContext(context.Background(), statement)
				if err == nil {
					if n, _ := res.RowsAffected(); n == 0 {
						t.Error("nothing was changed")
					}
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(w.Defects()) == 0 {
				t.Error("nobody noticed")
			}
		})
	}
}

// What is in doubt, and how many packets there were, is compared too, and a peer that is
// gone is missed.
func TestCheckOfDoubtsPacketsAndPeers(t *testing.T) {
	for name, currency := range map[string]ledger.Asset{"in dollars": usd, "in euros": eur} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, usd, usd, paytest.Terms{Asset: currency, LimitB: 1e9}, paytest.NewClock())
			p.a.Confirm(p.ann, p.a.Quote(p.ann, farBen, "25", payments.FixedDebit))
			q := p.a.Quote(p.ann, farBen, "10", payments.FixedDebit)
			p.line.ToB.Between(func(pr packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
				if pr.Amount > 0 {
					return nil, errors.New("connection reset")
				}
				return next()
			})
			if out := p.a.Confirm(p.ann, q); out.Doubted.Value != 1000 {
				t.Fatalf("%+v", out)
			}
			p.a.Check()
			p.b.Check()
			for _, plant := range []struct {
				at              *paytest.Wallet
				do, undo, named string
			}{
				{p.a, "UPDATE outgoing_payments SET doubted_amount = 0 WHERE state = 'failed'", "UPDATE outgoing_payments SET doubted_amount = 1000 WHERE state = 'failed'", "in doubt"},
				{p.a, "UPDATE outgoing_payments SET doubted_amount = 5 WHERE state = 'completed'", "UPDATE outgoing_payments SET doubted_amount = 0 WHERE state = 'completed'", "in doubt"},
				{p.a, "UPDATE peer_doubts SET reference = randomblob(16)", "UPDATE peer_doubts SET reference = (SELECT id FROM outgoing_payments WHERE state = 'failed')", "in doubt"},
				{p.a, "UPDATE outgoing_payments SET packets = packets + 7", "UPDATE outgoing_payments SET packets = packets - 7", "packets"},
				{p.b, "UPDATE incoming_payments SET packets = packets - 7", "UPDATE incoming_payments SET packets = packets + 7", "packets"},
				{p.b, "CREATE TABLE kept AS SELECT * FROM peers; DELETE FROM peers", "INSERT INTO peers SELECT * FROM kept; DROP TABLE kept", "account of a peer"},
			} {
				at := &wallet{plant.at, t}
				at.change(plant.do)
				says := func(d ledger.Defect) bool { return strings.Contains(d.Detail, plant.named) }
				if found := at.Defects(); !slices.ContainsFunc(found, says) {
					t.Errorf("%s: %v", plant.do, found)
				}
				at.change(plant.undo)
				at.Check()
			}
			if currency == usd {
				at := &wallet{p.a, t}
				at.change("UPDATE peer_doubts SET amount = amount - 1")
				if len(at.Defects()) != 1 {
					t.Error("less is in doubt at the peer than of the payment, and nobody noticed")
				}
			}
		})
	}
}

// What is in doubt isn't sent again after a restart either; the rest is.
func TestDoubtOutlivesARestart(t *testing.T) {
	p := newPair(t, usd, usd, dollars(), paytest.NewClock())
	p.a.Stop()
	p.a.Start(false)
	ctx := context.Background()
	q := p.a.Quote(p.ann, farBen, "25", payments.FixedDebit)
	if _, err := p.a.Payments.Confirm(ctx, p.ann.ID, q.ID); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := errors.Join(p.a.Books.Take(ctx, p.delivery(q, 500, 500)), p.a.Books.Release(ctx, p.delivery(q, 500, 500), "no answer")); err != nil {
			t.Fatal(err)
		}
	}
	p.a.Stop()
	p.a.Start(true)
	p.a.Payments.Wait(ctx, q.ID)
	out := p.a.Outgoing(p.ann, q.ID)
	if out.State != payments.Failed || out.SentAmount.String() != "15.00 USD" || out.DeliveredAmount != out.SentAmount || !strings.Contains(out.Reason, "didn't answer") {
		t.Errorf("payment %+v", out)
	}
	var packets, amount int64
	if err := p.a.DB.Read.QueryRow("SELECT packets, amount FROM peer_doubts WHERE peer = ?", p.line.AtA[:]).Scan(&packets, &amount); err != nil || packets != 2 || amount != 1000 {
		t.Errorf("%d packets of %d are in doubt, %v", packets, amount, err)
	}
	p.agree(1500)
}

// A payment in many packets across currencies is interrupted by a stop, or by a crash:
// it goes on with what is left, though of what arrived only the least is known.
func TestPaymentInManyPacketsIsInterrupted(t *testing.T) {
	for name, end := range map[string]func(*paytest.Wallet){"a stop": (*paytest.Wallet).Stop, "a crash": (*paytest.Wallet).Crash} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, usd, eur, dollars(), paytest.NewClock())
			way := small(300)
			p.line.ToB.Between(way)
			q := p.a.Quote(p.ann, farBen, "100", payments.FixedDebit)
			ended := make(chan struct{})
			var packets atomic.Int64
			p.line.ToB.Between(func(pr packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
				reply, err := way(pr, next)
				if reply != nil && reply.Type() == packet.TypeFulfill && packets.Add(1) == 10 {
					go func() { end(p.a); close(ended) }()
				}
				return reply, err
			})
			if _, err := p.a.Payments.Confirm(context.Background(), p.ann.ID, q.ID); err != nil {
				t.Fatal(err)
			}
			<-ended
			p.a.Start(true)
			p.a.Payments.Wait(context.Background(), q.ID)
			out := p.a.Outgoing(p.ann, q.ID)
			suspended := out.Suspended.Open.Value
			if out.SentAmount.Value+suspended != out.DebitAmount.Value || (out.State == payments.Completed) != (suspended == 0) {
				t.Errorf("payment %+v", out)
			}
			// Each packet may bring a unit less than its share.
			share := q.ReceiveAmount.Value * out.SentAmount.Value / out.DebitAmount.Value
			if suspended == 0 && out.Packets != uint64(packets.Load()) || out.DeliveredAmount.Value+out.Packets < share {
				t.Errorf("quoted %s, %s of %s known to have arrived in %d packets", q.ReceiveAmount, out.DeliveredAmount, out.SentAmount, out.Packets)
			}
			if got := uint64(p.b.Balance(p.ben.Account)) - 100000; got < out.DeliveredAmount.Value {
				t.Errorf("Ben got %d, A says %s", got, out.DeliveredAmount)
			}
			p.a.Rest()
			p.a.Check()
			p.b.Check()
			byA, byB := p.line.Owed()
			if differ := byB - byA; differ < 0 || differ > int64(suspended) {
				t.Errorf("A owes B %d by its books, %d by B's; %d are in suspense", byA, byB, suspended)
			}
		})
	}
}
