package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestInteropILDCP has ilp-protocol-ildcp ask us what we call a peer, and what the link with it counts.
func TestInteropILDCP(t *testing.T) {
	t.Parallel()
	onBothSides(t, func(t *testing.T, start func(string) side) {
		s := start("test.pochi")
		var about struct{ Port int }
		js := startForeign(t, "ilp-protocol-stream.js", linkConfig(s), &about)
		s.peer(foreignPeer("js", "test.pochi.child", eur, about.Port))
		var told struct {
			ClientAddress, AssetCode string
			AssetScale               uint8
		}
		js.do(&told, "config", nil)
		if told.ClientAddress != "test.pochi.child" || told.AssetCode != "EUR" || told.AssetScale != 2 {
			t.Errorf("it was told %+v", told)
		}
	})
}

// TestInteropPing has a wallet ask an ilp-connector, whose child it is, what the link counts.
func TestInteropPing(t *testing.T) {
	needWallet(t)
	t.Parallel()
	m := startMoney(t, "test.hub.a").(*money)
	var about struct{ A int }
	startForeign(t, "ilp-connector.js", map[string]any{"address": "test.hub", "wallets": map[string]any{
		"a": hubLink(m.url(), "a", "child", "test.hub.a", usd, nil),
	}}, &about)
	m.peer(hubPeer("a", usd, about.A))
	var pong struct {
		OK     bool
		Answer struct{ TriggeredBy, Code string }
		ILDCP  struct{ Address, Asset string }
	}
	if err := json.Unmarshal([]byte(m.admin("peer", "ping", "hub")), &pong); err != nil {
		t.Fatal(err)
	}
	if !pong.OK || pong.Answer.TriggeredBy != "test.hub" || pong.ILDCP.Address != "test.hub.a" || pong.ILDCP.Asset != "USD/2" {
		t.Errorf("%+v", pong)
	}

	wrong := hubPeer("a", eur, about.A)
	wrong.Name, wrong.Address, wrong.In = "misread", "test.misread", "b"+tokenToUs
	m.peer(wrong)
	if printed, ok := m.command("admin", "peer", "ping", "misread"); ok || !strings.Contains(printed, "USD/2") {
		t.Errorf("a peer that counts something else: %s", printed)
	}
}
