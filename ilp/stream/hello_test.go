package stream_test

import (
	"testing"

	"pochi/ilp/stream"
)

// Whoever is told of a way back may use it: ilp-protocol-stream then sends test packets there, and closes the connection when they
// fail, in the midst of the payment. So none is told of before the receiver has answered the question that offers none: that the path
// had no answer says nothing about the receiver.
func TestAskingOffersNoWayBack(t *testing.T) {
	p := newPath(t)
	p.max = 100
	s, _ := p.sender(t)
	if _, err := s.Probe(t.Context(), 543); err != nil {
		t.Fatal(err)
	}
	keys, asked := stream.NewKeys(p.secret), 0
	for _, sent := range p.packets {
		plaintext, err := keys.Open(sent.Data)
		if err != nil {
			t.Fatal(err)
		}
		request, err := stream.DecodePacket(plaintext)
		if err != nil {
			t.Fatal(err)
		}
		for _, frame := range request.Frames {
			if hello, ok := frame.(stream.ConnectionNewAddress); ok {
				asked++
				if hello.Address != "" {
					t.Errorf("packet %d of %d: the way back is %s", request.Sequence, sent.Amount, hello.Address)
				}
			}
		}
	}
	if asked < 2 {
		t.Errorf("asked %d times, of which the path refused one", asked)
	}
}
