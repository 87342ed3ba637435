package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"maps"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"pochi/app/agreements"
	"pochi/app/oauth"
	"pochi/app/peers"
	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/ildcp"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

// shopLink is the agreement's link as a stream.Sender wants it.
type shopLink struct{ *ilphttp.Endpoint }

func (l shopLink) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	b, err := p.Append(nil)
	if err != nil {
		return nil, err
	}
	view, err := packet.ViewPrepare(b)
	if err != nil {
		return nil, err
	}
	answer, err := l.Endpoint.SendPacket(ctx, &view)
	if view, ok := answer.(*packet.ReplyView); ok {
		return view.Reply(), err
	}
	return answer, err
}

// stream begins a STREAM connection of the shop's, over the agreement's link, to
// somebody's pointer.
func (m *market) stream(pointerURL string) *stream.Sender {
	m.t.Helper()
	details, err := spsp.Client{HTTP: http.DefaultClient}.Query(m.t.Context(), pointerURL)
	if err != nil {
		m.t.Fatal(err)
	}
	return stream.NewSender(stream.SenderConfig{
		Link: shopLink{m.endpoint("shop's")}, Destination: details.DestinationAccount, Secret: details.SharedSecret,
		Clock: stream.SystemClock{}, Random: rand.Reader,
	})
}

// sends is what the shop sends, of which nothing may be lost.
func sends(cents uint64) stream.SendParams {
	return stream.SendParams{Amount: cents, MinDelivered: cents, Asset: ilp.Asset(dollars), Deadline: time.Now().Add(3 * time.Second)}
}

// packetTo is a packet that whoever it is for doesn't know.
func packetTo(to address.Address, cents uint64) packet.Prepare {
	return packet.Prepare{
		Amount: cents, ExpiresAt: time.Now().Add(10 * time.Second), Condition: sha256.Sum256([]byte(uuid.NewString())), Destination: to,
	}
}

// A shop streams packets with nothing but its access token, to somebody here.
func TestShopStreams(t *testing.T) {
	m := newMarket(t)
	sender := m.stream(m.cfg.PublicURL + "/ben")
	done, err := sender.Send(t.Context(), sends(20_00))
	if err != nil || done.Delivered != 20_00 {
		t.Fatalf("%+v, %v", done, err)
	}
	sender.Close(t.Context())
	if m.has(m.ann) != personHas-20_00 || m.has(m.ben) != personHas+20_00 {
		t.Errorf("Ann has %d, Ben %d", m.has(m.ann), m.has(m.ben))
	}
	if got := m.ask("GET", "/api/agreements/"+m.agreement.ID.String(), "shop's", ""); got.Body["left"].(map[string]any)["value"] != "3000" {
		t.Errorf("%v", got.Body)
	}
	m.atRest()
}

// Somebody elsewhere can be paid too: the packets go on to a peer.
func TestShopStreamsToAPeer(t *testing.T) {
	m, far := newMarket(t), newStation(t, "test.far")
	cho := far.person("cho")
	m.peer("far", peers.Change{
		Address: ptr("test.far"), AddTokens: []peers.Token{word("the token of the far wallet")}, OutgoingURL: ptr("http://" + far.cfg.ILPListen + "/ilp"),
		OutgoingToken: ptr(word("the token of the market")), CreditLimit: ptr(uint64(1e9)),
	})
	far.peer("market", peers.Change{
		Address: ptr("test.market"), AddTokens: []peers.Token{word("the token of the market")}, CreditLimit: ptr(uint64(1e9)), MaxPacket: ptr(uint64(3_00)),
	})
	done, err := m.stream(far.cfg.PublicURL+"/cho").Send(t.Context(), sends(20_00))
	if err != nil || done.Delivered != 20_00 || done.Packets < 7 {
		t.Fatalf("%+v, %v", done, err)
	}
	if balance, _ := far.balance(cho.Account); balance != personHas+20_00 || m.has(m.ann) != personHas-20_00 {
		t.Errorf("Cho has %d, Ann %d", balance, m.has(m.ann))
	}
	m.atRest()
	far.atRest()
}

// No stream spends more than the agreement allows, whatever it tries.
func TestShopStreamsTooMuch(t *testing.T) {
	m := newMarket(t)
	all := sends(80_00)
	all.Deadline = time.Now().Add(time.Second)
	done, err := m.stream(m.cfg.PublicURL+"/ben").Send(t.Context(), all)
	if err == nil || done.Sent > 50_00 {
		t.Errorf("%+v, %v", done, err)
	}
	if m.has(m.ben) != personHas+int64(done.Delivered) {
		t.Errorf("Ben has %d of %+v", m.has(m.ben), done)
	}
	m.atRest()
}

// The node at the other end of the link is a child of this one, and the link
// counts the agreement's asset.
func TestAgreementLinkIsConfigured(t *testing.T) {
	m := newMarket(t)
	proof := packet.Fulfill{}
	p := packetTo(ildcp.Destination, 0)
	p.Condition = sha256.Sum256(proof.Fulfillment[:])
	answer, err := shopLink{m.endpoint("shop's")}.SendPacket(t.Context(), p)
	if err != nil || answer.Type() != packet.TypeFulfill {
		t.Fatalf("%+v, %v", answer, err)
	}
	config, err := ildcp.Decode(answer.(*packet.Fulfill).Data)
	if err != nil || config.Asset != ilp.Asset(dollars) || !config.Address.HasPrefix("test.market") {
		t.Errorf("%+v, %v", config, err)
	}
}

// A token opens the link of its own agreement and no other, and not every
// agreement takes packets. Nothing is written for those that are refused.
func TestWrongTokensSendNothing(t *testing.T) {
	m := newMarket(t)
	own := m.accessToken(m.agreement.ID)
	amount := ledger.Amount{Value: 50_00, Asset: dollars}
	capped := m.agree(agreements.Terms{Description: "Vegetables", Amount: amount, PaymentMax: 1_00})
	named := m.agree(agreements.Terms{Description: "Vegetables", Amount: amount, Receivers: []string{m.pointer("ben")}})
	m.hydra.give("capped", m.accessToken(capped.ID))
	m.hydra.give("named", m.accessToken(named.ID))
	for token, changes := range map[string]map[string]any{
		"inactive": {"active": false},
		"expired":  {"exp": time.Now().Add(-time.Second).Unix()},
		"refresh":  {"token_use": "refresh_token"},
		"audience": {"aud": []string{"https://other.example"}},
		"client":   {"client_id": rivalClient},
		"person":   {"sub": m.ben.ID.String()},
		"other":    {"ext": map[string]any{"agreement": uuid.NewString()}},
		"none":     {"ext": nil, "scope": "openid accounts:read payments:request admin:write"},
		"scope":    {"scope": "openid"},
		"service":  {"sub": shopClient, "ext": nil, "scope": "agreements:propose"},
	} {
		about := maps.Clone(own)
		maps.Copy(about, changes)
		m.hydra.give(token, about)
	}
	for _, test := range []struct {
		token     string
		agreement uuid.UUID
		want      int
	}{
		{"", m.agreement.ID, 401},
		{"unknown", m.agreement.ID, 401},
		{"inactive", m.agreement.ID, 401},
		{"expired", m.agreement.ID, 401},
		{"refresh", m.agreement.ID, 401},
		{"scope", m.agreement.ID, 401}, // an agreement without its scope is no token of ours
		{"audience", m.agreement.ID, 403},
		{"none", m.agreement.ID, 403},
		{"service", m.agreement.ID, 403},
		{"client", m.agreement.ID, 404},
		{"person", m.agreement.ID, 404},
		{"other", m.agreement.ID, 404},
		{"shop's", capped.ID, 404},
		{"shop's", uuid.New(), 404},
		{"capped", capped.ID, 403},
		{"named", named.ID, 403},
	} {
		before := m.db.Writer.Seq()
		if got := m.post(test.token, test.agreement); got != test.want {
			t.Errorf("%q at %s: %d, want %d", test.token, test.agreement, got, test.want)
		}
		if m.db.Writer.Seq() != before {
			t.Errorf("%q: something was written", test.token)
		}
	}
	m.hydra.down.Store(true)
	m.hydra.give("fresh", own)
	if got := m.post("fresh", m.agreement.ID); got != 503 {
		t.Errorf("without Hydra: %d", got)
	}
	if m.has(m.ann) != personHas {
		t.Errorf("Ann has %d", m.has(m.ann))
	}
}

// slowTokens knows one token, and says nothing until it may.
type slowTokens struct {
	token  oauth.Token
	asked  chan struct{}
	answer chan struct{}
}

func (s slowTokens) Introspect(context.Context, string) (oauth.Token, error) {
	s.asked <- struct{}{}
	<-s.answer
	return s.token, nil
}

// oneAgreement is a clientAgreements with one agreement.
type oneAgreement struct{ agreements.Agreement }

func (o oneAgreement) OfClient(context.Context, string, uuid.UUID) (agreements.Agreement, error) {
	return o.Agreement, nil
}

// However many packets with valid tokens come from one network before Hydra has
// answered, none is taken for a guess.
func TestValidTokensAtOnce(t *testing.T) {
	const packets = badTokensAtOnce + 100
	made := agreements.Agreement{ID: uuid.New(), UserID: uuid.New(), ClientID: shopClient}
	slow := slowTokens{
		token: oauth.Token{
			Subject: made.UserID.String(), ClientID: shopClient, Scopes: []oauth.Scope{oauth.AgreementScope}, Audience: []string{"wallet"}, Agreement: made.ID,
		},
		asked: make(chan struct{}), answer: make(chan struct{}),
	}
	link := newAppLink(slow, oneAgreement{made}, nil, "wallet", time.Now)
	admitted := make(chan error, packets)
	for range packets {
		go func() { admitted <- link.Admit(t.Context(), made.ID, "shop's", netip.MustParseAddr("203.0.113.7")) }()
	}
	for waiting := packets; waiting > 0; waiting-- {
		select {
		case <-slow.asked:
		case err := <-admitted:
			t.Fatalf("before Hydra has answered: %v", err)
		}
	}
	close(slow.answer)
	for range packets {
		if err := <-admitted; err != nil {
			t.Error(err)
		}
	}
}

// post sends a packet as any HTTP client can, and returns the status.
func (m *market) post(token string, agreement uuid.UUID) int {
	m.t.Helper()
	p := packetTo("test.market.nobody", 1)
	b, err := p.Append(nil)
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.cfg.AgreementsURL()+agreement.String(), bytes.NewReader(b))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Content-Type", ilphttp.ContentType)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// A revoked agreement stops the next packet, on a connection that is open and with
// a token that is still good.
func TestRevokedAgreementStopsPackets(t *testing.T) {
	m := newMarket(t)
	sender := m.stream(m.cfg.PublicURL + "/ben")
	if _, err := sender.Send(t.Context(), sends(1_00)); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func() error{
		func() error { return m.server.agreements.Pause(t.Context(), m.ann.ID, m.agreement.ID) },
		func() error { return m.server.agreements.Revoke(t.Context(), m.ann.ID, m.agreement.ID) },
	} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if done, err := sender.Send(t.Context(), sends(1_00)); err == nil || done.Sent+done.Unknown > 0 {
			t.Errorf("%+v, %v", done, err)
		}
	}
	if m.has(m.ann) != personHas-1_00 {
		t.Errorf("Ann has %d", m.has(m.ann))
	}
	m.atRest()
}

// Streams and charges at once against one limit never pass it.
func TestShopStreamsAndChargesAtOnce(t *testing.T) {
	m := newMarket(t)
	var wait sync.WaitGroup
	for n := range 10 {
		wait.Go(func() { _, _ = m.stream(m.cfg.PublicURL+"/ben").Send(t.Context(), sends(5_00)) })
		wait.Go(func() { m.charge(string(rune('a'+n)), "500") })
	}
	wait.Wait()
	paid := personHas - m.has(m.ann)
	if paid > 50_00 || paid < 5_00 || m.has(m.ben) != personHas+paid {
		t.Errorf("Ann has %d, Ben %d", m.has(m.ann), m.has(m.ben))
	}
	m.atRest()
}
