package stream_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// A receiver with a limit fulfills what fits, refuses the rest for good, and always says how much it takes.
func TestReceiveWithALimit(t *testing.T) {
	c, secret := connect(t, newReceiver(t))
	for amount, want := range map[uint64]packet.Type{40: packet.TypeFulfill, 1: packet.TypeFulfill, 41: packet.TypeReject} {
		p := fulfillable(t, secret, amount, stream.Packet{Type: packet.TypePrepare, Sequence: 1})
		reply := c.Receive(p.Amount, p.Condition, p.Data, usd, &stream.Limit{Most: 100, Received: 60})
		if reply.Type() != want {
			t.Errorf("%d: %+v", amount, reply)
		}
		if j, ok := reply.(*packet.Reject); ok && j.Code != packet.ApplicationError {
			t.Errorf("%d: %s", amount, j.Code)
		}
		answer := open(t, secret, reply)
		if diff := cmp.Diff(takes(100, 60), answer.Frames); diff != "" || answer.Amount != amount {
			t.Errorf("%d: received %d (-want +got):\n%s", amount, answer.Amount, diff)
		}
	}
	if left := (stream.Limit{Most: 5, Received: 7}).Left(); left != 0 {
		t.Errorf("%d are left after too many", left)
	}
}

// Whoever brings money to a receiver that takes no more, or asks whether they may, is told that that is for good; whoever has
// brought all that it takes, and says goodbye, isn't.
func TestReceiverIsFullForGood(t *testing.T) {
	c, secret := connect(t, newReceiver(t))
	closed := append(takes(100, 100), stream.ConnectionClose{Code: stream.CodeApplicationError, Message: "Nothing more is taken for this payment."})
	for _, test := range []struct {
		amount uint64
		frames []stream.Frame
		want   []stream.Frame
	}{
		{1, nil, closed},
		{0, []stream.Frame{stream.StreamMoneyBlocked{StreamID: 1, SendMax: 200, TotalSent: 100}}, closed},
		{0, nil, takes(100, 100)},
		{0, []stream.Frame{stream.StreamClose{StreamID: 1}}, takes(100, 100)},
	} {
		p := fulfillable(t, secret, test.amount, stream.Packet{Type: packet.TypePrepare, Sequence: 1, Frames: test.frames})
		reply := c.Receive(p.Amount, p.Condition, p.Data, usd, &stream.Limit{Most: 100, Received: 100})
		if diff := cmp.Diff(test.want, open(t, secret, reply).Frames); diff != "" {
			t.Errorf("%d with %+v (-want +got):\n%s", test.amount, test.frames, diff)
		}
		if j, refused := reply.(*packet.Reject); refused != (test.amount > 0) || refused && j.Code != packet.ApplicationError {
			t.Errorf("%d with %+v: %+v", test.amount, test.frames, reply)
		}
	}
}

// A sender that loses the race to a receiver that takes only so much is told so, and doesn't wait for what never comes: when
// others were faster, and when it brought all that there was room for.
func TestSenderToAFullReceiver(t *testing.T) {
	for _, others := range []uint64{0, 700, 1000} {
		for _, fixedReceive := range []bool{false, true} {
			p := newPath(t)
			p.max = 100
			p.limit = func() stream.Limit { return stream.Limit{Most: 1000 - others, Received: p.received} }
			s, clock := p.sender(t)
			result, err := s.Send(context.Background(), stream.SendParams{
				Amount: 2000, MinDelivered: 2000, Asset: usd, FixedReceive: fixedReceive, Deadline: clock.Now().Add(time.Minute),
			})
			wantFailure(t, err, stream.Full)
			if result.Sent != 1000-others || len(clock.slept) > 0 {
				t.Errorf("%d by others: %+v after %v", others, result, clock.slept)
			}
		}
	}
}

// A sender whose packet is as large as can be, and too large for what the receiver takes, doesn't wait: nothing will change that.
func TestWholePaymentThatDoesNotFit(t *testing.T) {
	p := newPath(t)
	p.limit = func() stream.Limit { return stream.Limit{Most: 999} }
	s, clock := p.sender(t)
	result, err := s.Send(context.Background(), stream.SendParams{
		Amount: 1000, MinDelivered: 1000, Asset: usd, Whole: true, Deadline: clock.Now().Add(time.Minute),
	})
	wantFailure(t, err, stream.Full)
	if most, known := s.Limit(); result != (stream.Result{}) || len(clock.slept) != 0 || most != 999 || !known {
		t.Errorf("%+v after %v; it takes %d, %t", result, clock.slept, most, known)
	}
}

// Others pay the same receiver meanwhile: what it takes is less than it said first, and the sender keeps to that.
func TestLimitThatOthersUse(t *testing.T) {
	p := newPath(t)
	p.max = 100
	p.limit = func() stream.Limit {
		if p.received >= 300 {
			return stream.Limit{Most: 350, Received: p.received}
		}
		return stream.Limit{Most: 1000, Received: p.received}
	}
	result, _, err := pay(t, p, 1000, 1000)
	wantFailure(t, err, stream.Full)
	if p.received != 350 || result.Sent != 350 || result.Delivered != 350 {
		t.Errorf("%d received, %+v", p.received, result)
	}
}
