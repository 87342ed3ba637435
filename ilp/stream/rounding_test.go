package stream_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// euros returns a path across a rate.
func euros(t *testing.T) *path {
	p := newPath(t)
	p.asset, p.multiply, p.divide = eur, 9137, 10000
	return p
}

// onceT04 returns a before that has no money for the first packet with any.
func onceT04() func(int, packet.Prepare) (packet.Reply, error) {
	return moneyPackets(func(n int, _ packet.Prepare) (packet.Reply, error) {
		if n == 1 {
			return packet.NewReject(packet.InsufficientLiquidity, "test.path", ""), nil
		}
		return nil, nil
	})
}

// The price is that of one packet. A path that makes two of it rounds down twice: floor(500 × 0.9137) is 456.
func TestSendThatIsSplit(t *testing.T) {
	for _, c := range []struct {
		rounding uint64
		reason   stream.Reason // "" if it completes
		want     stream.Result
	}{
		{1, "", stream.Result{Sent: 1000, Delivered: 912, Packets: 2}},
		{100, "", stream.Result{Sent: 1000, Delivered: 912, Packets: 2}},
		{0, stream.Rounding, stream.Result{Sent: 500, Delivered: 456, Packets: 1}},
	} {
		p := euros(t)
		p.before = onceT04()
		s, _ := p.sender(t)
		result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 913, MaxRounding: c.rounding, Asset: eur})
		if c.reason != "" {
			wantFailure(t, err, c.reason)
		} else if err != nil {
			t.Errorf("%d: %v", c.rounding, err)
		}
		if result != c.want || p.received != c.want.Delivered {
			t.Errorf("%d: %+v, want %+v", c.rounding, result, c.want)
		}
	}
}

// A rate that really fell isn't excused by rounding.
func TestSendThatIsSplitWhileTheRateFalls(t *testing.T) {
	p := euros(t)
	p.max = 250
	p.before = func(int, packet.Prepare) (packet.Reply, error) {
		if p.received > 0 {
			p.multiply = 9000
		}
		return nil, nil
	}
	s, _ := p.sender(t)
	result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 913, MaxRounding: 100, Asset: eur})
	wantFailure(t, err, stream.RateTooLow)
	if want := (stream.Result{Sent: 250, Delivered: 228, Packets: 1}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
}

// Hazard 24: a path that insists on packets so small that nothing of them need arrive doesn't get more than was allowed.
func TestDustIsNotFree(t *testing.T) {
	p := newPath(t)
	p.asset, p.multiply, p.max = eur, 0, 1
	s, _ := p.sender(t)
	result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 913, MaxRounding: 5, Asset: eur})
	wantFailure(t, err, stream.Rounding)
	if result.Sent > 10 || result.Delivered != 0 {
		t.Errorf("%+v", result)
	}
}

// Whatever a path that rounds down makes of a payment, it completes, with at most a unit less for each packet after the
// first, and never less than was agreed.
func TestRoundingIsBounded(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := newPath(t)
		p.multiply, p.divide = rapid.Uint64Range(1, 2000).Draw(r, "multiply"), rapid.Uint64Range(1, 2000).Draw(r, "divide")
		amount := rapid.Uint64Range(1, 100_000).Draw(r, "amount")
		agreed := amount * p.multiply / p.divide
		if agreed == 0 {
			r.Skip("nothing would arrive")
		}
		p.before = func(_ int, prepare packet.Prepare) (packet.Reply, error) {
			if prepare.Amount > max(1, amount/10) && rapid.Bool().Draw(r, "T04") {
				return packet.NewReject(packet.InsufficientLiquidity, "test.path", ""), nil
			}
			return nil, nil
		}
		s, _ := p.sender(t)
		params := stream.SendParams{Amount: amount, MinDelivered: agreed, MaxRounding: rapid.Uint64Range(0, 200).Draw(r, "rounding"), Asset: usd}
		result, err := s.Send(context.Background(), params)
		if err != nil {
			wantFailure(t, err, stream.Rounding)
			if params.MaxRounding >= result.Packets && agreed > params.MaxRounding {
				r.Errorf("%+v: %d packets were too many", params, result.Packets+1)
			}
			return
		}
		if result.Sent != amount || result.Delivered+min(result.Packets-1, params.MaxRounding) < agreed || result.Delivered == 0 {
			r.Errorf("%+v: %+v", params, result)
		}
	})
}

// Whatever a path that rounds down makes of an amount, what a probe says that arrives at least does.
func TestProbeKnowsTheWorstRounding(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := newPath(t)
		p.multiply, p.divide = rapid.Uint64Range(1, 2000).Draw(r, "multiply"), rapid.Uint64Range(1, 2000).Draw(r, "divide")
		amount := rapid.Uint64Range(1, 100_000).Draw(r, "amount")
		p.max = rapid.Uint64Range(1, amount).Draw(r, "max")
		s, _ := p.sender(t)
		probe, err := s.Probe(context.Background(), amount)
		if err != nil {
			wantFailure(t, err, stream.TooSmall)
			return
		}
		packets, left, delivered := uint64(0), amount, uint64(0)
		for ; left > 0; packets++ {
			size := rapid.Uint64Range(max(1, left/10), left).Draw(r, "size")
			left -= size
			delivered += size * p.multiply / p.divide
		}
		if least := probe.AtLeast(packets); delivered < least {
			r.Errorf("%+v: %d arrived in %d packets, and %d was promised", probe, delivered, packets, least)
		}
	})
}

// A payment that is taken up half-way goes on at the price that was agreed for all of it, however the part was rounded.
func TestSendTheRest(t *testing.T) {
	for sent := uint64(2); sent < 1000; sent++ {
		p := euros(t)
		s, _ := p.sender(t)
		done := stream.Result{Sent: sent, Delivered: sent * 9137 / 10000, Packets: 1}
		result, err := s.Send(context.Background(), stream.SendParams{
			Amount: 1000, MinDelivered: 913, MaxRounding: 1, Asset: eur, Whole: true, Done: done,
		})
		rest := (1000 - sent) * 9137 / 10000
		if want := (stream.Result{Sent: 1000, Delivered: done.Delivered + rest, Packets: 2}); err != nil || result != want {
			t.Errorf("%d: %+v, %v; want %+v", sent, result, err, want)
		}
	}
}

func TestSendWhenAllIsDone(t *testing.T) {
	p := newPath(t)
	s, _ := p.sender(t)
	done := stream.Result{Sent: 1000, Delivered: 1000, Packets: 3}
	result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 1000, Asset: usd, Done: done})
	if err != nil || result != done || len(p.packets) != 0 {
		t.Errorf("%+v, %v, %d packets", result, err, len(p.packets))
	}
}

// One packet or none: its size never changes, however often it is refused.
func TestWhole(t *testing.T) {
	for code, want := range map[packet.Code]struct {
		reason stream.Reason
		most   int // packets with money
	}{
		packet.InsufficientLiquidity: {stream.Illiquid, 8}, packet.TooLarge: {stream.TooLarge, 1}, packet.InternalError: {stream.Busy, 8},
	} {
		p := euros(t)
		sent := 0
		p.before = moneyPackets(func(n int, prepare packet.Prepare) (packet.Reply, error) {
			sent = n
			if prepare.Amount != 1000 {
				t.Errorf("%s: a packet of %d", code, prepare.Amount)
			}
			j := packet.NewReject(code, "test.path", "")
			j.Data = packet.AmountTooLarge{Received: 1000, Maximum: 500}.Append(nil)
			return j, nil
		})
		s, _ := p.sender(t)
		result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 913, Asset: eur, Whole: true})
		wantFailure(t, err, want.reason)
		if result != (stream.Result{}) || sent > want.most {
			t.Errorf("%s: %+v after %d packets", code, result, sent)
		}
	}
}

func TestWholeIsTriedAgain(t *testing.T) {
	p := euros(t)
	p.before = onceT04()
	s, _ := p.sender(t)
	result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 913, Asset: eur, Whole: true})
	if want := (stream.Result{Sent: 1000, Delivered: 913, Packets: 1}); err != nil || result != want {
		t.Errorf("%+v, %v; want %+v", result, err, want)
	}
}
