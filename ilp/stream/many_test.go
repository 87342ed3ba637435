package stream_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// When the path dies, what was in flight is unknown, with its reason, and nothing follows. Network.pay checks the sums.
func TestPathDiesWithManyInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 1, faults{delay: 100 * time.Millisecond, max: []uint64{1000}, dieAt: 1250 * time.Millisecond})
		result, err := n.pay(100, stream.SendParams{Amount: 10_000_000, MinDelivered: 10_000_000})
		wantFailure(t, err, stream.NoAnswer)
		if result.Unknown != 100_000 || result.UnknownReason != stream.NoAnswer || result.Sent == 0 {
			t.Errorf("%+v", result)
		}
	})
}

// A rate that falls while many are in flight takes nothing below the price.
func TestRateFallsWithManyInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 1, faults{delay: 100 * time.Millisecond, max: []uint64{1000}, fallAt: time.Second})
		result, err := n.pay(100, stream.SendParams{Amount: 10_000_000, MinDelivered: 9_950_000})
		wantFailure(t, err, stream.RateTooLow)
		if result.Sent == 0 || result.Delivered != result.Sent || result.Unknown != 0 {
			t.Errorf("%+v", result)
		}
	})
}

// With little to lose to rounding the sender waits for those in flight rather than ask for more than the path can bring.
func TestRoundingWithManyInFlight(t *testing.T) {
	for _, rounding := range []uint64{0, 1, 5, 99} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, 1, faults{delay: 10 * time.Millisecond, max: []uint64{1000}, multiply: 9137, divide: 10_000})
			// 913 of each 1,000, in 100 packets.
			result, err := n.pay(50, stream.SendParams{Amount: 100_000, MinDelivered: 91_300, MaxRounding: rounding})
			if err != nil || result.Delivered != 91_300 {
				t.Errorf("%d: %+v, %v", rounding, result, err)
			}
			n = newNetwork(t, 1, faults{delay: 10 * time.Millisecond, max: []uint64{1000}, multiply: 9137, divide: 10_000})
			result, err = n.pay(50, stream.SendParams{Amount: 100_000, MinDelivered: 91_370, MaxRounding: rounding})
			if rounding == 99 {
				if err != nil || result.Delivered != 91_300 {
					t.Errorf("%d: %+v, %v", rounding, result, err)
				}
				return
			}
			wantFailure(t, err, stream.Rounding)
		})
	}
}

// Enough arrives, at the price or better, and next to nothing more, whatever the sizes: in packets of 1,000 the rate is
// known to a thousandth.
func TestFixedReceive(t *testing.T) {
	for _, limit := range []uint64{0, 100_000, 1000, 77} {
		for _, want := range []uint64{1, 10, 913, 91_370} {
			t.Run(fmt.Sprintf("%d in %d", want, limit), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := faults{delay: 10 * time.Millisecond, multiply: 9137, divide: 10_000}
					if limit > 0 {
						f.max = []uint64{limit}
					}
					n := newNetwork(t, 1, f)
					// Two percent more than it takes, and what rounding may.
					most := want*10_000/9137*102/100 + 20
					result, err := n.pay(50, stream.SendParams{Amount: most, MinDelivered: want, MaxRounding: want, FixedReceive: true})
					if err != nil || result.Delivered < want || result.Delivered > want+1+want/2000 {
						t.Errorf("%+v, %v", result, err)
					}
				})
			})
		}
	}
}

func TestFixedReceiveThatIsDone(t *testing.T) {
	p := newPath(t)
	s, _ := p.sender(t)
	done := stream.Result{Sent: 700, Delivered: 1000, Packets: 3}
	params := stream.SendParams{Amount: 1000, MinDelivered: 1000, Asset: usd, FixedReceive: true, Done: done}
	if result, err := s.Send(context.Background(), params); err != nil || result != done || len(p.packets) != 0 {
		t.Errorf("%+v, %v, %d packets", result, err, len(p.packets))
	}
}

// A panic in the link is the caller's, whichever goroutine it happens in, once the other packets have landed.
func TestLinkPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 1, faults{delay: 100 * time.Millisecond, max: []uint64{1000}})
		s := n.sender(50)
		broken := &breaking{n: n, at: 30}
		s.SetLink(broken)
		n.params = stream.SendParams{Amount: 1_000_000, MinDelivered: 1_000_000, Asset: usd}
		defer func() {
			if value := recover(); value == nil || !strings.Contains(fmt.Sprint(value), "link broke") || n.packets != 0 {
				t.Errorf("%v, %d packets left", value, n.packets)
			}
		}()
		_, err := s.Send(context.Background(), n.params)
		t.Errorf("it returned %v", err)
	})
}

type breaking struct {
	n  *network
	at int
}

func (b *breaking) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	if request, ok := b.n.request(p); ok && request.Sequence == uint64(b.at) {
		panic("link broke")
	}
	return b.n.SendPacket(ctx, p)
}
