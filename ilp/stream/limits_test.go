package stream_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// adding returns an after that puts frames into the receiver's answers.
func adding(p *path, frames func(request stream.Packet) []stream.Frame) func(int, packet.Prepare, packet.Reply) packet.Reply {
	return func(_ int, prepare packet.Prepare, reply packet.Reply) packet.Reply {
		return p.rewrite(prepare, reply, func(request stream.Packet, answer *stream.Packet) {
			answer.Frames = append(answer.Frames, frames(request)...)
		})
	}
}

// takes is the frame of a receiver that takes so much in all.
func takes(most, received uint64) []stream.Frame {
	return []stream.Frame{stream.StreamMaxMoney{StreamID: 1, ReceiveMax: most, TotalReceived: received}}
}

// A receiver that takes no more gets no more than it takes, is told that there is more, and is left at last.
func TestReceiverIsFull(t *testing.T) {
	p := newPath(t)
	p.max = 300
	p.after = adding(p, func(stream.Packet) []stream.Frame { return takes(500, p.received) })
	result, clock, err := pay(t, p, 1000, 1000)
	wantFailure(t, err, stream.Full)
	if want := (stream.Result{Sent: 500, Delivered: 500, Packets: 2}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
	if len(clock.slept) == 0 || len(clock.slept) > 8 {
		t.Errorf("pauses %v", clock.slept)
	}
	var blocked []stream.Frame
	for _, prepare := range p.packets {
		for _, f := range open(t, p.secret, &packet.Fulfill{Data: prepare.Data}).Frames {
			if f.Type() == stream.TypeStreamMoneyBlocked {
				blocked = append(blocked, f)
			}
		}
	}
	want := stream.StreamMoneyBlocked{StreamID: 1, SendMax: 1000, TotalSent: 500}
	if len(blocked) == 0 || blocked[0] != stream.Frame(want) {
		t.Errorf("%v, want %v", blocked, want)
	}
}

// A limit that is raised lets the payment go on; one that is lowered, or another stream's, means nothing.
func TestReceiverRaisesItsLimit(t *testing.T) {
	p := newPath(t)
	p.multiply = 2
	asked := 0
	p.after = adding(p, func(request stream.Packet) []stream.Frame {
		for _, f := range request.Frames {
			if f.Type() == stream.TypeStreamMoneyBlocked {
				asked++
			}
		}
		switch {
		case asked > 1:
			return takes(5000, p.received)
		case p.received > 0:
			return append(takes(3, p.received), stream.StreamMaxMoney{StreamID: 2, ReceiveMax: 9000})
		}
		return takes(700, 0)
	})
	result, _, err := pay(t, p, 1000, 2000)
	if want := (stream.Result{Sent: 1000, Delivered: 2000, Packets: 2}); err != nil || result != want {
		t.Errorf("%+v, %v; want %+v", result, err, want)
	}
}

// Deployed receivers take nothing on a stream until their application has seen it, and say so when they refuse.
func TestReceiverTakesNothingAtFirst(t *testing.T) {
	p := newPath(t)
	money := 0
	p.after = func(_ int, prepare packet.Prepare, reply packet.Reply) packet.Reply {
		if f, ok := reply.(*packet.Fulfill); ok && prepare.Amount > 0 {
			if money++; money == 1 {
				p.received = 0
				j := packet.NewReject(packet.ApplicationError, "test.receiver", "")
				j.Data = f.Data
				return p.rewrite(prepare, j, func(_ stream.Packet, answer *stream.Packet) {
					answer.Type, answer.Frames = packet.TypeReject, takes(0, 0)
				})
			}
		}
		return p.rewrite(prepare, reply, func(_ stream.Packet, answer *stream.Packet) {
			if money > 0 {
				answer.Frames = append(answer.Frames, takes(1<<64-1, 0)...)
			}
		})
	}
	result, _, err := pay(t, p, 1000, 1000)
	if want := (stream.Result{Sent: 1000, Delivered: 1000, Packets: 1}); err != nil || result != want {
		t.Errorf("%+v, %v; want %+v", result, err, want)
	}
}

// Hazard 30: a receiver that closes the stream or the connection gets nothing more, not even a goodbye.
func TestReceiverClosesTheStream(t *testing.T) {
	for _, c := range []struct {
		frame stream.Frame
		left  bool
	}{
		{stream.StreamClose{StreamID: 1, Code: stream.CodeNoError}, true},
		{stream.ConnectionClose{Code: stream.CodeEndpointBusy}, true},
		{stream.StreamClose{StreamID: 2, Code: stream.CodeNoError}, false},
	} {
		p := newPath(t)
		p.max = 500
		p.after = adding(p, func(stream.Packet) []stream.Frame {
			if p.received > 0 {
				return []stream.Frame{c.frame}
			}
			return nil
		})
		result, _, err := pay(t, p, 1000, 1000)
		if !c.left {
			if err != nil || result.Sent != 1000 {
				t.Errorf("%+v: %+v, %v", c.frame, result, err)
			}
			continue
		}
		wantFailure(t, err, stream.Refused)
		if diff := cmp.Diff(stream.Result{Sent: 500, Delivered: 500, Packets: 1}, result); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.frame, diff)
		}
		if last := p.packets[len(p.packets)-1]; last.Amount != 500 {
			t.Errorf("%+v: a packet of %d followed", c.frame, last.Amount)
		}
	}
}

// A receiver that says another asset while it is paid is left; what it has is accounted.
func TestAssetChangesWhilePaying(t *testing.T) {
	p := newPath(t)
	p.max = 500
	p.after = adding(p, func(stream.Packet) []stream.Frame {
		if p.received > 0 {
			return []stream.Frame{stream.ConnectionAssetDetails{Code: "EUR", Scale: 2}}
		}
		return nil
	})
	result, _, err := pay(t, p, 1000, 1000)
	wantFailure(t, err, stream.AssetChanged)
	if want := (stream.Result{Sent: 500, Delivered: 500, Packets: 1}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
}

// Hazard 27: a payment that runs out of packets says what it has done.
func TestConnectionEndsWhilePaying(t *testing.T) {
	p := newPath(t)
	p.max = 100
	s, _ := p.sender(t)
	s.SetSequence(stream.MaxPackets - 4) // a question, one that is too large, and two more
	result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 1000, Asset: usd})
	wantFailure(t, err, stream.Exhausted)
	if want := (stream.Result{Sent: 200, Delivered: 200, Packets: 2}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
}
