package stream_test

import (
	"context"
	"errors"
	"testing"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// Hazard 13, at the sender: a wrong fulfillment proves nothing.
func TestWrongFulfillment(t *testing.T) {
	p := newPath(t)
	p.max = 500
	p.after = func(_ int, prepare packet.Prepare, reply packet.Reply) packet.Reply {
		if f, ok := reply.(*packet.Fulfill); ok && p.received > 500 {
			f.Fulfillment[0] ^= 1
		}
		return reply
	}
	result, _, err := pay(t, p, 1000, 1000)
	wantFailure(t, err, stream.BadAnswer)
	if want := (stream.Result{Sent: 500, Delivered: 500, Packets: 1, Unknown: 500, UnknownReason: stream.BadAnswer}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
}

func TestLinkFailsWithMoneyInFlight(t *testing.T) {
	p := newPath(t)
	p.max = 500
	p.before = moneyPackets(func(n int, _ packet.Prepare) (packet.Reply, error) {
		if n == 3 {
			return nil, errors.New("connection reset")
		}
		return nil, nil
	})
	result, _, err := pay(t, p, 1000, 1000)
	wantFailure(t, err, stream.NoAnswer)
	if want := (stream.Result{Sent: 500, Delivered: 500, Packets: 1, Unknown: 500, UnknownReason: stream.NoAnswer}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
}

// Hazard 23: what a fulfilled packet's data says is believed only if it is the receiver's answer to it. The
// fulfillment alone proves the minimum.
func TestRepliesAreChecked(t *testing.T) {
	change := func(p *path, f func(*stream.Packet)) func(int, packet.Prepare, packet.Reply) packet.Reply {
		return func(_ int, prepare packet.Prepare, reply packet.Reply) packet.Reply {
			if reply.Type() != packet.TypeFulfill {
				return reply
			}
			return p.rewrite(prepare, reply, func(_ stream.Packet, answer *stream.Packet) { f(answer) })
		}
	}
	for name, after := range map[string]func(p *path) func(int, packet.Prepare, packet.Reply) packet.Reply{
		"no data": func(*path) func(int, packet.Prepare, packet.Reply) packet.Reply {
			return func(_ int, _ packet.Prepare, reply packet.Reply) packet.Reply {
				if f, ok := reply.(*packet.Fulfill); ok {
					f.Data = nil
				}
				return reply
			}
		},
		"tag": func(*path) func(int, packet.Prepare, packet.Reply) packet.Reply {
			return func(_ int, _ packet.Prepare, reply packet.Reply) packet.Reply {
				if f, ok := reply.(*packet.Fulfill); ok {
					f.Data[13] ^= 1
				}
				return reply
			}
		},
		"sequence": func(p *path) func(int, packet.Prepare, packet.Reply) packet.Reply {
			return change(p, func(answer *stream.Packet) { answer.Sequence++; answer.Amount = 5000 })
		},
		"type": func(p *path) func(int, packet.Prepare, packet.Reply) packet.Reply {
			return change(p, func(answer *stream.Packet) { answer.Type = packet.TypeReject; answer.Amount = 5000 })
		},
		"a request": func(p *path) func(int, packet.Prepare, packet.Reply) packet.Reply {
			return change(p, func(answer *stream.Packet) { answer.Type = packet.TypePrepare; answer.Amount = 5000 })
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPath(t)
			p.multiply = 2
			p.after = after(p)
			s, _ := p.sender(t)
			result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 1500, Asset: usd})
			if want := (stream.Result{Sent: 1000, Delivered: 1500, Packets: 1}); err != nil || result != want {
				t.Errorf("%+v, %v; want %+v", result, err, want)
			}
		})
	}
}

// A reject whose data is swapped, replayed or forged is a plain reject.
func TestRejectDataIsChecked(t *testing.T) {
	p := newPath(t)
	p.after = func(_ int, prepare packet.Prepare, reply packet.Reply) packet.Reply {
		if reply.Type() != packet.TypeReject {
			return reply
		}
		return p.rewrite(prepare, reply, func(_ stream.Packet, answer *stream.Packet) { answer.Type = packet.TypeFulfill })
	}
	s, _ := p.sender(t)
	_, err := s.Probe(context.Background(), 1000)
	wantFailure(t, err, stream.Refused)
}

// Hazard 23: a receiver that proves a packet and claims less than its minimum is accounted first, then left.
func TestReceiverClaimsTooLittle(t *testing.T) {
	p := newPath(t)
	p.max = 500
	p.after = func(_ int, prepare packet.Prepare, reply packet.Reply) packet.Reply {
		if reply.Type() != packet.TypeFulfill {
			return reply
		}
		return p.rewrite(prepare, reply, func(_ stream.Packet, answer *stream.Packet) { answer.Amount = 1 })
	}
	s, _ := p.sender(t)
	result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 1000, Asset: usd})
	wantFailure(t, err, stream.BadAnswer)
	if want := (stream.Result{Sent: 500, Delivered: 500, Packets: 1}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
}

func TestReceiverClaimsTooMuch(t *testing.T) {
	p := newPath(t)
	p.max = 500
	p.after = func(_ int, prepare packet.Prepare, reply packet.Reply) packet.Reply {
		return p.rewrite(prepare, reply, func(_ stream.Packet, answer *stream.Packet) { answer.Amount = 1<<64 - 1 })
	}
	s, _ := p.sender(t)
	result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 1000, Asset: usd})
	if want := (stream.Result{Sent: 1000, Delivered: 1<<64 - 1, Packets: 2}); err != nil || result != want {
		t.Errorf("%+v, %v; want %+v", result, err, want)
	}
}

func TestReceiverCloses(t *testing.T) {
	p := newPath(t)
	p.max = 500
	p.after = func(_ int, prepare packet.Prepare, reply packet.Reply) packet.Reply {
		if reply.Type() != packet.TypeFulfill {
			return reply
		}
		return p.rewrite(prepare, reply, func(_ stream.Packet, answer *stream.Packet) {
			answer.Frames = []stream.Frame{stream.ConnectionClose{Code: stream.CodeNoError}}
		})
	}
	result, _, err := pay(t, p, 1000, 1000)
	wantFailure(t, err, stream.Refused)
	if want := (stream.Result{Sent: 500, Delivered: 500, Packets: 1}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
}
