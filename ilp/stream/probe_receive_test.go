package stream_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// hops is a path of several that each convert and round down.
type hops [][2]uint64

func (h hops) convert(amount uint64) uint64 {
	for _, hop := range h {
		amount = mulDiv(amount, hop[0], hop[1])
	}
	return amount
}

// drawHops draws one to three hops, each of a rate between most:1 and 1:most.
func drawHops(r *rapid.T, most uint64) (h hops) {
	for range rapid.IntRange(1, 3).Draw(r, "hops") {
		h = append(h, [2]uint64{rapid.Uint64Range(1, most).Draw(r, "multiply"), rapid.Uint64Range(1, most).Draw(r, "divide")})
	}
	return h
}

// smallest returns the smallest amount of which want arrives over hops.
func (h hops) smallest(want uint64) uint64 {
	low, high := uint64(0), uint64(1)
	for h.convert(high) < want {
		low, high = high, high*2
	}
	for high-low > 1 {
		if mid := low + (high-low)/2; h.convert(mid) >= want {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// What is found brings what is wanted, whatever rounds on the way, and costs less than the next step does of what arrives.
// The steps are wide only where somebody on the way counts in large units.
func TestProbeReceive(t *testing.T) {
	asked, found := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		p := newPath(t)
		p.hops = drawHops(r, 2000)
		want := rapid.Uint64Range(1, 10_000_000).Draw(r, "want")
		s, _ := p.sender(t)
		got, err := s.ProbeReceiveWhole(context.Background(), want)
		if err != nil {
			r.Fatal(err)
		}
		if arrives := p.hops.convert(got.Sent); arrives < want || arrives != got.Received || got.Asset != usd || got.Packets != 1 {
			r.Errorf("%+v of %d: %d arrive", got, want, arrives)
		}
		least := p.hops.smallest(want)
		if more := p.hops.smallest(p.hops.convert(least) + 1); got.Sent > more {
			r.Errorf("%d for %d, and %d bring it, %d the next step", got.Sent, want, least, more)
		}
		if len(p.packets) > 32 {
			r.Errorf("%d packets", len(p.packets))
		}
		asked, found = asked+len(p.packets), found+1
	})
	if asked > 12*found {
		t.Errorf("%d questions for %d amounts", asked, found)
	}
	t.Logf("%d questions for %d amounts", asked, found)
}

// Among currencies of like units, which are the usual ones, it is the least amount, and four or five questions tell.
func TestProbeReceiveIsExact(t *testing.T) {
	asked, found := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		p := newPath(t)
		for range rapid.IntRange(1, 3).Draw(r, "hops") {
			p.hops = append(p.hops, [2]uint64{rapid.Uint64Range(5000, 20_000).Draw(r, "rate"), 10_000})
		}
		want := rapid.Uint64Range(1, 1_000_000).Draw(r, "want")
		s, _ := p.sender(t)
		got, err := s.ProbeReceiveWhole(context.Background(), want)
		if least := p.hops.smallest(want); err != nil || got.Sent != least || got.Received != p.hops.convert(least) {
			r.Errorf("%+v, %v; want %d", got, err, least)
		}
		if len(p.packets) > 24 {
			r.Errorf("%d packets", len(p.packets))
		}
		asked, found = asked+len(p.packets), found+1
	})
	if asked > 7*found {
		t.Errorf("%d questions for %d amounts", asked, found)
	}
	t.Logf("%d questions for %d amounts", asked, found)
}

// On a way that takes small packets only, what is found arrives however the path cuts it, into up to twice as many packets.
func TestProbeReceiveInPackets(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := newPath(t)
		p.hops = drawHops(r, 50)
		want := rapid.Uint64Range(1, 1_000_000).Draw(r, "want")
		whole := p.hops.smallest(want)
		p.max = max(1, whole/rapid.Uint64Range(1, 50).Draw(r, "packets"))
		s, _ := p.sender(t)
		got, err := s.ProbeReceive(context.Background(), want)
		if err != nil {
			r.Skip("too many packets")
		}
		if got.Packets > 1000 {
			r.Skip("rounding takes nearly all")
		}
		if got.AtLeast(2*got.Packets) < want {
			r.Errorf("%+v for %d", got, want)
		}
		s, _ = p.sender(t)
		p.max, p.received = max(1, p.max*2/3), 0
		result, err := s.Send(context.Background(), stream.SendParams{
			Amount: got.Sent, MinDelivered: want, MaxRounding: 2 * got.Packets, Asset: usd,
		})
		if p.max > 10 && len(p.hops) == 1 && (err != nil || result.Delivered < want) {
			r.Errorf("%+v for %d: %+v, %v", got, want, result, err)
		}
	})
}

// A way that can't carry the amount says so, and one of which too much arrives is asked about less.
func TestProbeReceiveFails(t *testing.T) {
	p := newPath(t)
	p.before = aboveT04(1000)
	s, _ := p.sender(t)
	_, err := s.ProbeReceiveWhole(context.Background(), 1001)
	wantFailure(t, err, stream.Illiquid)
	if _, err := s.ProbeReceiveWhole(context.Background(), 1000); err != nil {
		t.Error(err)
	}
	_, err = s.ProbeReceiveWhole(context.Background(), 0)
	wantFailure(t, err, stream.TooSmall)

	p = newPath(t)
	p.hops = hops{{1000, 1}}
	p.before = aboveT04(1000)
	s, _ = p.sender(t)
	got, err := s.ProbeReceiveWhole(context.Background(), 500_000)
	if err != nil || got.Sent != 500 || len(p.packets) > 8 {
		t.Errorf("%+v, %v, %d packets", got, err, len(p.packets))
	}

	p = newPath(t)
	p.hops = hops{{0, 1}}
	s, _ = p.sender(t)
	_, err = s.ProbeReceiveWhole(context.Background(), 1<<40)
	wantFailure(t, err, stream.TooSmall)
	if len(p.packets) > 80 {
		t.Errorf("%d packets", len(p.packets))
	}

	p = newPath(t)
	p.before = func(int, packet.Prepare) (packet.Reply, error) {
		return packet.NewReject(packet.Unreachable, "test.path", ""), nil
	}
	s, _ = p.sender(t)
	_, err = s.ProbeReceive(context.Background(), 5)
	wantFailure(t, err, stream.Unreachable)
	if len(p.packets) != 1 {
		t.Errorf("%d packets", len(p.packets))
	}
}
