package ilphttp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// network carries connections in memory: in a bubble, time stands still while anything travels.
type network struct {
	mu        sync.Mutex
	listeners map[string]*pipes
}

type pipes struct {
	addr     string
	incoming chan net.Conn
	once     sync.Once
	closed   chan struct{}
}

func (n *network) listen(addr string) net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners = make(map[string]*pipes)
	}
	l := &pipes{addr: addr, incoming: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[addr] = l
	return l
}

// DialContext connects to who listens at addr.
func (n *network) DialContext(ctx context.Context, _, addr string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[addr]
	n.mu.Unlock()
	if l == nil {
		return nil, errors.New("nobody listens at " + addr)
	}
	here, there := net.Pipe()
	select {
	case l.incoming <- there:
		return here, nil
	case <-l.closed:
		return nil, errors.New("nobody listens any more at " + addr)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-l.incoming:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: l.addr, Net: "pipe"} }

// serve is a peer that isn't ours.
func (n *network) serve(t testing.TB, addr string, h http.HandlerFunc) {
	t.Helper()
	s := &http.Server{Handler: h}
	served := make(chan error, 1)
	l := n.listen(addr)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-served
	})
}

// The two ends of a link, and their tokens for each other. Both are this machine, at ports of their own.
const (
	annAddr, benAddr   = "localhost:1", "localhost:2"
	annToken, benToken = "ann's-for-ben", "ben's-for-ann"
	carolToken         = "carol's-for-ann"
	annCallback        = "http://" + annAddr + ilphttp.CallbackPath
	benCallback        = "http://" + benAddr + ilphttp.CallbackPath
)

var (
	ben   = [16]byte{0xb}
	carol = [16]byte{0xc}
)

// wallet is a node in asynchronous mode.
type wallet struct {
	*ilphttp.Server
	client  *ilphttp.Client
	pending *ilphttp.Pending
	net     *network
}

// newAnn starts the wallet of Ann, whose peers are Ben and Carol. Ben may send in asynchronous mode with replies to benCallback.
// change may be nil.
func newAnn(t testing.TB, n *network, h handler, change func(*ilphttp.ServerConfig)) *wallet {
	t.Helper()
	w := newClient(t, n, annCallback)
	back, err := w.client.Callback(ilphttp.CallbackConfig{Name: "ben", URL: benCallback, Token: annToken})
	if err != nil {
		t.Fatal(err)
	}
	w.start(t, annAddr, h, change, []ilphttp.Credentials{
		{Peer: ilphttp.Peer{ID: ben, Name: "ben", Callback: back}, Tokens: hashes(benToken)},
		{Peer: ilphttp.Peer{ID: carol, Name: "carol"}, Tokens: hashes(carolToken)},
	})
	return w
}

// newBen starts the wallet of Ben, who has Ann as a peer in asynchronous mode.
func newBen(t testing.TB, n *network, h handler, change func(*ilphttp.ServerConfig)) *wallet {
	t.Helper()
	w := newClient(t, n, benCallback)
	back, err := w.client.Callback(ilphttp.CallbackConfig{Name: "ann", URL: annCallback, Token: benToken})
	if err != nil {
		t.Fatal(err)
	}
	w.start(t, benAddr, h, change, []ilphttp.Credentials{
		{Peer: ilphttp.Peer{ID: ann.ID, Name: "ann", Callback: back}, Tokens: hashes(annToken)},
	})
	return w
}

func newClient(t testing.TB, n *network, callback string) *wallet {
	t.Helper()
	pending := new(ilphttp.Pending)
	c, err := ilphttp.NewClient(ilphttp.ClientConfig{
		Address: "test.pochi", DialContext: n.DialContext, Log: quiet(t), AllowLoopback: true, CallbackURL: callback, Pending: pending,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return &wallet{client: c, pending: pending, net: n}
}

func (w *wallet) start(
	t testing.TB, addr string, h handler, change func(*ilphttp.ServerConfig), peers []ilphttp.Credentials,
) {
	t.Helper()
	d := new(ilphttp.Directory)
	if err := d.Set(peers); err != nil {
		t.Fatal(err)
	}
	cfg := ilphttp.ServerConfig{Address: "test.pochi", Peers: d, Handler: h, Log: quiet(t), Pending: w.pending}
	if change != nil {
		change(&cfg)
	}
	s, err := ilphttp.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	served := make(chan error, 1)
	l := w.net.listen(addr)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		if w.pending.Len() != 0 || s.AsyncRequests() != 0 {
			t.Errorf("%d packets wait, %d are worked on", w.pending.Len(), s.AsyncRequests())
		}
	})
}

// toBen returns Ann's endpoint for Ben. change may be nil.
func (w *wallet) toBen(t testing.TB, change func(*ilphttp.EndpointConfig)) endpoint {
	t.Helper()
	cfg := ilphttp.EndpointConfig{Name: "ben", URL: "http://" + benAddr + "/ilp", Token: annToken, Async: true, Peer: ben}
	if change != nil {
		change(&cfg)
	}
	e, err := w.client.Endpoint(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return endpoint{e}
}

// post sends a request to Ann's wallet and returns status and body. change may be nil.
func (n *network) post(t testing.TB, path, token string, body []byte, change func(*http.Request)) (status int, text string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+annAddr+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", ilphttp.ContentType)
	if change != nil {
		change(req)
	}
	transport := &http.Transport{DialContext: n.DialContext, DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, string(b)
}

// call sends a reply to Ann's callback.
func (n *network) call(t testing.TB, token, id string, body []byte) int {
	t.Helper()
	status, _ := n.post(t, ilphttp.CallbackPath, token, body, func(r *http.Request) { r.Header.Set("Request-Id", id) })
	return status
}

func noPackets(t testing.TB) handler {
	return func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
		t.Error("a packet came")
		return nil, errors.New("a packet came")
	}
}
