package connector_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// What a payment request doesn't take is refused by the receiver's own word, which says how much it does; the books aren't asked.
func TestPacketBeyondARequest(t *testing.T) {
	n := newNode(t)
	n.payee.Request, n.payee.Limit = [16]byte{3}, &stream.Limit{Most: 999}
	j, ok := n.handle(n.prepare(t, 1000)).(*packet.Reject)
	if !ok || j.Code != packet.ApplicationError || len(n.deliveries) != 0 {
		t.Errorf("%+v, delivered %+v", j, n.deliveries)
	}
	if _, ok := n.handle(n.prepare(t, 999)).(*packet.Fulfill); !ok || len(n.deliveries) != 1 || n.deliveries[0].To.Request != n.payee.Request {
		t.Errorf("what it takes: delivered %+v", n.deliveries)
	}
}

// Others may have paid a request between the look at it and the books: the sender is told for good, though what can be seen of the
// request is still as it was.
func TestRequestThatIsFullByNow(t *testing.T) {
	n := newNode(t)
	n.payee.Request, n.payee.Limit = [16]byte{3}, &stream.Limit{Most: 1000}
	n.deliver = func(connector.Delivery) error { return fmt.Errorf("paid: %w", connector.ErrFull) }
	to, secret := n.connect(t)
	s := stream.NewSender(stream.SenderConfig{Link: n.Link(fromAnn()), Destination: to, Secret: secret, Clock: n, Random: rand.Reader})
	result, err := s.Send(context.Background(), stream.SendParams{
		Amount: 1000, MinDelivered: 1000, Asset: usd, Whole: true, Deadline: n.Now().Add(time.Minute),
	})
	var failure *stream.Failure
	if !errors.As(err, &failure) || failure.Reason != stream.Full || failure.Reject.Code != packet.ApplicationError || n.slept != 0 {
		t.Errorf("%+v, %v after %s", result, err, n.slept)
	}
	if most, known := s.Limit(); !known || most != 999 || len(n.deliveries) != 0 {
		t.Errorf("it takes %d, %t; delivered %+v", most, known, n.deliveries)
	}
	n.payee.Limit = nil // cancelled meanwhile, and still no way around the books
	if j, ok := n.handle(n.prepare(t, 1)).(*packet.Reject); !ok || j.Code != packet.ApplicationError {
		t.Errorf("%+v", j)
	}
}
