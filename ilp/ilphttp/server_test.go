package ilphttp_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/ilp/connector"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

var _ http.Handler = (*ilphttp.Server)(nil)

func TestPacket(t *testing.T) {
	want := prepare()
	want.ExpiresAt = want.ExpiresAt.Truncate(time.Millisecond).UTC()
	for _, reply := range []packet.Reply{
		&packet.Fulfill{Fulfillment: fulfillment, Data: bytes.Repeat([]byte{7}, packet.MaxData)},
		&packet.Reject{Code: "F99", TriggeredBy: "test.ben", Message: strings.Repeat("x", packet.MaxMessage), Data: make([]byte, packet.MaxData)},
	} {
		n := newNode(t, func(_ context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			if from != ann || fmt.Sprint(p) != fmt.Sprint(want) {
				t.Errorf("%v from %v, want %v", p, from, want)
			}
			return reply, nil
		}, nil)
		if got := n.send(t, want); !bytes.Equal(encode(t, got), encode(t, reply)) {
			t.Errorf("answered %v", got)
		}
	}
}

// Hazard 32: both content types, and every status.
func TestStatuses(t *testing.T) {
	n := newNode(t, fulfills, nil)
	p := prepare()
	whole := encode(t, &p)
	p.Data = make([]byte, packet.MaxData)
	largest := encode(t, &p)
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	chunked := func(r *http.Request) { r.ContentLength = -1 }
	for _, c := range []struct {
		name   string
		body   []byte
		change func(*http.Request)
		want   int
		text   string
	}{
		{"as it should be", whole, nil, 200, ""},
		{"with bytes after it", append(whole[:len(whole):len(whole)], "junk"...), nil, 200, ""},
		{"chunked", whole, chunked, 200, ""},
		{"32,767 bytes of data", largest, nil, 200, ""},
		{"the old type", whole, header("Content-Type", "application/ilp+octet-stream"), 200, ""},
		{"a type with a parameter", whole, header("Content-Type", "Application/Octet-Stream; x=y"), 200, ""},
		{"a scheme in capitals", whole, header("Authorization", "BEARER  "+token), 200, ""},
		{"a query", whole, func(r *http.Request) { r.URL.RawQuery = "a=b" }, 200, ""},
		{"asynchronous mode is preferred", whole, header("Prefer", "respond-async"), 200, ""},

		{"empty", nil, nil, 400, "the body is empty\n"},
		{"a byte short", whole[:len(whole)-1], nil, 400, "the ILP packet is wrong: field is longer than the bytes that are left\n"},
		{"no packet", []byte("hello"), nil, 400, "no ILP packet: it begins with byte 0x68\n"},
		{"a fulfill", encode(t, &packet.Fulfill{}), nil, 400, "the ILP packet is wrong: not a Prepare\n"},
		{"no address", bytes.Replace(whole, []byte("test.ben"), []byte("test..en"), 1), nil, 400, "the ILP packet is wrong: address: needs a scheme"},

		{"no token", whole, header("Authorization"), 401, ""},
		{"an empty token", whole, header("Authorization", "Bearer "), 401, ""},
		{"a token nobody has", whole, header("Authorization", "Bearer "+token+"x"), 401, ""},
		{"a hash", whole, header("Authorization", fmt.Sprintf("Bearer %x", ilphttp.HashToken(token))), 401, ""},
		{"another scheme", whole, header("Authorization", "Basic "+token), 401, ""},
		{"no scheme", whole, header("Authorization", token), 401, ""},
		{"two tokens", whole, header("Authorization", "Bearer "+token, "Bearer "+token), 401, ""},
		{"a token that is too long", whole, header("Authorization", "Bearer "+strings.Repeat("x", 1025)), 401, ""},

		{"another path", whole, func(r *http.Request) { r.URL.Path = "/ilp/x" }, 404, "not found"},
		{"a path that needs cleaning", whole, func(r *http.Request) { r.URL.Path = "//ilp" }, 404, "not found"},
		{"another method", nil, func(r *http.Request) { r.Method = http.MethodGet }, 405, "POST"},
		{"a byte too many", make([]byte, ilphttp.MaxRequestBody+1), nil, 413, "33857"},
		{"a byte too many, chunked", make([]byte, ilphttp.MaxRequestBody+1), chunked, 413, "33857"},
		{"no type", whole, header("Content-Type"), 415, "octet-stream"},
		{"another type", whole, header("Content-Type", "application/json"), 415, "octet-stream"},
		{"compressed", whole, header("Content-Encoding", "gzip"), 415, "Content-Encoding"},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body := do(t, n.post(t, bytes.NewReader(c.body), c.change))
			if resp.StatusCode != c.want || c.want != 200 && !strings.Contains(string(body), c.text) {
				t.Errorf("%s: %q, want %d and %q", resp.Status, body, c.want, c.text)
			}
			switch c.want {
			case 401:
				if len(body) != 0 || resp.Header.Get("WWW-Authenticate") != "Bearer" {
					t.Errorf("%q, %v", body, resp.Header)
				}
			case 405:
				if resp.Header.Get("Allow") != "POST" {
					t.Errorf("%v", resp.Header)
				}
			}
		})
	}
}

// The body is read only when it is known from whom, and never beyond the limit.
func TestBodyIsNotReadInVain(t *testing.T) {
	n := newNode(t, fulfills, nil)
	for _, c := range []struct {
		token  string
		length int64
		want   int
	}{{"x", -1, 401}, {"x", 1 << 40, 401}, {token, 1 << 40, 413}, {token, -1, 413}} {
		body := &counter{}
		resp, err := new(http.Transport).RoundTrip(n.post(t, body, func(r *http.Request) {
			r.ContentLength = c.length
			r.Header.Set("Authorization", "Bearer "+c.token)
		}))
		if err == nil { // else the server closed before the client had read the answer
			resp.Body.Close()
			if resp.StatusCode != c.want {
				t.Errorf("%s, want %d", resp.Status, c.want)
			}
		}
		// What the kernel's buffers take isn't the server's; the rest is what net/http reads before it closes.
		if read := body.n.Load(); read > 16<<20 {
			t.Errorf("%d bytes were read", read)
		}
	}
}

// counter is a body without end.
type counter struct{ n atomic.Int64 }

func (c *counter) Read(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

func TestNobodyKnows(t *testing.T) {
	for name, h := range map[string]handler{
		"an error": func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
			return nil, fmt.Errorf("secret: %w", connector.ErrUnknown)
		},
		"a panic":   func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) { panic("secret") },
		"no answer": func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) { return nil, nil },
		"an odd answer": func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
			return &packet.Reject{}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, h, func(cfg *ilphttp.ServerConfig) { cfg.MaxInFlight = 1 })
			for range 2 { // the second finds that the first is no longer in flight
				p := prepare()
				resp, body := do(t, n.post(t, bytes.NewReader(encode(t, &p)), nil))
				if resp.StatusCode != 500 || strings.Contains(string(body), "secret") || resp.Header.Get("Content-Type") == ilphttp.ContentType {
					t.Errorf("%s, %q", resp.Status, body)
				}
			}
		})
	}
}

// However many packets others have in flight, each peer has a share of its own.
func TestShareOfEachPeer(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	ben := ilphttp.Peer{ID: [16]byte{0xb}, Name: "ben"}
	n := newNode(t, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
		begun <- struct{}{}
		<-end
		return fulfills(ctx, from, p)
	}, func(cfg *ilphttp.ServerConfig) {
		cfg.MaxInFlight = 64 // of which each peer has 2
		d := new(ilphttp.Directory)
		if err := d.Set([]ilphttp.Credentials{{ann, hashes(token)}, {ben, hashes("ben's")}}); err != nil {
			t.Fatal(err)
		}
		cfg.Peers = d
	})
	as := func(token string) *ilphttp.Endpoint {
		return newEndpoint(t, n.URL, func(_ *ilphttp.ClientConfig, to *ilphttp.EndpointConfig) { to.Token = token }).Endpoint
	}
	var wait sync.WaitGroup
	begin := func(e endpoint) {
		wait.Go(func() {
			if reply, err := e.SendPacket(context.Background(), prepare()); err != nil || reply.Type() != packet.TypeFulfill {
				t.Errorf("answered %v, %v", reply, err)
			}
		})
		<-begun
	}
	anns, bens := endpoint{as(token)}, endpoint{as("ben's")}
	for range 64 {
		begin(anns)
	}
	begin(bens)
	begin(bens)
	for _, e := range []endpoint{anns, bens} {
		reply, err := e.SendPacket(t.Context(), prepare())
		if j, ok := reply.(*packet.Reject); err != nil || !ok || j.Code != packet.ConnectorBusy {
			t.Errorf("answered %v, %v", reply, err)
		}
	}
	close(end)
	wait.Wait()
}

// Hazard 19: what a peer can keep busy is limited.
func TestTooManyInFlight(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	slow := func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
		begun <- struct{}{}
		<-end
		return fulfills(ctx, from, p)
	}
	const benToken, carolToken = "ben's", "carol's"
	n := newNode(t, slow, func(cfg *ilphttp.ServerConfig) {
		cfg.MaxInFlight, cfg.MaxInFlightPeer = 3, 2
		d := new(ilphttp.Directory)
		if err := d.Set([]ilphttp.Credentials{
			{ann, hashes(token)},
			{ilphttp.Peer{ID: [16]byte{0xb}, MaxInFlight: 1}, hashes(benToken)},
			{ilphttp.Peer{ID: [16]byte{0xc}}, hashes(carolToken)},
		}); err != nil {
			t.Fatal(err)
		}
		cfg.Peers = d
	})
	answers := make(chan packet.Reply, 3)
	send := func(token string) packet.Reply {
		p := prepare()
		resp, b := do(t, n.post(t, bytes.NewReader(encode(t, &p)), func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
		}))
		reply, err := packet.DecodeReply(b)
		if resp.StatusCode != 200 || err != nil {
			t.Errorf("%s, %v", resp.Status, err)
		}
		return reply
	}
	begin := func(token string) {
		go func() { answers <- send(token) }()
		<-begun
	}
	begin(token)
	begin(benToken)
	wantReject(t, send(benToken), packet.RateLimited)
	begin(token)
	wantReject(t, send(token), packet.RateLimited)
	wantReject(t, send(carolToken), packet.ConnectorBusy)
	close(end)
	for range 3 {
		if reply := <-answers; reply.Type() != packet.TypeFulfill {
			t.Errorf("answered %v", reply)
		}
	}
	go func() { <-begun }()
	if reply := send(carolToken); reply.Type() != packet.TypeFulfill {
		t.Errorf("answered %v", reply)
	}
}

func TestNewServerNeedsEverything(t *testing.T) {
	whole := ilphttp.ServerConfig{Address: "test.pochi", Peers: new(ilphttp.Directory), Handler: handler(fulfills), Log: quiet(t)}
	for name, change := range map[string]func(*ilphttp.ServerConfig){
		"address": func(c *ilphttp.ServerConfig) { c.Address = "" },
		"peers":   func(c *ilphttp.ServerConfig) { c.Peers = nil },
		"handler": func(c *ilphttp.ServerConfig) { c.Handler = nil },
		"log":     func(c *ilphttp.ServerConfig) { c.Log = nil },
	} {
		cfg := whole
		change(&cfg)
		if _, err := ilphttp.NewServer(cfg); err == nil {
			t.Errorf("without %s", name)
		}
	}
}
