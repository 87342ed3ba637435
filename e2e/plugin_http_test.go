package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	guard "pochi/app/fetch"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

const (
	pluginToken = "the-token-of-both"
	pluginMax   = time.Minute // for everything that a peer does
)

// pluginPeer is a process that speaks ILP over HTTP with npm's ilp-plugin-http.
type pluginPeer struct {
	t          *testing.T
	url, token string
	in         io.Writer
	out        *bufio.Scanner
}

// startPluginPeer starts peers/ilp-plugin-http.js, which sends to url and ends with the test.
func startPluginPeer(t *testing.T, url, token string) *pluginPeer {
	t.Helper()
	if _, err := os.Stat("node_modules/ilp-plugin-http"); err != nil {
		t.Skip("ilp-plugin-http isn't there: npm ci --prefix e2e --ignore-scripts, or make test, fetches it")
	}
	ctx, cancel := context.WithTimeout(context.Background(), pluginMax)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "node", "peers/ilp-plugin-http.js", url, token)
	cmd.Stderr = t.Output() // Koa tells of errors there
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // then it ends
		if err := cmd.Wait(); err != nil {
			t.Errorf("ilp-plugin-http: %v", err)
		}
	})
	p := &pluginPeer{t: t, token: token, in: in, out: bufio.NewScanner(out)}
	p.out.Buffer(nil, 1<<20)
	p.url = "http://127.0.0.1:" + p.line() + "/"
	return p
}

func (p *pluginPeer) line() string {
	p.t.Helper()
	if !p.out.Scan() {
		p.t.Fatalf("ilp-plugin-http has ended: %v", p.out.Err())
	}
	return p.out.Text()
}

// send has the peer send bytes to us, and returns the answer, or the peer's error.
func (p *pluginPeer) send(b []byte) (packet.Reply, string) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.in, "%x\n", b); err != nil {
		p.t.Fatal(err)
	}
	line := p.line()
	if problem, ok := strings.CutPrefix(line, "error "); ok {
		return nil, problem
	}
	answer, err := hex.DecodeString(line)
	if err != nil {
		p.t.Fatal(err)
	}
	reply, err := packet.DecodeReply(answer)
	if err != nil {
		p.t.Fatal(err)
	}
	return reply, ""
}

// pluginHandler answers as peers/ilp-plugin-http.js does.
type pluginHandler struct{}

func (pluginHandler) HandlePacket(_ context.Context, from ilphttp.Peer, v *packet.PrepareView) (packet.Reply, error) {
	p := v.Prepare()
	switch {
	case from.Name != "peer":
		return nil, fmt.Errorf("a packet from %q", from.Name)
	case p.Destination == "test.pochi.fulfill":
		return &packet.Fulfill{Data: p.Data}, nil
	case p.Destination == "test.pochi.crash":
		return nil, connector.ErrUnknown
	}
	return &packet.Reject{Code: packet.Unreachable, TriggeredBy: "test.pochi", Message: "nobody here", Data: p.Data}, nil
}

// pluginNode starts our server, and returns its URL.
func pluginNode(t *testing.T) string {
	t.Helper()
	var peers ilphttp.Directory
	if err := peers.Set([]ilphttp.Credentials{{
		Peer: ilphttp.Peer{ID: [16]byte{1}, Name: "peer"}, Tokens: []ilphttp.TokenHash{ilphttp.HashToken(pluginToken)},
	}}); err != nil {
		t.Fatal(err)
	}
	s, err := ilphttp.NewServer(ilphttp.ServerConfig{
		Address: "test.pochi", Peers: &peers, Handler: pluginHandler{}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return serveILP(t, s)
}

func pluginPacket(to address.Address, size int) packet.Prepare {
	return packet.Prepare{
		Amount: 1<<64 - 1, ExpiresAt: time.Now().Add(20 * time.Second), Condition: sha256.Sum256(make([]byte, 32)),
		Destination: to, Data: bytes.Repeat([]byte{0xa5}, size),
	}
}

// TestPluginHTTP exchanges packets with an implementation that isn't ours, in both directions.
func TestPluginHTTP(t *testing.T) {
	url := pluginNode(t)
	peer := startPluginPeer(t, url, pluginToken)
	t.Run("as a client", func(t *testing.T) { pluginAsClient(t, peer, url) })
	t.Run("as a server", func(t *testing.T) { pluginAsServer(t, peer) })
}

func pluginAsClient(t *testing.T, peer *pluginPeer, url string) {
	encode := func(p packet.Prepare) []byte {
		b, err := p.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, size := range []int{0, 1, 32_600, packet.MaxData} {
		p := pluginPacket("test.pochi.fulfill", size)
		reply, problem := peer.send(encode(p))
		if f, ok := reply.(*packet.Fulfill); !ok || !f.Fulfills(p.Condition) || !bytes.Equal(f.Data, p.Data) {
			t.Errorf("%d bytes of data: answered %v, %q", size, reply, problem)
		}
		p.Destination = "test.pochi.nobody"
		reply, problem = peer.send(encode(p))
		if j, ok := reply.(*packet.Reject); !ok || j.Code != "F02" || j.TriggeredBy != "test.pochi" || !bytes.Equal(j.Data, p.Data) {
			t.Errorf("%d bytes of data: answered %v, %q", size, reply, problem)
		}
	}
	expired := pluginPacket("test.pochi.fulfill", 0)
	expired.ExpiresAt = time.Now().Add(-time.Second)
	if reply, problem := peer.send(encode(expired)); problem != "" || reply.(*packet.Reject).Code != packet.TimedOut {
		t.Errorf("expired: answered %v, %q", reply, problem)
	}
	for want, b := range map[string][]byte{"500": encode(pluginPacket("test.pochi.crash", 0)), "400": []byte("junk"), "413": make([]byte, 50_000)} {
		if reply, problem := peer.send(b); problem != "failed to fetch. code="+want {
			t.Errorf("answered %v, %q, want status %s", reply, problem, want)
		}
	}
	stranger := startPluginPeer(t, url, "another-token")
	if reply, problem := stranger.send(encode(pluginPacket("test.pochi.fulfill", 0))); problem != "failed to fetch. code=401" {
		t.Errorf("a stranger: answered %v, %q", reply, problem)
	}
}

// sendTo sends a packet that is no bytes yet.
func sendTo(ctx context.Context, e *ilphttp.Endpoint, p packet.Prepare) (packet.Reply, error) {
	b, err := p.Append(nil)
	if err != nil {
		return nil, err
	}
	v, err := packet.ViewPrepare(b)
	if err != nil {
		return nil, err
	}
	reply, err := e.SendPacket(ctx, &v)
	if v, ok := reply.(*packet.ReplyView); ok {
		return v.Reply(), err
	}
	return reply, err
}

func pluginAsServer(t *testing.T, peer *pluginPeer) {
	client, err := ilphttp.NewClient(ilphttp.ClientConfig{
		Address: "test.pochi", DialContext: guard.DialContext(true), AllowLoopback: true, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	endpoint := func(token string) *ilphttp.Endpoint {
		e, err := client.Endpoint(ilphttp.EndpointConfig{Name: "peer", URL: peer.url, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := endpoint(pluginToken)
	for _, size := range []int{0, 1, 32_600} {
		p := pluginPacket("test.peer.fulfill", size)
		reply, err := sendTo(t.Context(), e, p)
		if f, ok := reply.(*packet.Fulfill); !ok || !bytes.Equal(f.Data, p.Data) {
			t.Errorf("%d bytes of data: answered %v, %v", size, reply, err)
		}
	}
	rejected := func(e *ilphttp.Endpoint, p packet.Prepare, code packet.Code, by address.Address) {
		t.Helper()
		reply, err := sendTo(t.Context(), e, p)
		if j, ok := reply.(*packet.Reject); !ok || j.Code != code || j.TriggeredBy != by {
			t.Errorf("answered %v, %v, want %s by %s", reply, err, code, by)
		}
	}
	rejected(e, pluginPacket("test.peer.nobody", 9), packet.Unreachable, "test.peer")
	// It reads at most 32,767 bytes of a body, and more may be in a legal packet.
	rejected(e, pluginPacket("test.peer.fulfill", 32_700), packet.BadRequest, "test.pochi")
	rejected(e, pluginPacket("test.peer.fulfill", packet.MaxData), packet.BadRequest, "test.pochi")
	rejected(endpoint("another-token"), pluginPacket("test.peer.fulfill", 0), packet.Unreachable, "test.pochi")
	wrong := pluginPacket("test.peer.fulfill", 0)
	wrong.Condition[0]++
	rejected(e, wrong, packet.WrongCondition, "test.pochi")

	var unknown *ilphttp.UnknownError
	if reply, err := sendTo(t.Context(), e, pluginPacket("test.peer.crash", 0)); !errors.As(err, &unknown) || unknown.Status != 500 {
		t.Errorf("a crash: answered %v, %v", reply, err)
	}

	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			for range 10 {
				if reply, err := sendTo(context.Background(), e, pluginPacket("test.peer.fulfill", 500)); err != nil || reply.Type() != packet.TypeFulfill {
					t.Errorf("answered %v, %v", reply, err)
				}
			}
		})
	}
	wait.Wait()
}
