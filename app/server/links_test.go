package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/app/problem"
)

// B gives A another token, which A doesn't know yet: nothing moves until it does.
func TestTokenIsRotated(t *testing.T) {
	p := newPeering(t)
	ctx := context.Background()
	q := p.quote("25")
	const next = "another-token-of-wallet-A"
	p.way.AfterOne(func() {
		change := peers.Change{AddTokens: []peers.Token{next}, RemoveTokens: []peers.Token{word(tokenOfA)}}
		if _, err := p.b.peers.Update(ctx, "a", change); err != nil {
			t.Error(err)
		}
	})
	out := p.confirm(q)
	if out.State != payments.Failed || out.SentAmount.Value != p.way.paid || p.way.paid == 0 || p.differ() != 0 || out.Doubted.Value != 0 {
		t.Errorf("payment %+v; A was told of %d, the books differ by %d", out, p.way.paid, p.differ())
	}
	p.whole(out)
	if _, err := p.a.peers.Update(ctx, "b", peers.Change{OutgoingToken: ptr(peers.Token(next))}); err != nil {
		t.Fatal(err)
	}
	p.way.Fault(nil)
	again := p.confirm(p.quote("10"))
	if again.State != payments.Completed || p.differ() != 0 {
		t.Errorf("payment %+v; the books differ by %d", again, p.differ())
	}
	p.whole(out, again)
}

// somewhere answers payment pointers with an address that isn't its own.
func somewhere(t *testing.T, destination string) (pointer string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/spsp4+json")
		_ = json.NewEncoder(w).Encode(map[string]string{
			"destination_account": destination, "shared_secret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		})
	}))
	t.Cleanup(s.Close)
	return "$" + strings.TrimPrefix(s.URL, "http://") + "/cho"
}

// Nobody is at test.far, but A believes that B knows the way, and B that A does. Where
// B has one link with A it doesn't send back what came over it; where it has two, A
// knows its own packet again. Either way nothing is left in flight.
func TestLoopBetweenWallets(t *testing.T) {
	for _, links := range []int{1, 2} {
		p := newPeering(t)
		ctx := context.Background()
		if links == 2 {
			back := peers.Token("the-token-of-the-second-link")
			p.a.peer("b-again", peers.Change{Address: ptr("test.b2"), AddTokens: []peers.Token{back}, CreditLimit: ptr(uint64(1e9))})
			p.b.peer("a-again", peers.Change{
				Address: ptr("test.a2"), Routes: []string{"test.far"}, SetRoutes: true, AddTokens: []peers.Token{"nobody-calls-with-this"},
				OutgoingURL: ptr("http://" + p.a.cfg.ILPListen + "/ilp"), OutgoingToken: ptr(back), CreditLimit: ptr(uint64(1e9)),
			})
		}
		_, err := p.a.payments.Quote(ctx, p.ann.ID, payments.QuoteRequest{
			AccountID: p.ann.Account, To: somewhere(t, "test.far.cho"), Amount: "1", Fixed: payments.FixedDebit,
		})
		if problem.Fields(err)["to"] == "" {
			t.Errorf("%d links: quote: %v", links, err)
		}
		if p.differ() != 0 || p.a.number("SELECT count(*) FROM holds") != 0 {
			t.Errorf("%d links: the books differ by %d", links, p.differ())
		}
		p.whole()
	}
}

// A pays somebody at C, over B. When a part has arrived, B's link to C comes to lead to
// A: the money in A's packets goes round the loop, too, and is back where it was.
func TestPaymentRunsIntoALoop(t *testing.T) {
	p := newPeering(t)
	ctx := context.Background()
	c := newStation(t, "test.far.c")
	cho := c.person("cho")
	c.peer("b", peers.Change{Address: ptr("test.b"), AddTokens: []peers.Token{"the-token-of-B-at-C"}, CreditLimit: ptr(uint64(1e9))})
	p.b.peer("c", peers.Change{
		Address: ptr("test.far.c"), AddTokens: []peers.Token{"nobody-calls-with-this"}, CreditLimit: ptr(uint64(1e9)),
		OutgoingURL: ptr("http://" + c.cfg.ILPListen + "/ilp"), OutgoingToken: ptr(peers.Token("the-token-of-B-at-C")),
	})
	const back = "the-token-of-the-way-back"
	p.a.peer("b-again", peers.Change{Address: ptr("test.b2"), AddTokens: []peers.Token{back}, CreditLimit: ptr(uint64(1e9))})
	q, err := p.a.payments.Quote(ctx, p.ann.ID, payments.QuoteRequest{
		AccountID: p.ann.Account, To: "$" + c.cfg.Host() + "/cho", Amount: "25", Fixed: payments.FixedDebit,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.way.AfterOne(func() {
		change := peers.Change{OutgoingURL: ptr("http://" + p.a.cfg.ILPListen + "/ilp"), OutgoingToken: ptr(peers.Token(back))}
		if _, err := p.b.peers.Update(ctx, "c", change); err != nil {
			t.Error(err)
		}
	})
	out := p.confirm(q)
	if out.State != payments.Failed || out.SentAmount.Value != p.way.paid || p.way.paid == 0 || p.differ() != 0 {
		t.Errorf("payment %+v; A was told of %d, the books differ by %d", out, p.way.paid, p.differ())
	}
	has, _ := p.a.balance(p.ann.Account)
	arrived, _ := c.balance(cho.Account)
	if sent := int64(out.SentAmount.Value); has != personHas-sent || arrived != personHas+sent {
		t.Errorf("Ann has %d, Cho %d; sent were %d", has, arrived, sent)
	}
	for _, w := range []*station{p.a, p.b, c} {
		w.atRest()
	}
}
