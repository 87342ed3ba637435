package stream_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// Hazard 21, with money: a path that takes packets of nothing only is left at once, and one that says nonsense is left soon.
func TestSendOverAPathThatTakesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		most int // packets with money
	}{
		"maximum 0":              {packet.AmountTooLarge{Received: 1000, Maximum: 0}.Append(nil), 1},
		"0 of 0":                 {packet.AmountTooLarge{}.Append(nil), 11},
		"maximum above received": {packet.AmountTooLarge{Received: 5, Maximum: 6}.Append(nil), 11},
		"2^64-1 of 2^64-1":       {packet.AmountTooLarge{Received: 1<<64 - 1, Maximum: 1<<64 - 1}.Append(nil), 11},
		"15 bytes":               {packet.AmountTooLarge{Received: 2, Maximum: 1}.Append(nil)[:15], 11},
		"nothing":                {nil, 11},
		"2^64-1, and one less":   {packet.AmountTooLarge{Received: 1<<64 - 1, Maximum: 1<<64 - 2}.Append(nil), 64},
	} {
		p := newPath(t)
		sent := 0
		p.before = moneyPackets(func(n int, _ packet.Prepare) (packet.Reply, error) {
			sent = n
			j := packet.NewReject(packet.TooLarge, "test.path", "")
			j.Data = c.data
			return j, nil
		})
		result, clock, err := pay(t, p, 1000, 1000)
		wantFailure(t, err, stream.TooLarge)
		if result != (stream.Result{}) || sent > c.most || clock.slept != nil {
			t.Errorf("%s: %+v after %d packets, pauses %v", name, result, sent, clock.slept)
		}
	}
}

// Hazard 22: a path without any liquidity gets few packets and pauses between them, however many might be in flight.
func TestStormOfT04(t *testing.T) {
	for _, code := range []packet.Code{packet.InsufficientLiquidity, packet.RateLimited, packet.ConnectorBusy} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, 1, faults{delay: 20 * time.Millisecond, max: []uint64{1000}, refuseAt: time.Second, refuseCode: code})
			result, err := n.pay(100, stream.SendParams{Amount: 100_000_000, MinDelivered: 100_000_000})
			if err == nil || result.Unknown != 0 || n.unaccounted != 0 {
				t.Errorf("%s: %+v, %v", code, result, err)
			}
			took := time.Since(n.begin) - time.Second
			if took < 5*time.Second || took > time.Minute {
				t.Errorf("%s: it gave up after %v", code, took)
			}
			// 100 were under way, then half as many after each pause.
			if n.refused-n.tooLarge > 200 {
				t.Errorf("%s: %d packets were refused", code, n.refused-n.tooLarge)
			}
		})
	}
}

// Hazard 24: when the last of what is to arrive is so little that somebody on the way can't pass it on, a little more is sent.
func TestLastPacketIsNoDust(t *testing.T) {
	p := newPath(t)
	p.max = 1000
	p.before = moneyPackets(func(_ int, prepare packet.Prepare) (packet.Reply, error) {
		if prepare.Amount < 7 {
			return packet.NewReject(packet.InsufficientSource, "test.path", ""), nil
		}
		return nil, nil
	})
	s, _ := p.sender(t)
	result, err := s.Send(context.Background(), stream.SendParams{
		Amount: 20_000, MinDelivered: 10_001, MaxRounding: 50, Asset: usd, FixedReceive: true, Done: stream.Result{Sent: 10_000, Delivered: 10_000},
	})
	if err != nil || result.Delivered < 10_001 || result.Delivered > 10_020 {
		t.Errorf("%+v, %v", result, err)
	}
	// Somebody who says so of any packet gets no more than a thousandth.
	p.before = moneyPackets(func(n int, _ packet.Prepare) (packet.Reply, error) {
		if n > 2 && n < 8 { // the first two ask for the rate
			return packet.NewReject(packet.InsufficientSource, "test.path", ""), nil
		}
		return nil, nil
	})
	s, _ = p.sender(t)
	result, err = s.Send(context.Background(), stream.SendParams{Amount: 20_000, MinDelivered: 100, MaxRounding: 50, Asset: usd, FixedReceive: true})
	if err != nil || result.Delivered < 100 || result.Delivered > 120 {
		t.Errorf("%+v, %v", result, err)
	}
}

// Hazard 25 can't apply to a Connection: it has no limit to exceed, since it stands for an account and not for an invoice. As
// a sender, FixedReceive stops at what was wanted (TestFixedReceive), and a receiver's own limit is kept to
// (TestReceiverIsFull). Hazard 28's data and stream limits can't either: no stream is opened and no data is kept
// (TestStrangeStreamFramesAreHarmless).
