package stream_test

import (
	"context"
	"testing"

	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// noting is a link that writes down what each packet is said to bring.
type noting struct {
	*path
	t        *testing.T
	promised uint64 // the sum of what fulfilled packets were sure to bring
	money    int
}

func (l *noting) SendMoney(ctx context.Context, p packet.Prepare, least uint64) (packet.Reply, error) {
	plain := open(l.t, l.secret, &packet.Fulfill{Data: p.Data})
	if least < plain.Amount || least > 0 && p.Amount == 0 {
		l.t.Errorf("a packet of %d that has to bring %d is said to bring %d", p.Amount, plain.Amount, least)
	}
	reply, err := l.SendPacket(ctx, p)
	if f, ok := reply.(*packet.Fulfill); ok && f.Fulfills(p.Condition) {
		l.promised += least
		if p.Amount > 0 {
			l.money++
		}
	}
	return reply, err
}

// A link that can write it down is told of every packet what arrives at least, so that a payment can be taken up from what
// was written alone, and nothing that was agreed is lost.
func TestLinkIsToldTheMinimum(t *testing.T) {
	for _, rounding := range []uint64{0, 3, 100} {
		p := euros(t)
		p.max = 250
		s, _ := p.sender(t)
		link := &noting{path: p, t: t}
		s.SetLink(link)
		result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 912, MaxRounding: rounding, Asset: eur})
		if err != nil || result.Delivered != 912 || link.money != 4 {
			t.Errorf("%+v, %v, %d packets", result, err, link.money)
		}
		if link.promised > result.Delivered || link.promised+min(3, rounding) < result.Delivered {
			t.Errorf("%d was said to arrive at least, and %d did", link.promised, result.Delivered)
		}
	}
}

// What a path brings besides is told with the next packet: of a payment that a crash ends, only what the packets under way then
// brought besides isn't known.
func TestLinkIsToldWhatArrivedBesides(t *testing.T) {
	for name, refuse := range map[string]int{"all get through": 0, "one is refused": 3} {
		t.Run(name, func(t *testing.T) {
			p := euros(t) // 1,000 bring 913
			p.max = 100
			p.before = moneyPackets(func(n int, _ packet.Prepare) (packet.Reply, error) {
				if n == refuse {
					return packet.NewReject(packet.ConnectorBusy, "test.path", ""), nil
				}
				return nil, nil
			})
			s, _ := p.sender(t)
			link := &noting{path: p, t: t}
			s.SetLink(link)
			result, err := s.Send(context.Background(), stream.SendParams{Amount: 1000, MinDelivered: 500, Asset: eur})
			if err != nil || result.Delivered < 900 {
				t.Fatalf("%+v, %v", result, err)
			}
			if link.promised > result.Delivered || link.promised+41 < result.Delivered { // the last of ten brings 91, and 50 at least
				t.Errorf("%d was said to arrive at least, and %d did", link.promised, result.Delivered)
			}
		})
	}
}
