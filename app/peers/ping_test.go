package peers_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pochi/app/problem"
	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/ildcp"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// remote is a peer over HTTP that rejects what it is sent; with a config it
// answers ILDCP.
type remote struct {
	status int
	config *ildcp.Config
	from   address.Address // what it says that it is
}

func (r remote) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	prepare, err := packet.DecodePrepare(body)
	if err != nil || prepare.Amount != 0 || req.Header.Get("Authorization") != "Bearer "+string(eveToken) {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	var reply packet.Packet = packet.NewReject(packet.Unreachable, r.from, "Nobody is here.")
	if prepare.Destination == ildcp.Destination && r.config != nil {
		reply = &packet.Fulfill{Data: r.config.Append(nil)}
	}
	out, err := reply.Append(nil)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", ilphttp.ContentType)
	_, _ = w.Write(out)
}

// pinged is a node whose peer bob takes packets at a URL.
func pinged(t *testing.T, url string) node {
	n := newNode(t)
	c := terms("test.bob", bobToken)
	c.OutgoingURL, c.OutgoingToken = &url, ptr(eveToken)
	n.mustAdd(t, "bob", "USD/2", c)
	return n
}

func TestPing(t *testing.T) {
	usd2, eur2, usd9 := ilp.Asset{Code: "USD", Scale: 2}, ilp.Asset{Code: "EUR", Scale: 2}, ilp.Asset{Code: "USD", Scale: 9}
	for name, test := range map[string]struct {
		from                    address.Address
		config                  *ildcp.Config
		asset, address, warning string // what is said to be wrong
	}{
		"no ILDCP":       {from: "test.bob"},
		"same asset":     {from: "test.bob", config: &ildcp.Config{Address: own, Asset: usd2}},
		"a part of it":   {from: "test.bob.node", config: &ildcp.Config{Address: own, Asset: usd2}},
		"unnamed":        {from: ""},
		"other asset":    {from: "test.bob", config: &ildcp.Config{Address: own, Asset: eur2}, asset: "EUR/2"},
		"other decimals": {from: "test.bob", config: &ildcp.Config{Address: own, Asset: usd9}, asset: "USD/9"},
		"other node":     {from: "test.bobb", address: "test.bobb"},
		"node above":     {from: "test", address: "test.bob"},
		"other name":     {from: "test.bob", config: &ildcp.Config{Address: "test.poch", Asset: usd2}, warning: "test.poch"},
		"child of it":    {from: "test.bob", config: &ildcp.Config{Address: "test.bob.us", Asset: usd2}, warning: "test.bob.us"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(remote{config: test.config, from: test.from})
			defer server.Close()
			n := pinged(t, server.URL)
			peer, pong, err := n.Ping(t.Context(), "bob")
			if err != nil || pong.Code != packet.Unreachable || pong.TriggeredBy != test.from || pong.Message != "Nobody is here." || pong.RoundTrip <= 0 {
				t.Fatalf("%+v, %v", pong, err)
			}
			if (pong.Config == nil) != (test.config == nil) || pong.Config != nil && *pong.Config != *test.config {
				t.Errorf("config %+v", pong.Config)
			}
			for _, said := range []struct{ about, got, want string }{
				{"asset", pong.AssetMismatch(peer), test.asset}, {"address", pong.AddressMismatch(peer), test.address}, {"warning", pong.Warning(peer), test.warning},
			} {
				if (said.got == "") != (said.want == "") || !strings.Contains(said.got, said.want) {
					t.Errorf("%s: %q, want %q", said.about, said.got, said.want)
				}
			}
		})
	}
}

// Without an answer somebody can act on what is said.
func TestPingWithoutAnAnswer(t *testing.T) {
	hangsUp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer hangsUp.Close()
	for name, test := range map[string]struct {
		status int
		url    string
		says   string
	}{
		"nobody listens": {url: "http://127.0.0.1:1", says: "Is it running"},
		"hangs up":       {url: hangsUp.URL, says: "broke"},
		"wrong token":    {status: http.StatusUnauthorized, says: "--outgoing-token"},
		"no ILP there":   {status: http.StatusNotFound, says: "--outgoing-url"},
		"broken":         {status: http.StatusBadGateway, says: "Try again later"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(remote{status: test.status})
			defer server.Close()
			url := server.URL
			if test.url != "" {
				url = test.url
			}
			_, _, err := pinged(t, url).Ping(t.Context(), "bob")
			if problem.CodeOf(err) != problem.Unavailable || !strings.Contains(problem.MessageOf(err), test.says) || strings.Contains(err.Error(), string(eveToken)) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
	n := newNode(t)
	n.mustAdd(t, "bob", "USD/2", terms("test.bob", bobToken))
	if _, _, err := n.Ping(t.Context(), "bob"); problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), "--outgoing-url") {
		t.Errorf("without a URL: %v", err)
	}
	if _, _, err := n.Ping(t.Context(), "ann"); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("nobody: %v", err)
	}
}
