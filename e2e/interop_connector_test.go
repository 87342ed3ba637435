package e2e

import (
	"crypto/rand"
	"strconv"
	"strings"
	"testing"

	"pochi/ilp/spsp"
	"pochi/ilp/stream"
)

// TestInteropConnector has people of two sides pay each other through an ilp-connector with rates of its own: for a dollar of
// A's it gives 0.91 EUR of B's, and back 1.12 USD.
func TestInteropConnector(t *testing.T) {
	t.Parallel()
	onBothSides(t, func(t *testing.T, start func(string) side) {
		a, b := start("test.a"), start("test.b")
		ann, ben := a.person("ann", usd, 1_000_00), b.person("ben", eur, 1_000_00)
		hub := startHub(t, a, b)

		delivered, problem := a.pay("ann", ben, 500_01, sideSend)
		if problem != "" {
			t.Fatal(problem)
		}
		if most := uint64(500_01 * 91 / 100); delivered > most || delivered < most-4 {
			t.Errorf("%d arrived of at most %d", delivered, most)
		}
		wantHas(t, a, "ann", 1_000_00-500_01)
		wantHas(t, b, "ben", 1_000_00+int64(delivered))
		wantHub(t, hub, a, "a", 500_01)
		wantHub(t, hub, b, "b", -int64(delivered))

		back, problem := b.pay("ben", ann, 300_07, sideSend)
		if problem != "" {
			t.Fatal(problem)
		}
		if most := uint64(300_07 * 112 / 100); back > most || back < most-3 {
			t.Errorf("%d came back of at most %d", back, most)
		}
		t.Logf("for 50001 arrived %d, for 30007 came back %d", delivered, back)
		wantHas(t, a, "ann", 1_000_00-500_01+int64(back))
		wantHas(t, b, "ben", 1_000_00+int64(delivered)-300_07)
		wantHub(t, hub, a, "a", 500_01-int64(back))
		wantHub(t, hub, b, "b", 300_07-int64(delivered))
		a.check()
		b.check()
	})
}

// TestInteropConnectorThrows pays somebody behind an ilp-connector whose link to them fails: it says F02 then, and all the money
// is back.
func TestInteropConnectorThrows(t *testing.T) {
	t.Parallel()
	onBothSides(t, func(t *testing.T, start func(string) side) {
		a, b := start("test.a"), start("test.b")
		a.person("ann", usd, 1_000_00)
		hub := startHub(t, a, b)
		receiver, err := stream.NewReceiver("test.nowhere", [32]byte{1}, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		nobody := serveSPSP(t, func(string) (spsp.Details, error) {
			to, secret, err := receiver.Credentials(nil)
			return spsp.Details{DestinationAccount: to, SharedSecret: secret}, err
		})
		if delivered, problem := a.pay("ann", nobody+"/nobody", 100_00, sideSend); delivered != 0 || problem == "" {
			t.Errorf("%d were delivered to nobody: %q", delivered, problem)
		}
		wantHas(t, a, "ann", 1_000_00)
		wantHub(t, hub, a, "a", 0)
		if got := hubSums(hub)["nowhere"]; got.Sent.Packets != 0 {
			t.Errorf("it sent %+v to nowhere", got)
		}
		a.check()
	})
}

// hubLink is what ilp-connector.js needs to know for its link to one of ours.
func hubLink(url, name, relation, address string, of asset, rates map[string]string) map[string]any {
	return map[string]any{
		"url": url, "token": name + tokenToUs, "incoming": name + tokenToIt, "relation": relation,
		"address": address, "asset": of, "limit": "10000000", "rates": rates,
	}
}

// hubPeer is the peer that an ilp-connector behind a port is, on the link with one of ours.
func hubPeer(name string, of asset, port int, routes ...string) peerConfig {
	p := foreignPeer("hub", "test.hub", of, port)
	p.In, p.Out, p.Routes, p.MaxPacket = name+tokenToUs, name+tokenToIt, routes, 200_00
	return p
}

// startHub starts an ilp-connector as the peer "hub" of both sides. It also has a link that leads nowhere.
func startHub(t *testing.T, a, b side) *foreign {
	t.Helper()
	nowhere := loopback(freePorts(t, 1)[0])
	var about struct{ A, B int }
	hub := startForeign(t, "ilp-connector.js", map[string]any{"address": "test.hub", "wallets": map[string]any{
		"a":       hubLink(a.url(), "a", "peer", "test.a", usd, map[string]string{"b": "0.91", "nowhere": "1"}),
		"b":       hubLink(b.url(), "b", "peer", "test.b", eur, map[string]string{"a": "1.12"}),
		"nowhere": hubLink(nowhere, "nowhere", "peer", "test.nowhere", usd, nil),
	}}, &about)
	a.peer(hubPeer("a", usd, about.A, "test.b", "test.nowhere"))
	b.peer(hubPeer("b", eur, about.B, "test.a"))
	return hub
}

func hubSums(hub *foreign) map[string]sums {
	hub.t.Helper()
	var all map[string]sums
	hub.do(&all, "sums", nil)
	return all
}

// wantHub checks what the hub counts that a side owes it, and that the side counts the same.
func wantHub(t *testing.T, hub *foreign, s side, name string, want int64) {
	t.Helper()
	if got := strings.TrimSpace(hubSums(hub)[name].Owed); got != strconv.FormatInt(want, 10) {
		t.Errorf("the hub counts that %s owes it %s, want %d", name, got, want)
	}
	wantOwed(t, s, "hub", -want)
}
