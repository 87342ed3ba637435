package ilphttp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

const token = "a-token-of-ann's"

var (
	ann         = ilphttp.Peer{ID: [16]byte{0xa}, Name: "ann"}
	fulfillment = [32]byte{1, 2, 3}
)

// handler is an ilphttp.Handler.
type handler func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error)

func (h handler) HandlePacket(ctx context.Context, from ilphttp.Peer, p *packet.PrepareView) (packet.Reply, error) {
	return h(ctx, from, p.Prepare())
}

func fulfills(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
	return &packet.Fulfill{Fulfillment: fulfillment}, nil
}

// prepare returns a packet that fulfills answers.
func prepare() packet.Prepare {
	return packet.Prepare{
		Amount: 1<<63 + 1, ExpiresAt: time.Now().Add(10 * time.Second), Condition: sha256.Sum256(fulfillment[:]),
		Destination: "test.ben.token", Data: []byte("for Ben only"),
	}
}

func encode(t testing.TB, p packet.Packet) []byte {
	t.Helper()
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func quiet(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// node is a server on loopback that knows Ann.
type node struct {
	*ilphttp.Server
	URL    string
	served chan error
}

// newNode starts a server. change may be nil.
func newNode(t testing.TB, h handler, change func(*ilphttp.ServerConfig)) *node {
	t.Helper()
	directory := new(ilphttp.Directory)
	if err := directory.Set([]ilphttp.Credentials{{Peer: ann, Tokens: []ilphttp.TokenHash{ilphttp.HashToken(token)}}}); err != nil {
		t.Fatal(err)
	}
	cfg := ilphttp.ServerConfig{Address: "test.pochi", Peers: directory, Handler: h, Log: quiet(t)}
	if change != nil {
		change(&cfg)
	}
	s, err := ilphttp.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t)
	n := &node{Server: s, URL: "http://" + l.Addr().String() + ilphttp.Path, served: make(chan error, 1)}
	if cfg.TLS != nil {
		n.URL = "https" + n.URL[len("http"):]
	}
	go func() { n.served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-n.served; err != nil {
			t.Error(err)
		}
	})
	return n
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// post is a request for ann, which change may change.
func (n *node) post(t testing.TB, body io.Reader, change func(*http.Request)) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", ilphttp.ContentType)
	if change != nil {
		change(req)
	}
	return req
}

// do returns the response to a request, and its body.
func do(t testing.TB, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, b
}

// send posts a packet as Ann and returns the ILP answer.
func (n *node) send(t testing.TB, p packet.Prepare) packet.Reply {
	t.Helper()
	resp, b := do(t, n.post(t, bytes.NewReader(encode(t, &p)), nil))
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/octet-stream" {
		t.Fatalf("%s, %v: %s", resp.Status, resp.Header, b)
	}
	reply, err := packet.DecodeReply(b)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// wantReject checks code and origin of a reject.
func wantReject(t testing.TB, reply packet.Reply, code packet.Code) {
	t.Helper()
	j, ok := reply.(*packet.Reject)
	if !ok || j.Code != code || j.TriggeredBy != "test.pochi" || j.Message == "" {
		t.Errorf("answered %+v, want a reject with %s of this node", reply, code)
	}
}
