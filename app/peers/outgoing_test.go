package peers_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"

	"pochi/app/peers"
	"pochi/app/problem"
	"pochi/ilp/ilphttp"
)

// What a peer is called for may change one by one; its token stays as long as it
// is called at all.
func TestCallingAPeer(t *testing.T) {
	n := newNode(t)
	n.mustAdd(t, "bob", "USD/2", terms("test.bob", bobToken))
	url := ptr("https://bob.example")
	for _, test := range []struct {
		change        peers.Change
		url, callback string
		token         peers.Token
		async         bool
	}{
		{peers.Change{CallbackURL: url, OutgoingToken: ptr(eveToken)}, "", *url, eveToken, false},
		{peers.Change{OutgoingURL: url, Async: ptr(true)}, *url, *url, eveToken, true},
		{peers.Change{OutgoingToken: ptr(bobToken)}, *url, *url, bobToken, true},
		{peers.Change{Async: ptr(false)}, *url, *url, bobToken, false},
		{peers.Change{CallbackURL: ptr("")}, *url, "", bobToken, false},
		{peers.Change{Async: ptr(true)}, *url, "", bobToken, true},
		{peers.Change{CallbackURL: url}, *url, *url, bobToken, true},
		{peers.Change{OutgoingURL: ptr("")}, "", *url, bobToken, false},
		{peers.Change{CallbackURL: ptr("")}, "", "", "", false},
	} {
		now, err := n.Update(t.Context(), "bob", test.change)
		if err != nil || now.OutgoingURL != test.url || now.CallbackURL != test.callback || now.OutgoingToken != test.token || now.Async != test.async {
			t.Errorf("%+v: %+v, %v", test, now, err)
		}
	}
}

// Where peers can't call back no peer can be asynchronous, and it is said what to
// change. Replies to peers' own packets don't need that.
func TestNoAsyncWithoutACallback(t *testing.T) {
	n := newNode(t, func(c *peers.Config) { c.CallbackURL = "" })
	c := terms("test.bob", bobToken)
	c.OutgoingURL, c.CallbackURL, c.OutgoingToken = ptr("https://bob.example"), ptr("https://bob.example"), ptr(eveToken)
	n.mustAdd(t, "bob", "USD/2", c)
	_, err := n.Update(t.Context(), "bob", peers.Change{Async: ptr(true)})
	if !strings.Contains(problem.Fields(err)["async"], "POCHI_ILP_PUBLIC_URL") {
		t.Errorf("%v", err)
	}
}

// A command that has no wallet beside it can't take a callback: it says so.
func TestPingNeedsACallback(t *testing.T) {
	n := newNode(t, func(c *peers.Config) {
		var err error
		c.HTTP, err = ilphttp.NewClient(ilphttp.ClientConfig{
			Address: own, DialContext: new(net.Dialer).DialContext, AllowLoopback: true, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	c := terms("test.bob", bobToken)
	c.OutgoingURL, c.OutgoingToken, c.Async = ptr("http://127.0.0.1:1/ilp"), ptr(eveToken), ptr(true)
	n.mustAdd(t, "bob", "USD/2", c)
	_, _, err := n.Ping(t.Context(), "bob")
	if problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), "running wallet") {
		t.Errorf("%v", err)
	}
}
