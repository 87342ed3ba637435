package stream_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pochi/ilp"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// wantFailure checks that err is a *Failure for a reason, in plain words.
func wantFailure(t *testing.T, err error, want stream.Reason) {
	t.Helper()
	var failure *stream.Failure
	if !errors.As(err, &failure) || failure.Reason != want || failure.Error() != want.Message() {
		t.Errorf("%v (%+v), want %s", err, failure, want)
	}
}

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		name             string
		multiply, divide uint64
		max              uint64
		bare             bool
		want             stream.Probe
	}{
		{"1:1", 1, 1, 0, false, stream.Probe{Sent: 1000, Received: 1000, Asset: usd, MaxPacket: 1000, Packets: 1}},
		{"rate", 9137, 10000, 0, false, stream.Probe{Sent: 1000, Received: 913, Asset: usd, MaxPacket: 1000, Packets: 1}},
		// 250, four times: floor(228.425) each.
		{"rate, four packets", 9137, 10000, 250, false, stream.Probe{Sent: 1000, Received: 912, Asset: usd, MaxPacket: 250, Packets: 4}},
		// 334, 333 and 333.
		{"rate, uneven packets", 9137, 10000, 400, false, stream.Probe{Sent: 1000, Received: 305 + 304 + 304, Asset: usd, MaxPacket: 400, Packets: 3}},
		{"one unit a packet", 1, 1, 1, false, stream.Probe{Sent: 1000, Received: 1000, Asset: usd, MaxPacket: 1, Packets: 1000}},
		// 1000 and 500 are too large, 250 and 375 fit, 437 and 406 are too large, 390 fits and is close enough.
		{"limit not told", 1, 1, 400, true, stream.Probe{Sent: 1000, Received: 1000, Asset: usd, MaxPacket: 390, Packets: 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPath(t)
			p.multiply, p.divide, p.max, p.bareF08 = c.multiply, c.divide, c.max, c.bare
			s, _ := p.sender(t)
			got, err := s.Probe(context.Background(), 1000)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if p.received != 0 {
				t.Errorf("a probe moved %d", p.received)
			}
		})
	}
}

func TestProbeFails(t *testing.T) {
	reject := func(code packet.Code, data []byte) func(int, packet.Prepare) (packet.Reply, error) {
		return func(int, packet.Prepare) (packet.Reply, error) {
			j := packet.NewReject(code, "test.path", "")
			j.Data = data
			return j, nil
		}
	}
	tooLarge := func(received, maximum uint64) []byte {
		return packet.AmountTooLarge{Received: received, Maximum: maximum}.Append(nil)
	}
	for _, c := range []struct {
		name   string
		before func(int, packet.Prepare) (packet.Reply, error)
		want   stream.Reason
		most   int // packets
	}{
		{"F02", reject(packet.Unreachable, nil), stream.Unreachable, 1},
		{"F06", reject(packet.UnexpectedPayment, nil), stream.Refused, 1},
		{"unknown final code", reject("F09", nil), stream.Refused, 1},
		{"no family", reject("\x00\x00\x00", nil), stream.Refused, 1},
		{"R00", reject(packet.TimedOut, nil), stream.TimedOut, 1},
		{"R01", reject(packet.InsufficientSource, nil), stream.TooSmall, 1},
		{"T00", reject(packet.InternalError, nil), stream.Busy, 4},
		{"unknown temporary code", reject("T42", nil), stream.Busy, 4},
		{"T01", reject(packet.PeerUnreachable, nil), stream.Unreachable, 4},
		{"T04", reject(packet.InsufficientLiquidity, nil), stream.Illiquid, 9},
		{"F99 that isn't the receiver's", reject(packet.ApplicationError, []byte("x")), stream.Refused, 4},
		// Hazard 21.
		{"F08 of 0 received", reject(packet.TooLarge, tooLarge(0, 0)), stream.TooLarge, 10},
		{"F08 of maximum above received", reject(packet.TooLarge, tooLarge(5, 6)), stream.TooLarge, 10},
		{"F08 of 2^64-1", reject(packet.TooLarge, tooLarge(1<<64-1, 1<<64-1)), stream.TooLarge, 10},
		{"F08 of 15 bytes", reject(packet.TooLarge, tooLarge(2, 1)[:15]), stream.TooLarge, 10},
		{"F08 of no bytes", reject(packet.TooLarge, nil), stream.TooLarge, 10},
		{"F08 of maximum 0", reject(packet.TooLarge, tooLarge(1000, 0)), stream.TooLarge, 1},
		{"F08 shrinking by one", func(_ int, p packet.Prepare) (packet.Reply, error) {
			j := packet.NewReject(packet.TooLarge, "test.path", "")
			j.Data = tooLarge(p.Amount, p.Amount-1)
			return j, nil
		}, stream.TooLarge, 64},
		{"link fails", func(int, packet.Prepare) (packet.Reply, error) { return nil, errors.New("reset") }, stream.NoAnswer, 1},
		{"fulfilled", func(int, packet.Prepare) (packet.Reply, error) { return &packet.Fulfill{}, nil }, stream.BadAnswer, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPath(t)
			p.before = c.before
			s, clock := p.sender(t)
			_, err := s.Probe(context.Background(), 1000)
			wantFailure(t, err, c.want)
			if len(p.packets) > c.most {
				t.Errorf("%d packets, want at most %d", len(p.packets), c.most)
			}
			if total := clock.total(); total > time.Second {
				t.Errorf("it paused for %v", total)
			}
		})
	}
}

// What rounds to nothing does so again, and a path that is short of money has no more of it a moment later: neither is
// waited for.
func TestProbeDoesNotWaitForWhatTimeDoesNotCure(t *testing.T) {
	for code, want := range map[packet.Code]stream.Reason{
		packet.InsufficientSource: stream.TooSmall, packet.InsufficientLiquidity: stream.Illiquid, packet.TooLarge: stream.TooLarge,
	} {
		p := newPath(t)
		p.before = func(int, packet.Prepare) (packet.Reply, error) { return packet.NewReject(code, "test.path", ""), nil }
		s, clock := p.sender(t)
		_, err := s.Probe(context.Background(), 1<<40)
		wantFailure(t, err, want)
		if clock.slept != nil {
			t.Errorf("%s: pauses %v", code, clock.slept)
		}
	}
}

// A path that is short of money for one packet is asked for smaller ones, and not for dust.
func TestProbeShrinksOnT04(t *testing.T) {
	for _, c := range []struct{ takes, want uint64 }{{300, 297}, {40, 39}} {
		p := newPath(t)
		p.before = aboveT04(c.takes)
		s, clock := p.sender(t)
		got, err := s.Probe(context.Background(), 1000)
		if err != nil || got.Received != 1000 || got.MaxPacket > c.takes || got.MaxPacket < c.takes*15/16 || clock.slept != nil {
			t.Errorf("%+v, %v, pauses %v", got, err, clock.slept)
		}
	}
	p := newPath(t)
	p.before = aboveT04(1000)
	s, _ := p.sender(t)
	_, err := s.Probe(context.Background(), 1<<40)
	wantFailure(t, err, stream.Illiquid)
	if len(p.packets) > 10 {
		t.Errorf("%d packets", len(p.packets))
	}
}

// aboveT04 returns a before that has no money for packets above most.
func aboveT04(most uint64) func(int, packet.Prepare) (packet.Reply, error) {
	return func(_ int, prepare packet.Prepare) (packet.Reply, error) {
		if prepare.Amount > most {
			return packet.NewReject(packet.InsufficientLiquidity, "test.path", ""), nil
		}
		return nil, nil
	}
}

func TestProbeWhole(t *testing.T) {
	p := newPath(t)
	p.asset, p.multiply, p.divide = eur, 9137, 10000
	s, _ := p.sender(t)
	got, err := s.ProbeWhole(context.Background(), 1000)
	want := stream.Probe{Sent: 1000, Received: 913, Asset: eur, MaxPacket: 1000, Packets: 1}
	if diff := cmp.Diff(want, got); err != nil || diff != "" || len(p.packets) != 1 {
		t.Errorf("%d packets, %v (-want +got):\n%s", len(p.packets), err, diff)
	}
	for name, amount := range map[string]uint64{"nothing": 0, "what rounds to nothing": 1} {
		if _, err := s.ProbeWhole(context.Background(), amount); err == nil {
			t.Errorf("%s: no failure", name)
		} else {
			wantFailure(t, err, stream.TooSmall)
		}
	}
}

// The first answer is the only one, whatever it is.
func TestProbeWholeAsksOnce(t *testing.T) {
	for code, want := range map[packet.Code]stream.Reason{
		packet.TooLarge: stream.TooLarge, packet.InsufficientLiquidity: stream.Illiquid, packet.InsufficientSource: stream.TooSmall,
		packet.InternalError: stream.Busy, packet.RateLimited: stream.Busy, packet.Unreachable: stream.Unreachable,
		packet.ApplicationError: stream.Refused, packet.TimedOut: stream.TimedOut,
	} {
		p := newPath(t)
		p.before = func(int, packet.Prepare) (packet.Reply, error) { return packet.NewReject(code, "test.path", ""), nil }
		s, clock := p.sender(t)
		_, err := s.ProbeWhole(context.Background(), 1000)
		wantFailure(t, err, want)
		if clock.slept != nil || len(p.packets) != 1 {
			t.Errorf("%s: %d packets, pauses %v", code, len(p.packets), clock.slept)
		}
	}
}

func TestProbeOfNothing(t *testing.T) {
	p := newPath(t)
	s, _ := p.sender(t)
	_, err := s.Probe(context.Background(), 0)
	wantFailure(t, err, stream.TooSmall)
	p.multiply, p.divide = 1, 1_000_000
	_, err = s.Probe(context.Background(), 1000)
	wantFailure(t, err, stream.TooSmall)
}

// silent is a link that breaks its promise.
type silent struct{}

func (silent) SendPacket(context.Context, packet.Prepare) (packet.Reply, error) { return nil, nil }

func TestLinkWithoutReply(t *testing.T) {
	s := stream.NewSender(stream.SenderConfig{Link: silent{}, Destination: "test.a", Clock: newClock(), Random: newRandom()})
	_, err := s.Probe(context.Background(), 5)
	wantFailure(t, err, stream.NoAnswer)
}

func TestProbeThatWouldOverflow(t *testing.T) {
	p := newPath(t)
	p.max = 1
	p.after = func(_ int, prepare packet.Prepare, reply packet.Reply) packet.Reply {
		return p.rewrite(prepare, reply, func(_ stream.Packet, answer *stream.Packet) { answer.Amount = 1 << 63 })
	}
	s, _ := p.sender(t)
	_, err := s.Probe(context.Background(), 5)
	wantFailure(t, err, stream.BadAnswer)
}

func TestProbeNeedingTooManyPackets(t *testing.T) {
	p := newPath(t)
	p.max = 1
	s, _ := p.sender(t)
	_, err := s.Probe(context.Background(), 1<<40)
	wantFailure(t, err, stream.Exhausted)
}

// Temporary errors are waited out, with pauses that grow and end.
func TestProbeIsPatient(t *testing.T) {
	p := newPath(t)
	p.before = func(n int, _ packet.Prepare) (packet.Reply, error) {
		if n <= 3 {
			return packet.NewReject(packet.RateLimited, "test.path", ""), nil
		}
		return nil, nil
	}
	s, clock := p.sender(t)
	got, err := s.Probe(context.Background(), 1000)
	if err != nil || got.Received != 1000 {
		t.Fatalf("%+v, %v", got, err)
	}
	for i := 1; i < len(clock.slept); i++ {
		if clock.slept[i] <= clock.slept[i-1] {
			t.Errorf("pauses %v don't grow", clock.slept)
		}
	}
	if len(clock.slept) != 3 {
		t.Errorf("pauses %v", clock.slept)
	}
}

// Hazard 29: rejects of old and of new receivers are read.
func TestRejectsOfAllReceivers(t *testing.T) {
	for _, code := range []packet.Code{packet.ApplicationError, packet.InsufficientAmount, packet.WrongCondition} {
		p := newPath(t)
		p.after = func(_ int, _ packet.Prepare, reply packet.Reply) packet.Reply {
			if j, ok := reply.(*packet.Reject); ok {
				j.Code = code
			}
			return reply
		}
		s, _ := p.sender(t)
		if got, err := s.Probe(context.Background(), 1000); err != nil || got.Received != 1000 {
			t.Errorf("%s: %+v, %v", code, got, err)
		}
	}
}

// receivers that don't take an empty address are asked with another.
func TestProbeAsksForTheAssetTwice(t *testing.T) {
	p := newPath(t)
	p.after = hideAsset(p, func(a string) bool { return a == "" })
	s, _ := p.sender(t)
	if got, err := s.Probe(context.Background(), 1000); err != nil || got.Asset != usd {
		t.Errorf("%+v, %v", got, err)
	}
	p.after = hideAsset(p, func(string) bool { return true })
	s, _ = p.sender(t)
	_, err := s.Probe(context.Background(), 1000)
	wantFailure(t, err, stream.BadAnswer)
}

// hideAsset returns an after that leaves the frames out of replies to packets that ask with such an address.
func hideAsset(p *path, hide func(address string) bool) func(int, packet.Prepare, packet.Reply) packet.Reply {
	return func(_ int, prepare packet.Prepare, reply packet.Reply) packet.Reply {
		return p.rewrite(prepare, reply, func(request stream.Packet, answer *stream.Packet) {
			for _, f := range request.Frames {
				if ask, ok := f.(stream.ConnectionNewAddress); ok && hide(ask.Address) {
					answer.Frames = nil
				}
			}
		})
	}
}

func TestAssetMustNotChange(t *testing.T) {
	p := newPath(t)
	p.max = 500
	p.after = func(n int, prepare packet.Prepare, reply packet.Reply) packet.Reply {
		return p.rewrite(prepare, reply, func(_ stream.Packet, answer *stream.Packet) {
			answer.Frames = []stream.Frame{stream.ConnectionAssetDetails{Code: "USD", Scale: uint8(n)}}
		})
	}
	s, _ := p.sender(t)
	_, err := s.Probe(context.Background(), 1000)
	wantFailure(t, err, stream.AssetChanged)
}

func TestAssetCodesFromStrangersAreChecked(t *testing.T) {
	for _, code := range []string{"", "US D", "US\x1b[2J", "\xff", "ÄÖÜ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		p := newPath(t)
		p.asset = ilp.Asset{Code: code}
		s, _ := p.sender(t)
		_, err := s.Probe(context.Background(), 1000)
		wantFailure(t, err, stream.BadAnswer)
	}
}
