package ilphttp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pochi/ilp/connector"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

var _ connector.Link = (*ilphttp.Endpoint)(nil)

// serve is a peer that isn't ours.
func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/ilp"
}

// newEndpoint returns an endpoint for url. changes may be nil.
func newEndpoint(t testing.TB, url string, change func(*ilphttp.ClientConfig, *ilphttp.EndpointConfig)) endpoint {
	t.Helper()
	cfg := ilphttp.ClientConfig{
		Address: "test.pochi", DialContext: new(net.Dialer).DialContext, Log: quiet(t), AllowLoopback: true,
	}
	to := ilphttp.EndpointConfig{Name: "ben", URL: url, Token: token}
	if change != nil {
		change(&cfg, &to)
	}
	c, err := ilphttp.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	e, err := c.Endpoint(to)
	if err != nil {
		t.Fatal(err)
	}
	return endpoint{e}
}

// endpoint sends packets that are no bytes yet.
type endpoint struct{ *ilphttp.Endpoint }

func (e endpoint) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	b, err := p.Append(nil)
	if err != nil {
		return nil, err
	}
	v, err := packet.ViewPrepare(b)
	if err != nil {
		return nil, err
	}
	reply, err := e.Endpoint.SendPacket(ctx, &v)
	if v, ok := reply.(*packet.ReplyView); ok {
		return v.Reply(), err
	}
	return reply, err
}

// wantUnknown checks what nobody knows.
func wantUnknown(t testing.TB, reply packet.Reply, err error, status int, code packet.Code) {
	t.Helper()
	var unknown *ilphttp.UnknownError
	if reply != nil || !errors.As(err, &unknown) || !errors.Is(err, connector.ErrUnknown) {
		t.Errorf("answered %v, %v, want an unknown outcome", reply, err)
		return
	}
	if unknown.Status != status || unknown.Err == nil {
		t.Errorf("status %d, %v, want status %d", unknown.Status, unknown.Err, status)
	}
	wantReject(t, unknown.Reject, code)
}

func TestSendPacket(t *testing.T) {
	want := prepare()
	want.ExpiresAt = want.ExpiresAt.Truncate(time.Millisecond).UTC()
	for _, reply := range []packet.Reply{
		&packet.Fulfill{Fulfillment: fulfillment, Data: bytes.Repeat([]byte{7}, packet.MaxData)},
		&packet.Reject{Code: "X!z", TriggeredBy: "", Message: "\xff" + strings.Repeat("x", packet.MaxMessage-1), Data: make([]byte, packet.MaxData)},
	} {
		n := newNode(t, func(_ context.Context, _ ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			if fmt.Sprint(p) != fmt.Sprint(want) {
				t.Errorf("got %v, want %v", p, want)
			}
			return reply, nil
		}, nil)
		got, err := newEndpoint(t, n.URL, nil).SendPacket(t.Context(), want)
		if err != nil || !bytes.Equal(encode(t, got), encode(t, reply)) {
			t.Errorf("answered %v, %v", got, err)
		}
	}
}

// What a peer sees of a request.
func TestRequest(t *testing.T) {
	p := prepare()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(body, encode(t, &p)) || r.ContentLength != int64(len(body)) {
			t.Errorf("%x, %v, length %d", body, err, r.ContentLength)
		}
		if r.Method != "POST" || r.RequestURI != "/ilp?x=y" {
			t.Errorf("%s %s", r.Method, r.RequestURI)
		}
		want := http.Header{
			"Accept": {"application/octet-stream"}, "Content-Type": {"application/octet-stream"}, "Authorization": {"Bearer " + token},
			"Content-Length": {fmt.Sprint(len(body))}, "User-Agent": {"Pochi"},
		}
		if fmt.Sprint(r.Header) != fmt.Sprint(want) {
			t.Errorf("%v, want %v", r.Header, want)
		}
		w.Header().Set("Content-Type", ilphttp.ContentTypeOld)
		w.Write(encode(t, &packet.Fulfill{Fulfillment: fulfillment}))
	})
	reply, err := newEndpoint(t, url+"?x=y", nil).SendPacket(t.Context(), p)
	if err != nil || reply.Type() != packet.TypeFulfill {
		t.Errorf("answered %v, %v", reply, err)
	}
}

// Hazards 12, 13, 31 and 32: every answer is a reject, or the outcome is unknown.
func TestAnswers(t *testing.T) {
	good := encode(t, &packet.Fulfill{Fulfillment: fulfillment})
	refused := encode(t, packet.NewReject("F02", "test.ben", "no"))
	with := func(status int, contentType string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			w.Write(body)
		}
	}
	type answer struct {
		name    string
		peer    http.HandlerFunc
		code    packet.Code // of our reject, or "" for the peer's answer
		unknown bool
		status  int // of what is unknown
	}
	const octets = ilphttp.ContentType
	answers := []answer{
		{"a fulfill", with(200, octets, good), "", false, 0},
		{"a fulfill with bytes after it", with(200, octets, append(good, 1, 2)), "", false, 0},
		{"a fulfill under another type", with(200, "text/plain", good), "", false, 0},
		{"a reject", with(200, octets+"; charset=x", refused), "", false, 0},
		{"a wrong fulfillment", with(200, octets, encode(t, &packet.Fulfill{Fulfillment: [32]byte{9}})), "F05", false, 0},

		{"a reject under another type", with(200, "text/plain", refused), "T00", true, 200},
		{"a wrong fulfillment under another type", with(200, "text/plain", encode(t, &packet.Fulfill{})), "T00", true, 200},
		{"nothing", with(200, octets, nil), "T00", true, 200},
		{"half a fulfill", with(200, octets, good[:30]), "T00", true, 200},
		{"a prepare", with(200, octets, encode(t, func() packet.Packet { p := prepare(); return &p }())), "T00", true, 200},
		{"a page", with(200, "text/html", []byte("<p>Welcome")), "T00", true, 200},
		{"too much", with(200, octets, append(good, make([]byte, ilphttp.MaxResponseBody)...)), "T00", true, 200},
		{"an asynchronous peer", with(202, octets, nil), "T00", true, 202},
		{"no content", with(204, octets, nil), "T00", true, 204},
		{"a fulfill under another status", with(201, octets, good), "T00", true, 201},
		{"a cut answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", octets)
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			w.Write(good[:20])
		}, "T01", true, 0},
		{"a cut connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "T01", true, 0},
		{"no HTTP", func(w http.ResponseWriter, _ *http.Request) { hijack(w, "SSH-2.0-ben\r\n") }, "T01", true, 0},
		{"too long a header", with(200, strings.Repeat("x", 20<<10), good), "T01", true, 0},
	}
	for codes, statuses := range map[packet.Code][]int{
		"F02": {301, 302, 303, 304, 307, 308, 401, 403, 404, 405, 410, 501, 505},
		"F00": {400, 402, 406, 409, 411, 412, 413, 414, 415, 417, 418, 421, 422, 426, 428, 431, 451, 499},
		"T00": {408, 425}, "T03": {429},
	} {
		for _, status := range statuses {
			answers = append(answers, answer{fmt.Sprint(status), with(status, octets, nil), codes, false, 0})
		}
	}
	for _, status := range []int{500, 502, 503, 504, 507, 511, 599, 999} {
		answers = append(answers, answer{fmt.Sprint(status), with(status, octets, nil), "T00", true, status})
	}
	for _, a := range answers {
		t.Run(a.name, func(t *testing.T) {
			var asked atomic.Int64
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				a.peer(w, r)
			})
			reply, err := newEndpoint(t, url, nil).SendPacket(t.Context(), prepare())
			switch {
			case a.unknown:
				wantUnknown(t, reply, err, a.status, a.code)
			case err != nil:
				t.Error(err)
			case a.code != "":
				wantReject(t, reply, a.code)
			case !slices.ContainsFunc([][]byte{good, refused}, func(b []byte) bool { return bytes.Equal(b, encode(t, reply)) }):
				t.Errorf("answered %v", reply)
			}
			if asked.Load() != 1 {
				t.Errorf("asked %d times", asked.Load())
			}
		})
	}
}

// hijack answers with text and closes.
func hijack(w http.ResponseWriter, text string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	io.WriteString(conn, text)
	conn.Close()
}

// A refusal doesn't cost the connection.
func TestConnectionIsUsedAgain(t *testing.T) {
	var connections atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not now", http.StatusTooManyRequests)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	e := newEndpoint(t, s.URL, nil)
	for range 3 {
		reply, err := e.SendPacket(t.Context(), prepare())
		if err != nil {
			t.Fatal(err)
		}
		wantReject(t, reply, packet.ConnectorBusy)
	}
	if connections.Load() != 1 {
		t.Errorf("%d connections", connections.Load())
	}
}

func TestNoProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("https_proxy", "http://127.0.0.1:1")
	dialled := ""
	e := newEndpoint(t, "https://ben.example/ilp", func(c *ilphttp.ClientConfig, _ *ilphttp.EndpointConfig) {
		c.DialContext = func(_ context.Context, _, addr string) (net.Conn, error) {
			dialled = addr
			return nil, errors.New("not in a test")
		}
	})
	reply, err := e.SendPacket(t.Context(), prepare())
	if err != nil || dialled != "ben.example:443" {
		t.Errorf("dialled %q, %v", dialled, err)
	}
	wantReject(t, reply, packet.PeerUnreachable)
}

func TestNeverSent(t *testing.T) {
	l := listen(t)
	closed := "http://" + l.Addr().String()
	l.Close()
	plain := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the packet arrived") })
	for name, c := range map[string]struct {
		url    string
		change func(*packet.Prepare)
		code   packet.Code
	}{
		"refused":         {closed, func(*packet.Prepare) {}, packet.PeerUnreachable},
		"no TLS":          {"https" + strings.TrimPrefix(plain, "http"), func(*packet.Prepare) {}, packet.PeerUnreachable},
		"expired":         {plain, func(p *packet.Prepare) { p.ExpiresAt = time.Now().Add(-time.Second) }, packet.InsufficientTimeout},
		"expires at once": {plain, func(p *packet.Prepare) { p.ExpiresAt = time.Now() }, packet.InsufficientTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			p := prepare()
			c.change(&p)
			reply, err := newEndpoint(t, c.url, nil).SendPacket(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			wantReject(t, reply, c.code)
		})
	}
}

func TestTooManyOnTheirWay(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	n := newNode(t, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
		begun <- struct{}{}
		<-end
		return fulfills(ctx, from, p)
	}, nil)
	e := newEndpoint(t, n.URL, func(_ *ilphttp.ClientConfig, to *ilphttp.EndpointConfig) { to.MaxInFlight = 2 })
	answers := make(chan packet.Reply, 2)
	for range 2 {
		go func() {
			reply, err := e.SendPacket(context.Background(), prepare())
			if err != nil {
				t.Error(err)
			}
			answers <- reply
		}()
		<-begun
	}
	reply, err := e.SendPacket(t.Context(), prepare())
	if err != nil {
		t.Fatal(err)
	}
	wantReject(t, reply, packet.ConnectorBusy)
	close(end)
	for range 2 {
		if reply := <-answers; reply.Type() != packet.TypeFulfill {
			t.Errorf("answered %v", reply)
		}
	}
	go func() { <-begun }()
	if reply, err := e.SendPacket(t.Context(), prepare()); err != nil || reply.Type() != packet.TypeFulfill {
		t.Errorf("answered %v, %v", reply, err)
	}
}

func TestNewClientAndEndpointNeedEverything(t *testing.T) {
	whole := ilphttp.ClientConfig{Address: "test.pochi", DialContext: new(net.Dialer).DialContext, Log: quiet(t)}
	for name, change := range map[string]func(*ilphttp.ClientConfig){
		"address": func(c *ilphttp.ClientConfig) { c.Address = "" },
		"dialer":  func(c *ilphttp.ClientConfig) { c.DialContext = nil },
		"log":     func(c *ilphttp.ClientConfig) { c.Log = nil },
	} {
		cfg := whole
		change(&cfg)
		if _, err := ilphttp.NewClient(cfg); err == nil {
			t.Errorf("without %s", name)
		}
	}
	c, err := ilphttp.NewClient(whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []ilphttp.EndpointConfig{
		{URL: "http://127.0.0.1/", Token: token}, {URL: "https://ben.example/", Token: ""}, {URL: "https://ben.example/", Token: "secret\r\nX: y"},
	} {
		if _, err := c.Endpoint(to); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v", to, err)
		}
	}
}
