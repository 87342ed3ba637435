package ilphttp_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

var shopping = [16]byte{0x01, 0x94, 15: 0x07}

const shoppingPath = "/ilp/agreements/01940000-0000-0000-0000-000000000007"

// appTokens is an ilphttp.Agreements that knows tokens by what comes of them.
type appTokens struct {
	handler
	from func(netip.Addr)
}

func (a appTokens) Admit(_ context.Context, agreement [16]byte, token string, from netip.Addr) error {
	if a.from != nil {
		a.from(from)
	}
	switch {
	case token == "old":
		return ilphttp.ErrToken
	case token == "unanswered":
		return errors.New("secret: connection refused")
	case token == "guessed":
		return &ilphttp.TooOftenError{Wait: 1500 * time.Millisecond}
	case agreement != shopping:
		return ilphttp.ErrNoAgreement
	case token == "openid":
		return ilphttp.ErrNotAllowed
	case token == "fast":
		return ilphttp.ErrTooFast
	}
	return nil
}

// forShopping is a request of the app for its agreement, which change may change.
func forShopping(t testing.TB, n *node, body []byte, change func(*http.Request)) *http.Request {
	return n.post(t, bytes.NewReader(body), func(r *http.Request) {
		r.URL.Path = shoppingPath
		r.Header.Set("Authorization", "Bearer shop")
		if change != nil {
			change(r)
		}
	})
}

func TestAgreementPacket(t *testing.T) {
	n := newNode(t, nobody(t), func(cfg *ilphttp.ServerConfig) {
		cfg.Agreements = appTokens{handler: func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			if from.ID != shopping {
				t.Errorf("packet of %x", from.ID)
			}
			return fulfills(ctx, from, p)
		}}
	})
	p := prepare()
	resp, body := do(t, forShopping(t, n, encode(t, &p), nil))
	if reply, err := packet.DecodeReply(body); resp.StatusCode != 200 || err != nil || reply.Type() != packet.TypeFulfill {
		t.Errorf("%s, %v, %v", resp.Status, reply, err)
	}
}

// nobody is a handler of peers' packets, of which there are none.
func nobody(t testing.TB) handler {
	return func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
		t.Error("an app's packet was taken for a peer's")
		return nil, errors.New("no peer")
	}
}

// Whatever is wrong, no packet is handled and an app learns no more than it has to.
func TestAgreementStatuses(t *testing.T) {
	handled := func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
		t.Error("a packet was handled")
		return nil, errors.New("not allowed")
	}
	var log bytes.Buffer
	n := newNode(t, nobody(t), func(cfg *ilphttp.ServerConfig) {
		cfg.Agreements = appTokens{handler: handled}
		cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	p := prepare()
	whole := encode(t, &p)
	token := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	path := func(path string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = path } }
	for _, c := range []struct {
		name   string
		body   []byte
		change func(*http.Request)
		want   int
		retry  string
	}{
		{"no token", whole, func(r *http.Request) { r.Header.Del("Authorization") }, 401, ""},
		{"two tokens", whole, func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer shop", "Bearer shop"} }, 401, ""},
		{"a token that is no more", whole, token("old"), 401, ""},
		{"another agreement", whole, path(shoppingPath[:len(shoppingPath)-1] + "8"), 404, ""},
		{"a token for something else", whole, token("openid"), 403, ""},
		{"an id in capitals", whole, path(strings.Replace(shoppingPath, "01940000", "0194000A", 1)), 404, ""},
		{"nobody knows", whole, token("unanswered"), 503, "10"},
		{"guesses", whole, token("guessed"), 429, "2"},
		{"no agreement", whole, path("/ilp/agreements/"), 404, ""},
		{"below an agreement", whole, path(shoppingPath + "/x"), 404, ""},
		{"no id", whole, path("/ilp/agreements/" + strings.Repeat("z", 36)), 404, ""},
		{"an id in another form", whole, path("/ilp/agreements/019400000000-0000-0000-000000000007--"), 404, ""},
		{"another method", nil, func(r *http.Request) { r.Method = http.MethodGet }, 405, ""},
		{"another type", whole, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, 415, ""},
		{"no packet", []byte("hello"), nil, 400, ""},
		{"a body that is too long", make([]byte, ilphttp.MaxRequestBody+1), nil, 413, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body := do(t, forShopping(t, n, c.body, c.change))
			if resp.StatusCode != c.want || resp.Header.Get("Retry-After") != c.retry {
				t.Errorf("%s, Retry-After %q, want %d and %q", resp.Status, resp.Header.Get("Retry-After"), c.want, c.retry)
			}
			if said := c.want == 401 || c.want == 403 || c.want == 429 || c.want == 503; said && len(body) > 0 {
				t.Errorf("it says %q", body)
			}
			if challenge := resp.Header.Get("WWW-Authenticate"); (c.want == 401) != (challenge == "Bearer") {
				t.Errorf("challenge %q", challenge)
			}
		})
	}
	if !strings.Contains(log.String(), "connection refused") || strings.Contains(log.String(), "Bearer") {
		t.Errorf("the log: %s", &log)
	}
	resp, body := do(t, forShopping(t, n, whole, token("fast")))
	reply, err := packet.DecodeReply(body)
	if resp.StatusCode != 200 || err != nil {
		t.Fatalf("%s, %v", resp.Status, err)
	}
	wantReject(t, reply, packet.RateLimited)
}

func TestNoAgreements(t *testing.T) {
	p := prepare()
	if resp, _ := do(t, forShopping(t, newNode(t, nobody(t), nil), encode(t, &p), nil)); resp.StatusCode != 404 {
		t.Error(resp.Status)
	}
}

// Apps take no room from peers, nor more than their own from each other.
func TestAgreementsInFlight(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	slow := func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
		begun <- struct{}{}
		<-end
		return fulfills(ctx, from, p)
	}
	n := newNode(t, slow, func(cfg *ilphttp.ServerConfig) {
		cfg.MaxInFlight, cfg.MaxInFlightAgreement, cfg.MaxInFlightAgreements = 1, 2, 3
		cfg.Agreements = anyAgreement{slow}
	})
	send := func(path, token string) packet.Reply {
		p := prepare()
		resp, b := do(t, n.post(t, bytes.NewReader(encode(t, &p)), func(r *http.Request) {
			r.URL.Path = path
			r.Header.Set("Authorization", "Bearer "+token)
		}))
		reply, err := packet.DecodeReply(b)
		if resp.StatusCode != 200 || err != nil {
			t.Errorf("%s, %v", resp.Status, err)
		}
		return reply
	}
	var wait sync.WaitGroup
	begin := func(path, token string) {
		wait.Go(func() {
			if reply := send(path, token); reply.Type() != packet.TypeFulfill {
				t.Errorf("answered %v", reply)
			}
		})
		<-begun
	}
	other := strings.Replace(shoppingPath, "0194", "0195", 1)
	third := strings.Replace(shoppingPath, "0194", "0196", 1)
	begin(shoppingPath, "shop")
	begin(shoppingPath, "shop")
	wantReject(t, send(shoppingPath, "shop"), packet.RateLimited)
	begin(other, "shop")
	wantReject(t, send(third, "shop"), packet.ConnectorBusy)
	begin(ilphttp.Path, token)
	close(end)
	wait.Wait()
}

type anyAgreement struct{ handler }

func (anyAgreement) Admit(context.Context, [16]byte, string, netip.Addr) error { return nil }

// A server that stops answers the packets of apps that it has begun with, and takes no more.
func TestStopsWithAgreementPackets(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	n := newNode(t, nobody(t), func(cfg *ilphttp.ServerConfig) {
		cfg.Agreements = anyAgreement{func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			begun <- struct{}{}
			<-end
			return fulfills(ctx, from, p)
		}}
	})
	p := prepare()
	answered := make(chan []byte, 1)
	go func() {
		_, body := do(t, forShopping(t, n, encode(t, &p), nil))
		answered <- body
	}()
	<-begun
	n.Refuse()
	_, body := do(t, forShopping(t, n, encode(t, &p), nil))
	reply, err := packet.DecodeReply(body)
	if err != nil {
		t.Fatal(err)
	}
	wantReject(t, reply, packet.InternalError)
	close(end)
	if reply, err := packet.DecodeReply(<-answered); err != nil || reply.Type() != packet.TypeFulfill {
		t.Errorf("answered %v, %v", reply, err)
	}
}

// Who guesses tokens is known by where they come from: behind a proxy by what the proxy says, and nobody else.
func TestAddressOfApps(t *testing.T) {
	for _, c := range []struct{ proxy, header, want string }{
		{"", "", "127.0.0.1"},
		{"", "203.0.113.7", "127.0.0.1"},
		{"127.0.0.0/8", "203.0.113.7", "203.0.113.7"},
		{"127.0.0.0/8", "::ffff:203.0.113.7", "203.0.113.7"},
		{"127.0.0.0/8", "x", "invalid IP"},
	} {
		var got netip.Addr
		n := newNode(t, nobody(t), func(cfg *ilphttp.ServerConfig) {
			cfg.Agreements = appTokens{handler: fulfills, from: func(from netip.Addr) { got = from }}
			if c.proxy != "" {
				cfg.Proxies = []netip.Prefix{netip.MustParsePrefix(c.proxy)}
			}
		})
		p := prepare()
		do(t, forShopping(t, n, encode(t, &p), func(r *http.Request) { r.Header.Set("X-Real-Ip", c.header) }))
		if got.String() != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
