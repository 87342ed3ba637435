package stream_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// pay sends amount for at least minimum, and checks that the result is what the receiver got.
func pay(t *testing.T, p *path, amount, minimum uint64) (stream.Result, *clock, error) {
	t.Helper()
	s, clock := p.sender(t)
	p.received = 0
	result, err := s.Send(context.Background(), stream.SendParams{Amount: amount, MinDelivered: minimum, Asset: p.asset})
	s.Close(context.Background())
	if result.Unknown == 0 && result.Delivered != p.received {
		t.Errorf("delivered %d by the sender's count, %d by the receiver's", result.Delivered, p.received)
	}
	return result, clock, err
}

func TestSend(t *testing.T) {
	for _, c := range []struct {
		name             string
		multiply, divide uint64
		max, minimum     uint64
		bare             bool
		want             stream.Result
	}{
		// Hazard 24: 1:1 without any slippage completes.
		{"1:1", 1, 1, 0, 1000, false, stream.Result{Sent: 1000, Delivered: 1000, Packets: 1}},
		{"1:1 in packets", 1, 1, 7, 1000, false, stream.Result{Sent: 1000, Delivered: 1000, Packets: 143}},
		// 250, then 375 twice: it tries to grow while it pays.
		{"1:1, limit not told", 1, 1, 400, 1000, true, stream.Result{Sent: 1000, Delivered: 1000, Packets: 3}},
		{"rate", 9137, 10000, 0, 913, false, stream.Result{Sent: 1000, Delivered: 913, Packets: 1}},
		{"rate in packets", 9137, 10000, 250, 912, false, stream.Result{Sent: 1000, Delivered: 912, Packets: 4}},
		// Hazard 24: no small last packet that rounding eats.
		{"no dust", 1, 100, 999, 9, false, stream.Result{Sent: 1000, Delivered: 10, Packets: 2}},
		{"better than the minimum", 2, 1, 300, 1500, false, stream.Result{Sent: 1000, Delivered: 2000, Packets: 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPath(t)
			p.multiply, p.divide, p.max, p.bareF08 = c.multiply, c.divide, c.max, c.bare
			got, clock, err := pay(t, p, 1000, c.minimum)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if clock.slept != nil {
				t.Errorf("it paused: %v", clock.slept)
			}
		})
	}
}

// What a probe promises for a path, Send gets over the same path, to the unit.
func TestSendReachesWhatProbePromised(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := newPath(t)
		p.multiply, p.divide = rapid.Uint64Range(1, 2000).Draw(r, "multiply"), rapid.Uint64Range(1, 2000).Draw(r, "divide")
		amount := rapid.Uint64Range(1, 100_000).Draw(r, "amount")
		p.max = max(1, amount/rapid.Uint64Range(1, 50).Draw(r, "packets"))
		s, _ := p.sender(t)
		promised, err := s.Probe(context.Background(), amount)
		if err != nil {
			wantFailure(t, err, stream.TooSmall)
			return
		}
		s, _ = p.sender(t)
		result, err := s.Send(context.Background(), stream.SendParams{
			Amount: amount, MinDelivered: promised.Received, MaxRounding: promised.Packets - 1, Asset: p.asset,
		})
		want := stream.Result{Sent: amount, Delivered: promised.Received, Packets: promised.Packets}
		if err != nil || result != want {
			r.Errorf("%+v, %v; want %+v", result, err, want)
		}
	})
}

// Hazard 24: the minimum is the sender's, whatever the path says: below it nothing is lost.
func TestSendBelowTheMinimum(t *testing.T) {
	p := newPath(t)
	p.multiply, p.divide = 9, 10
	result, _, err := pay(t, p, 1000, 901)
	wantFailure(t, err, stream.RateTooLow)
	if result != (stream.Result{}) {
		t.Errorf("%+v", result)
	}
}

func TestSendStopsHalfWay(t *testing.T) {
	p := newPath(t)
	p.max = 100
	p.before = func(int, packet.Prepare) (packet.Reply, error) {
		if p.received >= 300 {
			p.divide = 2 // the rate falls
		}
		return nil, nil
	}
	result, _, err := pay(t, p, 1000, 990)
	wantFailure(t, err, stream.RateTooLow)
	if want := (stream.Result{Sent: 300, Delivered: 300, Packets: 3}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
}

// moneyPackets makes a hook see only packets with money, counted from 1.
func moneyPackets(hook func(n int, p packet.Prepare) (packet.Reply, error)) func(int, packet.Prepare) (packet.Reply, error) {
	n := 0
	return func(_ int, p packet.Prepare) (packet.Reply, error) {
		if p.Amount == 0 {
			return nil, nil
		}
		n++
		return hook(n, p)
	}
}

func TestSendRetries(t *testing.T) {
	// Hazard 24: R01 is retried as well. R00 is what a connector says whose next one didn't answer in time.
	for _, code := range []packet.Code{"T00", "T01", "T02", "T03", "T05", "T99", "R00", "R01", "F99"} {
		t.Run(string(code), func(t *testing.T) {
			p := newPath(t)
			p.max = 250
			p.before = moneyPackets(func(n int, _ packet.Prepare) (packet.Reply, error) {
				if n%3 == 2 {
					return packet.NewReject(code, "test.path", ""), nil
				}
				return nil, nil
			})
			result, _, err := pay(t, p, 1000, 1000)
			if want := (stream.Result{Sent: 1000, Delivered: 1000, Packets: 4}); err != nil || result != want {
				t.Errorf("%+v, %v", result, err)
			}
		})
	}
}

func TestSendMakesPacketsSmallerOnT04(t *testing.T) {
	p := newPath(t)
	p.before = func(_ int, prepare packet.Prepare) (packet.Reply, error) {
		if prepare.Amount > 300 {
			return packet.NewReject(packet.InsufficientLiquidity, "test.path", ""), nil
		}
		return nil, nil
	}
	result, clock, err := pay(t, p, 1000, 1000)
	if err != nil || result.Delivered != 1000 || len(clock.slept) == 0 {
		t.Errorf("%+v, %v, pauses %v", result, err, clock.slept)
	}
}

// Hazard 22: a storm of temporary errors meets pauses, and an end.
func TestSendGivesUpInAStorm(t *testing.T) {
	for code, want := range map[packet.Code]stream.Reason{
		packet.InsufficientLiquidity: stream.Illiquid, packet.RateLimited: stream.Busy, packet.ApplicationError: stream.Refused,
	} {
		p := newPath(t)
		p.before = moneyPackets(func(int, packet.Prepare) (packet.Reply, error) {
			return packet.NewReject(code, "test.path", ""), nil
		})
		result, clock, err := pay(t, p, 1000, 1000)
		wantFailure(t, err, want)
		if result != (stream.Result{}) || len(p.packets) > 12 {
			t.Errorf("%s: %+v after %d packets", code, result, len(p.packets))
		}
		for _, d := range clock.slept {
			if d < 100*time.Millisecond || d > 5*time.Second {
				t.Errorf("%s: pauses %v", code, clock.slept)
			}
		}
	}
}

// Hazard 21, with money: a path that keeps lowering its limit is left.
func TestSendGivesUpOnShrinkingF08(t *testing.T) {
	p := newPath(t)
	p.before = moneyPackets(func(_ int, prepare packet.Prepare) (packet.Reply, error) {
		j := packet.NewReject(packet.TooLarge, "test.path", "")
		j.Data = packet.AmountTooLarge{Received: prepare.Amount, Maximum: prepare.Amount - 1}.Append(nil)
		return j, nil
	})
	result, _, err := pay(t, p, 1<<40, 1)
	wantFailure(t, err, stream.TooLarge)
	if result != (stream.Result{}) || len(p.packets) > 70 {
		t.Errorf("%+v after %d packets", result, len(p.packets))
	}
}

func TestSendStopsAtFinalErrors(t *testing.T) {
	for code, want := range map[packet.Code]stream.Reason{
		"F00": stream.Refused, "F02": stream.Unreachable, "F04": stream.Refused, "F05": stream.Refused, "F06": stream.Refused,
		"F07": stream.Refused, "F77": stream.Refused, "R02": stream.TimedOut, "R99": stream.Refused,
	} {
		p := newPath(t)
		p.max = 400
		p.before = moneyPackets(func(n int, _ packet.Prepare) (packet.Reply, error) {
			if n == 3 { // F08, then the first that passes
				return packet.NewReject(code, "test.path", "no more"), nil
			}
			return nil, nil
		})
		result, _, err := pay(t, p, 1000, 1000)
		wantFailure(t, err, want)
		var j *packet.Reject
		if !errors.As(err, &j) || j.Message != "no more" {
			t.Errorf("%s: the reject is lost: %v", code, err)
		}
		if want := (stream.Result{Sent: 334, Delivered: 334, Packets: 1}); result != want {
			t.Errorf("%s: %+v, want %+v", code, result, want)
		}
	}
}

func TestSendToAnotherAssetThanExpected(t *testing.T) {
	p := newPath(t)
	s, _ := p.sender(t)
	result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 1000, Asset: eur})
	wantFailure(t, err, stream.AssetChanged)
	if result != (stream.Result{}) || p.received != 0 {
		t.Errorf("%+v, received %d", result, p.received)
	}
}

func TestSendNeedsAmountAndMinimum(t *testing.T) {
	p := newPath(t)
	for _, params := range []stream.SendParams{{MinDelivered: 1, Asset: usd}, {Amount: 1, Asset: usd}} {
		s, _ := p.sender(t)
		_, err := s.Send(context.Background(), params)
		wantFailure(t, err, stream.TooSmall)
		if len(p.packets) != 0 {
			t.Errorf("%+v sent %d packets", params, len(p.packets))
		}
	}
}

// What the receiver is told, packet by packet: a question, money on the first stream, a goodbye that can't take money.
func TestSendFrames(t *testing.T) {
	p := newPath(t)
	p.max = 500
	if _, _, err := pay(t, p, 1000, 1000); err != nil {
		t.Fatal(err)
	}
	money := []stream.Frame{stream.StreamMoney{StreamID: 1, Shares: 1}}
	want := []stream.Packet{
		{Sequence: 1, Frames: []stream.Frame{stream.ConnectionNewAddress{}}},
		{Sequence: 2, Amount: 1000, Frames: money}, // rejected as too large
		{Sequence: 3, Amount: 500, Frames: money},
		{Sequence: 4, Amount: 500, Frames: money},
		{Sequence: 5, Frames: []stream.Frame{
			stream.StreamClose{StreamID: 1, Code: stream.CodeNoError}, stream.ConnectionClose{Code: stream.CodeNoError},
		}},
	}
	var got []stream.Packet
	for i, prepare := range p.packets {
		plain := open(t, p.secret, &packet.Fulfill{Data: prepare.Data})
		if plain.Type != packet.TypePrepare || prepare.Amount != plain.Amount {
			t.Errorf("packet %d is %+v with %d", i+1, plain, prepare.Amount)
		}
		plain.Type = 0
		got = append(got, plain)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Hazard 27: no more than 2^31 packets under one key.
func TestConnectionEnds(t *testing.T) {
	p := newPath(t)
	s, _ := p.sender(t)
	s.SetSequence(stream.MaxPackets - 1)
	if _, err := s.Probe(context.Background(), 1000); err != nil {
		t.Errorf("the last packet: %v", err)
	}
	_, err := s.Probe(context.Background(), 1000)
	wantFailure(t, err, stream.Exhausted)
}

// At the deadline, by the sender's clock, the packet in flight is still accounted, and none follows.
func TestDeadline(t *testing.T) {
	p := newPath(t)
	p.max = 100
	s, clock := p.sender(t)
	p.after = func(_ int, _ packet.Prepare, reply packet.Reply) packet.Reply {
		_ = clock.Sleep(context.Background(), time.Second)
		return reply
	}
	deadline := clock.Now().Add(3500 * time.Millisecond)
	result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 1000, Asset: usd, Deadline: deadline})
	wantFailure(t, err, stream.TimedOut)
	// One second to learn the asset, then a packet each second; the third was in flight.
	if want := (stream.Result{Sent: 300, Delivered: 300, Packets: 3}); result != want || p.received != 300 {
		t.Errorf("%+v, received %d; want %+v", result, p.received, want)
	}
	for _, prepare := range p.packets {
		if prepare.Amount > 0 && prepare.ExpiresAt.After(deadline) {
			t.Errorf("a packet expires at %v, after the deadline", prepare.ExpiresAt)
		}
	}
}

// How long packets live is counted by the sender's clock alone, whatever the machine's says and the context has left.
func TestPacketsExpireByTheClock(t *testing.T) {
	p := newPath(t)
	s, clock := p.sender(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if _, err := s.Send(ctx, stream.SendParams{Amount: 1000, MinDelivered: 1000, Asset: usd}); err != nil {
		t.Fatal(err)
	}
	s.Close(ctx)
	var lives []time.Duration
	for _, prepare := range p.packets {
		lives = append(lives, prepare.ExpiresAt.Sub(clock.Now()))
	}
	// A question, money, a goodbye.
	if diff := cmp.Diff([]time.Duration{30 * time.Second, 30 * time.Second, 10 * time.Second}, lives); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// When the context ends, the packet in flight is still accounted, and none follows.
func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPath(t)
		p.max = 100
		p.after = func(_ int, _ packet.Prepare, reply packet.Reply) packet.Reply {
			time.Sleep(time.Second)
			return reply
		}
		to, secret, err := p.receiver.Credentials(nil)
		if err != nil {
			t.Fatal(err)
		}
		s := stream.NewSender(stream.SenderConfig{
			Link: p, Destination: to, Secret: secret, Clock: stream.SystemClock{}, Random: newRandom(), MaxInFlight: 1,
		})
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		result, err := s.Send(ctx, stream.SendParams{Amount: 1000, MinDelivered: 1000, Asset: usd})
		wantFailure(t, err, stream.TimedOut)
		if want := (stream.Result{Sent: 300, Delivered: 300, Packets: 3}); result != want || p.received != 300 {
			t.Errorf("%+v, received %d; want %+v", result, p.received, want)
		}
	})
}

func TestCancelledWhilePausing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPath(t)
		ctx, cancel := context.WithCancel(t.Context())
		p.before = func(n int, _ packet.Prepare) (packet.Reply, error) {
			if n == 3 {
				cancel()
			}
			return packet.NewReject(packet.InternalError, "test.path", ""), nil
		}
		s := stream.NewSender(stream.SenderConfig{Link: p, Destination: "test.a", Clock: stream.SystemClock{}, Random: newRandom()})
		_, err := s.Probe(ctx, 1000)
		wantFailure(t, err, stream.Cancelled)
		if len(p.packets) != 3 {
			t.Errorf("%d packets", len(p.packets))
		}
	})
}

func TestEveryReasonHasASentence(t *testing.T) {
	seen := make(map[string]stream.Reason)
	for _, r := range []stream.Reason{
		stream.Unreachable, stream.Refused, stream.RateTooLow, stream.TooSmall, stream.TooLarge, stream.Illiquid, stream.Busy,
		stream.TimedOut, stream.Cancelled, stream.NoAnswer, stream.BadAnswer, stream.AssetChanged, stream.Exhausted,
		stream.Rounding, stream.Full, "unknown",
	} {
		if other, ok := seen[r.Message()]; ok {
			t.Errorf("%s says what %s says", r, other)
		}
		seen[r.Message()] = r
	}
}
