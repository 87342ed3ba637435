package server

import (
	"context"
	"testing"

	"pochi/app/payments"
	"pochi/app/peers"

	"github.com/google/uuid"
)

// peering is two wallets that are peers, in dollars: Ann is at A, Ben at B. A's
// packets go through a proxy.
type peering struct {
	t        *testing.T
	a, b     *station
	ann, ben person
	atA, atB uuid.UUID // B's account at A, A's at B
	way      *proxy
}

const (
	tokenOfA = "the token of wallet A"
	tokenOfB = "the token of wallet B"
	// packetMax is what B takes in one packet, in cents: a payment has several.
	packetMax = 3_00
)

func newPeering(t *testing.T, variables ...string) *peering {
	t.Helper()
	p := &peering{t: t, a: newStation(t, "test.a", variables...), b: newStation(t, "test.b")}
	p.way = newProxy(t, p.b.cfg.ILPListen)
	p.ann, p.ben = p.a.person("ann"), p.b.person("ben")
	p.atA = p.a.peer("b", peers.Change{
		Address: ptr("test.b"), AddTokens: []peers.Token{word(tokenOfB)}, Routes: []string{"test.far"}, SetRoutes: true,
		OutgoingURL: ptr(p.way.URL + "/ilp"), OutgoingToken: ptr(word(tokenOfA)), CreditLimit: ptr(uint64(1e9)),
	})
	p.atB = p.b.peer("a", peers.Change{
		Address: ptr("test.a"), AddTokens: []peers.Token{word(tokenOfA)}, Default: ptr(true),
		OutgoingURL: ptr("http://" + p.a.cfg.ILPListen + "/ilp"), OutgoingToken: ptr(word(tokenOfB)),
		CreditLimit: ptr(uint64(1e9)), MaxPacket: ptr(uint64(packetMax)),
	})
	return p
}

// word makes a token of words.
func word(text string) peers.Token {
	token := []byte(text)
	for i, c := range token {
		if c == ' ' {
			token[i] = '-'
		}
	}
	return peers.Token(token)
}

func ptr[T any](v T) *T { return &v }

func (w *station) peer(name string, c peers.Change) uuid.UUID {
	w.t.Helper()
	standing, err := w.peers.Add(context.Background(), name, "USD/2", c)
	if err != nil {
		w.t.Fatal(err)
	}
	return standing.ID
}

// pointer is somebody's at B.
func (p *peering) pointer(name string) string { return "$" + p.b.cfg.Host() + "/" + name }

func (p *peering) quote(amount string) payments.Quote {
	p.t.Helper()
	q, err := p.a.payments.Quote(context.Background(), p.ann.ID, payments.QuoteRequest{
		AccountID: p.ann.Account, To: p.pointer("ben"), Amount: amount, Fixed: payments.FixedDebit,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return q
}

// confirm pays a quote and waits for the payment's end.
func (p *peering) confirm(q payments.Quote) payments.Outgoing {
	p.t.Helper()
	if _, err := p.a.payments.Confirm(context.Background(), p.ann.ID, q.ID); err != nil {
		p.t.Fatal(err)
	}
	return p.end(q.ID)
}

// end waits for a payment's end.
func (p *peering) end(id uuid.UUID) payments.Outgoing {
	p.t.Helper()
	p.a.payments.Wait(context.Background(), id)
	p.way.quiet()
	out, err := p.a.payments.FindOutgoing(context.Background(), p.ann.ID, id)
	if err != nil {
		p.t.Fatal(err)
	}
	if !out.State.Ended() {
		p.t.Errorf("payment %+v", out)
	}
	return out
}

// differ is by how much B's receivable from A exceeds what A knows to owe.
func (p *peering) differ() int64 {
	p.t.Helper()
	owes, _ := p.a.balance(p.atA)
	owed, _ := p.b.balance(p.atB)
	return -owed - owes
}

// named is what A knows of what B may claim besides, for a payment: lost answers,
// and what a crash left.
func (p *peering) named(payment uuid.UUID) (doubts, suspense int64) {
	p.t.Helper()
	const doubted = "SELECT coalesce(sum(amount), 0) FROM peer_doubts WHERE peer = ? AND reference = ? AND cause <> ''"
	const suspended = `SELECT coalesce(sum(x.amount), 0) FROM suspense x JOIN accounts c ON c.n = x.counterparty
		WHERE c.id = ? AND x.reference = ? AND x.state = 0`
	return p.a.number(doubted, p.atA[:], payment[:]), p.a.number(suspended, p.atA[:], payment[:])
}

// whole fails the test unless both wallets are at rest, Ann has paid what was sent of
// her payments and no more, and Ben has what B says to have had from A.
func (p *peering) whole(all ...payments.Outgoing) {
	p.t.Helper()
	p.a.atRest()
	p.b.atRest()
	var sent, suspended, ended int64
	for _, out := range all {
		sent += int64(out.SentAmount.Value)
		suspended += int64(out.Suspended.Open.Value)
		if out.State.Ended() {
			ended++
		}
		if out.SentAmount.Value+out.Back().Value+out.Suspended.Open.Value != out.DebitAmount.Value {
			p.t.Errorf("sent, suspended and returned is not all of %+v", out)
		}
		if (out.State == payments.Completed) != (out.SentAmount == out.DebitAmount) || out.State == payments.Failed && out.Reason == "" {
			p.t.Errorf("payment %+v", out)
		}
	}
	if has, held := p.a.balance(p.ann.Account); has != personHas-sent-suspended || held != 0 {
		p.t.Errorf("Ann has %d, of which %d are held; sent were %d, and %d are in suspense", has, held, sent, suspended)
	}
	owed, _ := p.b.balance(p.atB)
	if has, held := p.b.balance(p.ben.Account); has != personHas-owed || held != 0 {
		p.t.Errorf("Ben has %d, of which %d are held; A owes B %d", has, held, -owed)
	}
	received := p.b.number("SELECT coalesce(sum(received_amount), 0) FROM incoming_payments WHERE account_id = ? AND sender = '' AND sender_name = ''", p.ben.Account[:])
	if received != -owed {
		p.t.Errorf("Ben's history says %d, A owes B %d", received, -owed)
	}
	if owes, _ := p.a.balance(p.atA); owes != sent {
		p.t.Errorf("A owes B %d, and people sent %d", owes, sent)
	}
}
