package e2e

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	guard "pochi/app/fetch"
	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"
)

// memory is a side whose books are in memory: our connector, our HTTP, our STREAM, and nothing else of the wallet.
type memory struct {
	t         *testing.T
	here      string
	connector *connector.Connector
	receiver  *stream.Receiver
	client    *ilphttp.Client
	tokens    ilphttp.Directory
	pointers  string // URL of the SPSP server

	mu       sync.Mutex
	accounts map[string]*memoryAccount // people's and peers', by their names
	peers    []connector.Peer
	known    []ilphttp.Credentials
	inFlight int // packets whose money is set aside
}

// memoryAccount is what belongs to a person or, below zero, is owed by a peer.
type memoryAccount struct {
	connector.Party
	balance int64
	limit   int64 // how far below zero it may go
	room    int64 // the most that it takes, 0 for anything
	doubts  int
}

// startMemory starts a node that ends with the test.
func startMemory(t *testing.T, here string) side {
	t.Helper()
	m := &memory{t: t, here: here, accounts: make(map[string]*memoryAccount)}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	var err error
	if m.receiver, err = stream.NewReceiver(address.Address(here+".pay"), [32]byte{7}, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if m.connector, err = connector.New(connector.Config{
		Address: address.Address(here), Receiver: m.receiver, Payees: m, Books: m, Rates: m, Now: time.Now, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	if m.client, err = ilphttp.NewClient(ilphttp.ClientConfig{
		Address: address.Address(here), DialContext: guard.DialContext(true), AllowLoopback: true, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.client.CloseIdleConnections)
	server, err := ilphttp.NewServer(ilphttp.ServerConfig{Address: address.Address(here), Peers: &m.tokens, Handler: m, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	m.pointers = serveSPSP(t, m.credentials)
	m.here = serveILP(t, server)
	return m
}

// serveILP serves packets on a free port until the test ends, and returns the URL.
func serveILP(t *testing.T, s *ilphttp.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Shutdown(context.Background()), <-served); err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String() + ilphttp.Path
}

// serveSPSP answers each path with what details makes of it, and returns the URL that the paths follow.
func serveSPSP(t *testing.T, details func(path string) (spsp.Details, error)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, err := details(r.URL.Path)
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", spsp.ContentType)
		if err := json.NewEncoder(w).Encode(d); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func (m *memory) url() string { return m.here }

func (m *memory) person(name string, a asset, balance uint64) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accounts[name] = &memoryAccount{
		Party: connector.Party{Account: m.nextID(), Asset: ilp.Asset(a), Reference: [16]byte{1}}, balance: int64(balance),
	}
	return m.pointers + "/" + name
}

func (m *memory) nextID() [16]byte { return [16]byte{0: 1, 15: byte(len(m.accounts))} }

func (m *memory) peer(p peerConfig) {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	link, err := m.client.Endpoint(ilphttp.EndpointConfig{Name: p.Name, URL: p.URL, Token: p.Out})
	if err != nil {
		m.t.Fatal(err)
	}
	id := m.nextID()
	m.accounts[p.Name] = &memoryAccount{Party: connector.Party{Account: id, Asset: ilp.Asset(p.Asset), Peer: true}, limit: int64(p.CreditLimit)}
	added := connector.Peer{
		ID: id, Name: p.Name, Address: address.Address(p.Address), Account: id, Asset: ilp.Asset(p.Asset), MaxPacket: p.MaxPacket, Link: link,
	}
	for _, route := range p.Routes {
		added.Routes = append(added.Routes, address.Address(route))
	}
	m.peers = append(m.peers, added)
	m.known = append(m.known, ilphttp.Credentials{
		Peer: ilphttp.Peer{ID: id, Name: p.Name}, Tokens: []ilphttp.TokenHash{ilphttp.HashToken(p.In)},
	})
	if err := errors.Join(m.connector.SetPeers(m.peers), m.tokens.Set(m.known)); err != nil {
		m.t.Fatal(err)
	}
}

// hurry is a clock whose pauses are a tenth of what they should be.
type hurry struct{ stream.SystemClock }

func (h hurry) Sleep(ctx context.Context, d time.Duration) error {
	return h.SystemClock.Sleep(ctx, d/10)
}

func (m *memory) pay(name, to string, amount uint64, fixed string) (delivered uint64, problem string) {
	m.t.Helper()
	details, err := spsp.Client{HTTP: http.DefaultClient}.Query(m.t.Context(), to)
	if err != nil {
		return 0, err.Error()
	}
	m.mu.Lock()
	from := m.accounts[name].Party
	m.mu.Unlock()
	sender := func(reference [16]byte) *stream.Sender {
		return stream.NewSender(stream.SenderConfig{
			Link:        m.connector.Link(connector.FromWallet(from.Account, from.Asset, reference)),
			Destination: details.DestinationAccount, Secret: details.SharedSecret, Clock: hurry{}, Random: rand.Reader,
		})
	}
	debit := amount
	if fixed == sideReceive {
		debit += amount / 4 // no rate of the tests is worse
	}
	quote, err := sender([16]byte{}).Probe(m.t.Context(), debit)
	if err != nil {
		return 0, err.Error()
	}
	params := stream.SendParams{Amount: debit, MinDelivered: quote.Received, MaxRounding: 2 * quote.Packets, Asset: quote.Asset}
	if fixed == sideReceive {
		params.MinDelivered, params.FixedReceive = amount, true
	}
	payer := sender([16]byte{9})
	defer payer.Close(m.t.Context())
	result, err := payer.Send(m.t.Context(), params)
	if err != nil {
		return result.Delivered, err.Error()
	}
	return result.Delivered, ""
}

func (m *memory) has(name string) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.accounts[name].balance
}

func (m *memory) owed(peer string) int64 { return -m.has(peer) }

func (m *memory) doubts(peer string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.accounts[peer].doubts
}

func (m *memory) check() {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.inFlight != 0 {
		m.t.Errorf("%d packets are still in flight", m.inFlight)
	}
}

// credentials answers SPSP: the tag is who is paid.
func (m *memory) credentials(path string) (spsp.Details, error) {
	to, secret, err := m.receiver.Credentials([]byte(path[1:]))
	return spsp.Details{DestinationAccount: to, SharedSecret: secret}, err
}

// HandlePacket implements ilphttp.Handler.
func (m *memory) HandlePacket(ctx context.Context, from ilphttp.Peer, p *packet.PrepareView) (packet.Reply, error) {
	return m.connector.Handle(ctx, connector.FromPeer(from.ID), p)
}

// Payee implements connector.Payees.
func (m *memory) Payee(_ context.Context, tag []byte) (connector.Party, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[string(tag)]
	if a == nil || a.Peer {
		return connector.Party{}, connector.ErrNoPayee
	}
	if a.room > 0 {
		limited := a.Party
		limited.Request, limited.Limit = [16]byte{1}, &stream.Limit{Most: uint64(a.room), Received: uint64(a.balance)}
		return limited, nil
	}
	return a.Party, nil
}

// Convert implements connector.Rates.
func (m *memory) Convert(_ context.Context, amount uint64, from, to ilp.Asset) (uint64, error) {
	multiply, divide := uint64(1), uint64(1)
	switch {
	case from == ilp.Asset(usd) && to == ilp.Asset(eur):
		multiply, divide = 9, 10
	case from == ilp.Asset(eur) && to == ilp.Asset(usd):
		multiply, divide = 10, 9
	case from != to:
		return 0, fmt.Errorf("%v to %v: %w", from, to, connector.ErrNoRate)
	}
	hi, lo := bits.Mul64(amount, multiply)
	if hi >= divide {
		return 0, connector.ErrOverflow
	}
	out, _ := bits.Div64(hi, lo, divide)
	return out, nil
}

// Deliver implements connector.Books, as do those below.
func (m *memory) Deliver(_ context.Context, d connector.Delivery) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	to := m.account(d.To)
	if to.room > 0 && to.balance+int64(d.AmountOut) > to.room {
		return connector.ErrFull
	}
	if err := m.draw(d, true); err != nil {
		return err
	}
	to.balance += int64(d.AmountOut)
	return nil
}

func (m *memory) CanDeliver(_ context.Context, d connector.Delivery) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.draw(d, false)
}

func (m *memory) Take(_ context.Context, d connector.Delivery) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.draw(d, true); err != nil {
		return err
	}
	m.inFlight++
	return nil
}

func (m *memory) Post(_ context.Context, d connector.Delivery) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.account(d.To).balance += int64(d.AmountOut)
	m.inFlight--
	return nil
}

func (m *memory) Release(_ context.Context, d connector.Delivery, doubt string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.account(d.From).balance += int64(d.AmountIn)
	m.inFlight--
	if doubt != "" {
		m.account(d.To).doubts++
	}
	return nil
}

// draw takes a packet's money from its account, or only looks whether it could.
func (m *memory) draw(d connector.Delivery, really bool) error {
	from := m.account(d.From)
	if int64(d.AmountIn) > from.balance+from.limit {
		return connector.ErrInsufficient
	}
	if really {
		from.balance -= int64(d.AmountIn)
	}
	return nil
}

func (m *memory) account(p connector.Party) *memoryAccount {
	for _, a := range m.accounts {
		if a.Account == p.Account {
			return a
		}
	}
	panic(fmt.Sprintf("no account %x", p.Account))
}
