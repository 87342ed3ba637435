package payments_test

import (
	"context"
	"errors"
	"testing"

	"pochi/app/payments"
	"pochi/app/payments/paytest"
	"pochi/ilp/packet"
)

// Before a fixed receipt the way is asked for its rate, with packets that nobody can
// fulfill: no money is set aside for them. When an answer is lost there is none that
// the peer could claim, and the question is asked again.
func TestLostAnswerToAQuestion(t *testing.T) {
	p := newPair(t, usd, usd, dollars(), paytest.NewClock())
	q := p.a.Quote(p.ann, farBen, "25", payments.FixedReceive)
	lost := false
	p.line.ToB.Between(func(pr packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		reply, err := next()
		if pr.Amount > 0 && err == nil && reply.Type() == packet.TypeReject {
			var held int64
			if err := p.a.DB.Read.QueryRow("SELECT coalesce(sum(in_flight), 0) FROM holds").Scan(&held); err != nil || held != 0 {
				t.Errorf("%d are in flight with a question, %v", held, err)
			}
			if !lost {
				lost = true
				return nil, errors.New("connection reset")
			}
		}
		return reply, err
	})
	out := p.a.Confirm(p.ann, q)
	if !lost || out.State != payments.Completed || out.Doubted.Value != 0 {
		t.Errorf("an answer was lost: %t; payment %+v", lost, out)
	}
	var doubts int
	if err := p.a.DB.Read.QueryRowContext(context.Background(), "SELECT count(*) FROM peer_doubts").Scan(&doubts); err != nil || doubts != 0 {
		t.Errorf("%d doubts, %v", doubts, err)
	}
	p.agree(2500)
}
