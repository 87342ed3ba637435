package stream_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// between returns a before that has no money for packets of least and more, and no use for smaller ones.
func between(least uint64) func(int, packet.Prepare) (packet.Reply, error) {
	return moneyPackets(func(_ int, p packet.Prepare) (packet.Reply, error) {
		if p.Amount >= least {
			return packet.NewReject(packet.InsufficientLiquidity, "test.path", "at the limit"), nil
		}
		return packet.NewReject(packet.InsufficientSource, "test.path", "too small"), nil
	})
}

// A payment that shrank until nothing would have arrived failed for what made it shrink.
func TestTheTellingRejectCounts(t *testing.T) {
	for _, least := range []uint64{1, 2, 10, 400, 1000} {
		p := newPath(t)
		p.before = between(least)
		s, _ := p.sender(t)
		_, probed := s.Probe(context.Background(), 1000)
		_, _, sent := pay(t, p, 1000, 1000)
		s, _ = p.sender(t)
		_, fixed := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 500, Asset: usd, FixedReceive: true})
		for name, err := range map[string]error{"probe": probed, "payment": sent, "fixed": fixed} {
			wantFailure(t, err, stream.Illiquid)
			var j *packet.Reject
			if !errors.As(err, &j) || j.Message != "at the limit" {
				t.Errorf("%s, from %d on: %v", name, least, j)
			}
		}
	}
	p := newPath(t)
	p.before = between(1001)
	_, _, err := pay(t, p, 1000, 1000)
	wantFailure(t, err, stream.TooSmall)
}

// Where nothing at all gets through, that is found out soon; where nothing does for a moment, the payment arrives.
func TestNothingGetsThrough(t *testing.T) {
	for _, least := range []uint64{1, 30} { // of which packets are worth something
		p := newPath(t)
		p.before = between(least)
		_, clock, err := pay(t, p, 100_000, 100_000)
		wantFailure(t, err, stream.Illiquid)
		if took := clock.total(); took > 3*time.Second || len(p.packets) > 16 {
			t.Errorf("from %d on: it took %v and %d packets", least, took, len(p.packets))
		}

		s, clock := p.sender(t)
		begin := clock.Now()
		p.before = moneyPackets(func(n int, prepare packet.Prepare) (packet.Reply, error) {
			if clock.Now().Sub(begin) < time.Second {
				return between(least)(n, prepare)
			}
			return nil, nil
		})
		result, err := s.Send(context.Background(), stream.SendParams{Amount: 100_000, MinDelivered: 100_000, Asset: usd})
		if err != nil || result.Delivered != 100_000 {
			t.Errorf("after a moment without money, from %d on: %+v, %v", least, result, err)
		}
	}
}
