package payments_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/app/payments/paytest"
	"pochi/app/problem"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
	"pochi/ledger"
)

// Of fifty who pay a request at once, within the wallet, those whose payments fit are
// paid, and the others keep their money.
func TestFiftyPayersAtOnce(t *testing.T) {
	w := &wallet{paytest.New(t, paytest.Options{Clock: paytest.RealClock()}), t}
	ben := w.Person("ben", usd, "")
	r := w.request(ben, "100", "Ten tickets")
	payers := make([]person, 50)
	for i := range payers {
		payers[i] = w.Person("payer"+string(rune('a'+i/26))+string(rune('a'+i%26)), usd, "10")
	}
	quotes := make([]payments.Quote, len(payers))
	for i, p := range payers {
		quotes[i] = w.Quote(p, w.address(r), "10", payments.FixedReceive)
	}
	var paid atomic.Int64
	var all sync.WaitGroup
	for i, p := range payers {
		all.Go(func() {
			out := w.Confirm(p, quotes[i])
			switch {
			case out.State == payments.Completed:
				paid.Add(1)
			case out.State != payments.Failed || w.Has(p) != "10.00 USD" || !strings.Contains(out.Reason, "has been paid"):
				t.Errorf("a payer has %s, %s: %s", w.Has(p), out.State, out.Reason)
			}
		})
	}
	all.Wait()
	if r = w.found(r.ID); paid.Load() != 10 || r.Received.String() != "100.00 USD" || r.State != payments.RequestCompleted || w.Has(ben) != "100.00 USD" {
		t.Errorf("%d paid %+v; Ben has %s", paid.Load(), r, w.Has(ben))
	}
	w.Check()
}

// Payers here, packets of another wallet and of an agreement, all at once: together
// they bring no more than the request takes.
func TestAllWaysToPayARequestAtOnce(t *testing.T) {
	w := &wallet{paytest.New(t, paytest.Options{Clock: paytest.RealClock()}), t}
	ctx := context.Background()
	ann, ben := w.Person("ann", usd, "1000"), w.Person("ben", usd, "")
	peer := w.AddPeer("test.far", usd, 1_000_00, nil)
	agreement := w.Agree(ann, "Shop", ledger.Amount{Value: 1_000_00, Asset: usd}, "")
	r := w.request(ben, "200", "")
	to := connect(t, w.Wallet, "requests/"+r.ID.String())
	streamed := connect(t, w.Wallet, "requests/"+r.ID.String())
	var accepted, refused atomic.Int64
	count := func(err error) {
		switch {
		case err == nil:
			accepted.Add(10_00)
		case errors.Is(err, connector.ErrFull):
			refused.Add(1)
		default:
			t.Error(err)
		}
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			count(w.Books.Deliver(ctx, connector.Delivery{From: peerParty(peer, usd), To: to, AmountIn: 10_00, AmountOut: 10_00}))
		})
		all.Go(func() { count(w.Books.Deliver(ctx, w.used(agreement, streamed, 10_00))) })
		all.Go(func() {
			q, err := w.Payments.Quote(ctx, ann.ID, payments.QuoteRequest{
				AccountID: ann.Account, To: w.address(r), Amount: "10", Fixed: payments.FixedDebit,
			})
			if problem.CodeOf(err) == problem.Invalid {
				refused.Add(1)
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			if out := w.Confirm(ann, q); out.State == payments.Completed {
				accepted.Add(10_00)
			} else {
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if r = w.found(r.ID); r.Received.Value != 200_00 || accepted.Load() != 200_00 || refused.Load() != 40 || w.Balance(ben.Account) != 200_00 {
		t.Errorf("%d accepted, %d refused, %+v; Ben has %s", accepted.Load(), refused.Load(), r, w.Has(ben))
	}
	w.Check()
}

// Whatever comes after a request is cancelled brings nothing, however many are paying
// it just then.
func TestCancelledWhileItIsPaid(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ben := w.Person("ben", usd, "")
	peer := w.AddPeer("test.far", usd, 1_000_000_00, nil)
	r := w.request(ben, "", "")
	to := connect(t, w.Wallet, "requests/"+r.ID.String())
	d := connector.Delivery{From: peerParty(peer, usd), To: to, AmountIn: 1, AmountOut: 1}
	var begun, all sync.WaitGroup
	begun.Add(8)
	for range 8 {
		all.Go(func() {
			for i := 0; ; i++ {
				err := w.Books.Deliver(ctx, d)
				if i == 0 {
					begun.Done()
				}
				if err != nil {
					if !errors.Is(err, connector.ErrFull) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	begun.Wait()
	if err := w.Payments.CancelRequest(ctx, ben.ID, r.ID); err != nil {
		t.Fatal(err)
	}
	received := w.found(r.ID).Received
	all.Wait()
	if after := w.found(r.ID); after.Received != received || after.State != payments.RequestCancelled || received.Value < 8 {
		t.Errorf("%+v, when it was cancelled it had %s", after, received)
	}
	if _, err := w.Connect("requests/" + r.ID.String()); err == nil {
		t.Error("a cancelled request still offers")
	}
	w.Check()
}

// Whoever wants to pay more than is left of a request reads how much that is.
func TestMoreThanIsLeftOfARequest(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", usd, "")
	r := w.request(ben, "10", "")
	for _, step := range []struct{ amount, says string }{
		{"11", "This would bring $11.00\u00a0USD: this request asks for $10.00\u00a0USD."},
		{"4", ""},
		{"8", "This would bring $8.00\u00a0USD: only $6.00\u00a0USD of this request is left to pay."},
	} {
		q, err := w.Payments.Quote(t.Context(), ann.ID, payments.QuoteRequest{AccountID: ann.Account, To: w.address(r), Amount: step.amount, Fixed: payments.FixedReceive})
		if got := problem.Fields(err)["amount"]; got != step.says || (err != nil) != (step.says != "") {
			t.Errorf("%s: %v", step.amount, err)
		}
		if err == nil {
			w.Confirm(ann, q)
		}
	}
}

// Another wallet's request is paid as ours is: what it asks for is filled in, in parts
// of whatever size, and it takes no more than it asked for and a little.
func TestRequestOfAnotherWallet(t *testing.T) {
	clock := paytest.NewClock()
	p := newPair(t, usd, eur, dollars(), clock)
	b := &wallet{p.b, t}
	r := b.request(p.ben, "100", "Rent")
	to := "https://b.example/requests/" + r.ID.String()
	q := p.a.Quote(p.ann, to, "", payments.FixedDebit)
	if q.ReceiveAmount.String() != "100.00 EUR" || q.Fixed != payments.FixedReceive {
		t.Errorf("%+v", q)
	}
	twice := p.a.Quote(p.ann, to, "", payments.FixedDebit)
	_, err := p.a.Payments.Quote(context.Background(), p.ann.ID, payments.QuoteRequest{AccountID: p.ann.Account, To: to, Amount: "112", Fixed: payments.FixedDebit})
	if text := problem.Fields(err)["amount"]; !strings.HasSuffix(text, "EUR: this request asks for €100.00\u00a0EUR.") {
		t.Errorf("a quote beyond the request: %v", err)
	}
	p.line.ToB.Between(small(10_00))
	if out := p.a.Confirm(p.ann, q); out.State != payments.Completed || out.Packets < 10 {
		t.Errorf("%+v", out)
	}
	received := b.found(r.ID)
	if received.State != payments.RequestCompleted || received.Received.Value > 101_00 {
		t.Errorf("%+v", received)
	}
	in := arrived(t, p.b, p.ben)
	if in.Received != received.Received || in.Description != "Rent" {
		t.Errorf("%+v", in)
	}
	before := clock.Now()
	out := p.a.Confirm(p.ann, twice)
	if waited := clock.Now().Sub(before); waited > 0 {
		t.Errorf("a request that is full for good was waited for, %s", waited)
	}
	if out.State != payments.Failed || !strings.Contains(out.Reason, "takes no more") || out.SentAmount.Value != 0 || b.found(r.ID).Received != received.Received {
		t.Errorf("paid again: %s %s, %s sent; %+v", out.State, out.Reason, out.SentAmount, b.found(r.ID))
	}
	if _, err := p.a.Payments.Quote(context.Background(), p.ann.ID, payments.QuoteRequest{AccountID: p.ann.Account, To: to}); problem.Fields(err)["to"] != "This payment request can't be paid: it has been paid, or has ended." {
		t.Errorf("a quote for a request that was paid: %v", err)
	}
	for _, w := range []*paytest.Wallet{p.a, p.b} {
		w.Rest()
		w.Check()
	}
}

// A packet that is sent again is another packet, and no more of them count than the
// request takes. It says what that is, as STREAM does, and it is final.
func TestReplayedPacketsOfARequest(t *testing.T) {
	p := newPair(t, usd, usd, dollars(), paytest.NewClock())
	b := &wallet{p.b, t}
	r := b.request(p.ben, "10", "")
	q := p.a.Quote(p.ann, "https://b.example/requests/"+r.ID.String(), "4", payments.FixedDebit)
	var mu sync.Mutex
	var codes []packet.Code
	p.line.ToB.Between(func(pr packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		reply, err := next()
		if err != nil || reply.Type() != packet.TypeFulfill {
			return reply, err
		}
		for range 5 { // somebody on the way sends it again
			again, err := next()
			if err != nil {
				return nil, err
			}
			mu.Lock()
			if j, ok := again.(*packet.ReplyView); ok && again.Type() == packet.TypeReject {
				codes = append(codes, j.Code())
			}
			mu.Unlock()
		}
		return reply, nil
	})
	p.a.Confirm(p.ann, q)
	if got := b.found(r.ID); got.Received.Value != 8_00 {
		t.Errorf("%+v", got)
	}
	if len(codes) != 4 || slices.ContainsFunc(codes, func(c packet.Code) bool { return c != packet.ApplicationError }) {
		t.Errorf("what was too much was refused with %v", codes)
	}
	p.b.Check()
}

// A sender learns how much a request takes, and pays that and no more.
func TestASenderLearnsWhatIsLeft(t *testing.T) {
	p := newPair(t, usd, usd, dollars(), paytest.NewClock())
	b := &wallet{p.b, t}
	r := b.request(p.ben, "10", "")
	details, err := p.b.Payments.OfferRequest(r)
	if err != nil {
		t.Fatal(err)
	}
	if i := details.Invoice; i.Amount != 10_00 || i.Received != 0 || i.Asset.Code != "USD" {
		t.Errorf("the request asks for %+v", i)
	}
	peer := connector.FromPeer(p.line.AtB)
	s := stream.NewSender(stream.SenderConfig{
		Link: p.b.Node.Link(peer), Destination: details.DestinationAccount, Secret: details.SharedSecret, Clock: p.b.Clock, Random: rand.Reader,
	})
	result, err := s.Send(context.Background(), stream.SendParams{Amount: 50_00, MinDelivered: 50_00, Asset: ilp.Asset(usd), Deadline: p.b.Clock.Now().Add(time.Minute)})
	var failure *stream.Failure
	if !errors.As(err, &failure) || failure.Reason != stream.Full || result.Sent != 10_10 || result.Delivered != 10_10 {
		t.Errorf("%+v, %v", result, err)
	}
	if got := b.found(r.ID); got.Received.Value != 10_10 || got.State != payments.RequestCompleted {
		t.Errorf("%+v", got)
	}
	p.b.Check()
}
