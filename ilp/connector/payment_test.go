package connector_test

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// pay probes and pays from Ann to Ben, over the chain, for at least minimum.
func (n *node) pay(t testing.TB, link stream.Link, amount, minimum uint64) (stream.Result, error) {
	t.Helper()
	return n.sender(t, link).Send(context.Background(), stream.SendParams{Amount: amount, MinDelivered: minimum, Asset: n.payee.Asset})
}

// delivered returns the sums of what the books moved.
func (n *node) delivered() (in, out uint64) {
	for _, d := range n.deliveries {
		in, out = in+d.AmountIn, out+d.AmountOut
	}
	return in, out
}

// reporter is a *testing.T or a *rapid.T.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// wantBooks checks that the sender's result is what the books moved.
func (n *node) wantBooks(t reporter, result stream.Result) {
	t.Helper()
	in, out := n.delivered()
	if in != result.Sent || out != result.Delivered || uint64(len(n.deliveries)) != result.Packets {
		t.Errorf("the books moved %d to %d in %d, the sender says %+v", in, out, len(n.deliveries), result)
	}
}

func wantReason(t testing.TB, err error, want stream.Reason) {
	t.Helper()
	var failure *stream.Failure
	if !errors.As(err, &failure) || failure.Reason != want {
		t.Errorf("%v (%+v), want %s", err, failure, want)
	}
}

func TestPayment(t *testing.T) {
	for _, c := range []struct {
		name  string
		asset ilp.Asset
		want  stream.Result
	}{
		{"same asset", usd, stream.Result{Sent: 1000, Delivered: 1000, Packets: 1}},
		{"cross asset", eur, stream.Result{Sent: 1000, Delivered: 913, Packets: 1}},
		{"cross scale", jpy, stream.Result{Sent: 1000, Delivered: 1510, Packets: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNode(t)
			n.payee.Asset = c.asset
			link := n.Link(fromAnn())
			probe, err := n.sender(t, link).Probe(context.Background(), 1000)
			if err != nil || probe.Asset != c.asset || probe.Received != c.want.Delivered || len(n.deliveries) != 0 {
				t.Fatalf("%+v, %v", probe, err)
			}
			result, err := n.pay(t, link, 1000, probe.Received)
			if err != nil || result != c.want {
				t.Errorf("%+v, %v; want %+v", result, err, c.want)
			}
			n.wantBooks(t, result)
		})
	}
}

// The exact balance can be spent, and not a unit more.
func TestPaymentOfTheWholeBalance(t *testing.T) {
	n := newNode(t)
	if result, err := n.pay(t, n.Link(fromAnn()), 1_000_000, 1_000_000); err != nil || n.balance != 0 {
		t.Errorf("%+v, %v, balance %d", result, err, n.balance)
	}
	result, err := n.pay(t, n.Link(fromAnn()), 1, 1)
	wantReason(t, err, stream.Illiquid)
	if result != (stream.Result{}) {
		t.Errorf("%+v", result)
	}
}

// A quote for a local receiver is one packet and one answer: nobody waits for it, whatever the answer is.
func TestQuotesDoNotSleep(t *testing.T) {
	for _, c := range []struct {
		name   string
		asset  ilp.Asset
		amount uint64
		books  error
		want   stream.Reason // "" if there is an offer
	}{
		{"same asset", usd, 1000, nil, ""},
		{"across currencies", eur, 1000, nil, ""},
		{"rounds to nothing", eur, 1, nil, stream.TooSmall},
		{"no rate", ilp.Asset{Code: "KES", Scale: 2}, 1000, nil, stream.Busy},
		{"overflow", jpy, math.MaxUint64, nil, stream.TooLarge},
		{"more than there is", usd, 1_000_001, nil, stream.Illiquid},
		{"the books are full", eur, 1000, connector.ErrInsufficient, stream.Illiquid},
		{"the books refuse", eur, 1000, connector.ErrRefused, stream.Refused},
		{"the books are down", eur, 1000, errDown, stream.Busy},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNode(t)
			n.payee.Asset = c.asset
			n.deliver = func(connector.Delivery) error { return c.books }
			_, err := n.sender(t, n.Link(fromAnn())).ProbeWhole(context.Background(), c.amount)
			if c.want != "" {
				wantReason(t, err, c.want)
			} else if err != nil {
				t.Error(err)
			}
			if n.slept != 0 {
				t.Errorf("it slept %v", n.slept)
			}
		})
	}
}

// A payment of which the books take no more than a part at a time isn't cut when it was to be whole.
func TestWholePaymentAboveALimit(t *testing.T) {
	n := newNode(t)
	n.payee.Asset = eur
	n.deliver = func(d connector.Delivery) error {
		if d.AmountOut > 500 {
			return connector.ErrInsufficient
		}
		return nil
	}
	result, err := n.sender(t, n.Link(fromAnn())).Send(context.Background(), stream.SendParams{
		Amount: 1000, MinDelivered: 913, Asset: eur, Whole: true,
	})
	wantReason(t, err, stream.Illiquid)
	n.wantBooks(t, result)
	if result != (stream.Result{}) {
		t.Errorf("%+v", result)
	}
}

// The sender counts a packet apart when the books can't say what became of it.
func TestPaymentWhoseOutcomeIsUnknown(t *testing.T) {
	n := newNode(t)
	n.deliver = func(connector.Delivery) error { return connector.ErrUnknown }
	result, err := n.pay(t, n.Link(fromAnn()), 1000, 1000)
	wantReason(t, err, stream.NoAnswer)
	if want := (stream.Result{Unknown: 1000, UnknownReason: stream.NoAnswer}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
}

func TestPaymentBelowTheMinimum(t *testing.T) {
	n := newNode(t)
	n.payee.Asset = eur
	result, err := n.pay(t, n.Link(fromAnn()), 1000, 914)
	wantReason(t, err, stream.RateTooLow)
	n.wantBooks(t, result)
}

func TestPaymentWhoseRateFalls(t *testing.T) {
	n := newNode(t)
	n.payee.Asset = eur
	link := &limited{Link: n.Link(fromAnn()), max: 100}
	n.deliver = func(connector.Delivery) error {
		if len(n.deliveries) == 4 {
			n.rate[[2]ilp.Asset{usd, eur}] = [2]uint64{1, 2}
		}
		return nil
	}
	result, err := n.pay(t, link, 1000, 900)
	wantReason(t, err, stream.RateTooLow)
	// Those that were converted before pass; the rest don't.
	if result.Packets < 5 || result.Packets > 9 || result.Delivered != 91*result.Packets {
		t.Errorf("%+v", result)
	}
	n.wantBooks(t, result)
}

func TestPaymentToAnAccountThatChangedItsAsset(t *testing.T) {
	n := newNode(t)
	s := n.sender(t, n.Link(fromAnn()))
	n.payee.Asset = jpy
	result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 1000, Asset: usd})
	wantReason(t, err, stream.AssetChanged)
	n.wantBooks(t, result)
}

// limited is a link that takes no packet above max.
type limited struct {
	stream.Link
	max uint64
}

func (l *limited) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	if p.Amount > l.max {
		j := packet.NewReject(packet.TooLarge, "test.limit", "too large")
		j.Data = packet.AmountTooLarge{Received: p.Amount, Maximum: l.max}.Append(nil)
		return j, nil
	}
	return l.Link.SendPacket(ctx, p)
}

// Over any limit and rate a payment brings what its probe promised, and the books agree to the unit.
func TestPaymentsOverALimitedLink(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := newNode(t)
		n.payee.Asset = rapid.SampledFrom([]ilp.Asset{usd, eur, jpy}).Draw(r, "asset")
		amount := rapid.Uint64Range(100, 1_000_000).Draw(r, "amount")
		link := &limited{n.Link(fromAnn()), amount / rapid.Uint64Range(1, 20).Draw(r, "packets")}
		probe, err := n.sender(t, link).Probe(context.Background(), amount)
		if err != nil {
			r.Fatal(err)
		}
		result, err := n.sender(t, link).Send(context.Background(), stream.SendParams{
			Amount: amount, MinDelivered: probe.Received, MaxRounding: probe.Packets - 1, Asset: n.payee.Asset,
		})
		if want := (stream.Result{Sent: amount, Delivered: probe.Received, Packets: probe.Packets}); err != nil || result != want {
			r.Errorf("%+v, %v; want %+v", result, err, want)
		}
		n.wantBooks(r, result)
	})
}

func TestPaymentThroughTemporaryErrors(t *testing.T) {
	n := newNode(t)
	tries := 0
	n.deliver = func(connector.Delivery) error {
		if tries++; tries%2 == 1 {
			return errDown
		}
		return nil
	}
	result, err := n.pay(t, &limited{n.Link(fromAnn()), 300}, 1000, 1000)
	if err != nil || result.Delivered != 1000 {
		t.Errorf("%+v, %v", result, err)
	}
	n.wantBooks(t, result)
}

func TestPaymentThatIsRefused(t *testing.T) {
	n := newNode(t)
	n.deliver = func(connector.Delivery) error { return connector.ErrRefused }
	result, err := n.pay(t, n.Link(fromAnn()), 1000, 1000)
	wantReason(t, err, stream.Refused)
	n.wantBooks(t, result)
}

// hostile changes packets and replies on their way.
type hostile struct {
	stream.Link
	in  func(*packet.Prepare)
	out func(packet.Reply) packet.Reply
}

func (h *hostile) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	if h.in != nil {
		h.in(&p)
	}
	reply, err := h.Link.SendPacket(ctx, p)
	if h.out != nil && err == nil {
		reply = h.out(reply)
	}
	return reply, err
}

func TestPaymentOverAHostileLink(t *testing.T) {
	for name, c := range map[string]struct {
		link   hostile
		reason stream.Reason
	}{
		"data changed": {hostile{in: func(p *packet.Prepare) {
			p.Data = append([]byte(nil), p.Data...)
			p.Data[len(p.Data)-1] ^= 1
		}}, stream.Refused},
		"condition changed": {hostile{in: func(p *packet.Prepare) { p.Condition[0] ^= 1 }}, stream.Refused},
		"amount halved":     {hostile{in: func(p *packet.Prepare) { p.Amount /= 2 }}, stream.RateTooLow},
		"fulfillment changed": {hostile{out: func(reply packet.Reply) packet.Reply {
			if f, ok := reply.(*packet.Fulfill); ok {
				f.Fulfillment[31] ^= 1
			}
			return reply
		}}, stream.BadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t)
			c.link.Link = n.Link(fromAnn())
			result, err := n.pay(t, &c.link, 1000, 1000)
			wantReason(t, err, c.reason)
			if result.Sent != 0 || result.Delivered != 0 {
				t.Errorf("%+v", result)
			}
			if in, _ := n.delivered(); in != result.Unknown {
				t.Errorf("the books moved %d, the sender doesn't know of %d", in, result.Unknown)
			}
		})
	}
}

// Many payments at once keep their own counts.
func TestPaymentsAtOnce(t *testing.T) {
	n := newNode(t)
	var total atomic.Uint64
	done := make(chan error)
	for range 20 {
		s := n.sender(t, &limited{n.Link(fromAnn()), 500})
		go func() {
			result, err := s.Send(context.Background(), stream.SendParams{Amount: 5000, MinDelivered: 5000, Asset: usd})
			total.Add(result.Delivered)
			done <- err
		}()
	}
	for range 20 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if _, out := n.delivered(); out != 100_000 || total.Load() != out || n.balance != 900_000 {
		t.Errorf("books %d, senders %d, balance %d", out, total.Load(), n.balance)
	}
}
