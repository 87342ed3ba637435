package connector_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/ildcp"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// allowed is an agreement of Ann's over euros, of which so much is left.
type allowed struct {
	left uint64
	err  error
}

var ourShop = [16]byte{0x5}

func (a *allowed) Agreement(_ context.Context, id [16]byte, amount uint64) (connector.Terms, error) {
	switch {
	case a.err != nil:
		return connector.Terms{}, a.err
	case id != ourShop:
		return connector.Terms{}, fmt.Errorf("%w: no such agreement", connector.ErrRefused)
	case amount > a.left:
		return connector.Terms{}, fmt.Errorf("%w: too much", connector.ErrInsufficient)
	}
	return connector.Terms{
		Account:   connector.Party{Account: ann, Asset: usd, Reference: ourShop},
		Authority: connector.Authority{Account: [16]byte{0x7}, Asset: eur, Limit: a.left},
	}, nil
}

// newAgreed returns a node with an agreement. Two euros are three dollars.
func newAgreed(t *testing.T) (*node, *allowed) {
	t.Helper()
	n := newNode(t)
	a := &allowed{left: 1000}
	n.cfg.Agreements = a
	n.rate[[2]ilp.Asset{eur, usd}] = [2]uint64{3, 2}
	var err error
	if n.Connector, err = connector.New(n.cfg); err != nil {
		t.Fatal(err)
	}
	return n, a
}

func (n *node) fromShop(p packet.Prepare) packet.Reply {
	return must(n.Link(connector.FromAgreement(ourShop)).SendPacket(context.Background(), p))
}

// A packet of 101 euro cents takes 151 cents of Ann's dollars and uses 101 of the
// agreement, in one delivery.
func TestAgreementPays(t *testing.T) {
	n, _ := newAgreed(t)
	if reply := n.fromShop(n.prepare(t, 101)); reply.Type() != packet.TypeFulfill {
		t.Fatalf("%+v", reply)
	}
	if len(n.deliveries) != 1 {
		t.Fatalf("deliveries %+v", n.deliveries)
	}
	d := n.deliveries[0]
	if d.AmountIn != 151 || d.AmountOut != 151 || d.From.Account != ann || d.From.Reference != ourShop ||
		d.Authority == nil || d.Authority.Amount != 101 || d.Authority.Asset != eur || d.Authority.Limit != 1000 {
		t.Errorf("delivery %+v, authority %+v", d, d.Authority)
	}
}

// Whoever is at the other end of an agreement's link is told the agreement's asset.
func TestAgreementsChildConfig(t *testing.T) {
	n, a := newAgreed(t)
	a.left = 0
	reply := n.fromShop(packet.Prepare{Destination: ildcp.Destination, ExpiresAt: n.Now().Add(time.Minute), Condition: stream.Condition([32]byte{})})
	f, ok := reply.(*packet.Fulfill)
	if !ok {
		t.Fatalf("%+v", reply)
	}
	config, err := ildcp.Decode(f.Data)
	if err != nil || config.Asset != eur || !config.Address.HasPrefix("test.pochi") {
		t.Errorf("%+v, %v", config, err)
	}
}

// An app learns which limit it met, and whether it makes sense to try again.
func TestAgreementsSayNo(t *testing.T) {
	const used = "The agreement has less than this left until it renews. Ask it what is left, and send no more than that."
	const disallowed = "This agreement allows no packets now: it hasn't begun, was paused or has ended, or it names receivers or a limit for each payment."
	for _, test := range []struct {
		name    string
		terms   error // of the agreement
		books   error // when the money would move
		code    packet.Code
		message string
	}{
		{"more than is allowed", connector.ErrInsufficient, nil, packet.InsufficientLiquidity, used},
		{"paused", connector.ErrRefused, nil, packet.BadRequest, disallowed},
		{"used up", nil, connector.ErrAllowance, packet.InsufficientLiquidity, used},
		{"ended meanwhile", nil, fmt.Errorf("%w: %w", connector.ErrDisallowed, connector.ErrRefused), packet.BadRequest, disallowed},
		{"lowered meanwhile", nil, connector.ErrBusy, packet.ConnectorBusy, "Other packets have to end before this one. Try again soon."},
		{"an empty account", nil, connector.ErrInsufficient, packet.InsufficientLiquidity, "There is not enough money for this packet right now."},
		{"the database is down", errDown, nil, packet.InternalError, "This wallet has a problem. Try again later."},
	} {
		n, a := newAgreed(t)
		a.err = test.terms
		n.deliver = func(connector.Delivery) error { return test.books }
		for kind, p := range map[string]packet.Prepare{"money": n.prepare(t, 100), "probe": n.probe(t, 100)} {
			j := n.wantReject(t, test.name+", "+kind, n.fromShop(p), test.code)
			if j.Message != test.message {
				t.Errorf("%s, %s: %q", test.name, kind, j.Message)
			}
		}
	}
}

func TestLinkOfNoAgreement(t *testing.T) {
	n, _ := newAgreed(t)
	reply := must(n.Link(connector.FromAgreement([16]byte{6})).SendPacket(context.Background(), n.prepare(t, 1)))
	n.wantReject(t, "another agreement", reply, packet.BadRequest)
}
