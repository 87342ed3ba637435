package e2e

import (
	"maps"
	"strconv"
	"testing"
)

// receivers are both generations of @interledger/stream-receiver, by how they reject what nobody can fulfill, and what is too
// little: the older one as all old receivers.
var receivers = []struct{ module, unfulfillable, tooLittle string }{
	{"@interledger/stream-receiver", "F05", "F04"},
	{"stream-receiver-alpha3", "F99", "F99"},
}

// TestInteropReceiver pays @interledger/stream-receiver, in the payer's currency and in another, with the amount fixed on either
// side, in packets of at most 100.00.
func TestInteropReceiver(t *testing.T) {
	t.Parallel()
	for _, r := range receivers {
		t.Run(r.module, func(t *testing.T) {
			t.Parallel()
			onBothSides(t, func(t *testing.T, start func(string) side) {
				s := start("test.pochi")
				s.person("ann", usd, 1_000_00)
				for _, c := range []struct {
					name  string
					asset asset
					value int64 // of 321.09 USD
				}{{"dollars", usd, 321_09}, {"euros", eur, 288_98}} {
					peer, spsp := startReceiver(t, s, c.name, r.module, c.asset, nil)
					before := s.has("ann")
					sent, problem := s.pay("ann", spsp, 321_09, sideSend)
					if problem != "" || int64(sent) > c.value || int64(sent) < c.value-4 {
						t.Errorf("%s: %d were delivered: %s", c.name, sent, problem)
					}
					wantHas(t, s, "ann", before-321_09)
					wantReceived(t, s, c.name, peer, sent, 3)

					received, problem := s.pay("ann", spsp, 150_01, sideReceive)
					if problem != "" || received < 150_01 || received > 150_01+10 {
						t.Errorf("%s: %d of 15001 were delivered: %s", c.name, received, problem)
					}
					cost := before - 321_09 - s.has("ann")
					if least := 150_01 * 321_09 / c.value; cost < least || cost > least+20 {
						t.Errorf("%s: for %d Ann paid %d", c.name, received, cost)
					}
					t.Logf("%s: of 32109 arrived %d, and %d for %d", c.name, sent, received, cost)
					refused := wantReceived(t, s, c.name, peer, sent+received, 5)
					poll(t, startMax, "it heard a goodbye", func() bool { return peer.sums().Received.Refused["F99"] > 0 })
					maps.DeleteFunc(refused, func(code string, _ int) bool { return code == "F08" || code == "F99" || code == r.unfulfillable })
					if len(refused) != 0 {
						t.Errorf("%s: it refused %v", c.name, refused)
					}
				}
				s.check()
			})
		})
	}
}

// TestInteropPathThatKeeps pays over a path that keeps a tenth once it has got the payer's trust: the receiver refuses such packets,
// and the payment ends with what was paid for and delivered before.
func TestInteropPathThatKeeps(t *testing.T) {
	t.Parallel()
	for _, r := range receivers {
		t.Run(r.module, func(t *testing.T) {
			t.Parallel()
			s := startMemory(t, "test.pochi") // a wallet would wait for a better rate for many seconds
			s.person("ann", usd, 10_000_00)
			peer, spsp := startReceiver(t, s, "dollars", r.module, usd, map[string]any{"keeps": "50000"})
			delivered, problem := s.pay("ann", spsp, 9_000_00, sideSend)
			if problem == "" || delivered < 500_00 || delivered >= 9_000_00 {
				t.Errorf("%d were delivered: %q", delivered, problem)
			}
			t.Logf("%d were delivered: %s", delivered, problem)
			wantHas(t, s, "ann", 10_000_00-int64(delivered))
			if refused := wantReceived(t, s, "dollars", peer, delivered, 5); refused[r.tooLittle] == 0 {
				t.Errorf("it refused %v", refused)
			}
			s.check()
		})
	}
}

// wantReceived checks that a receiver, its link and our books count what was delivered to it, and in how many packets at least. It
// returns what the link rejected.
func wantReceived(t *testing.T, s side, name string, peer *foreign, delivered uint64, packets int) (refused map[string]int) {
	t.Helper()
	wantOwed(t, s, name, -int64(delivered))
	got := peer.sums()
	if got.Received.Amount != delivered || got.Counted != strconv.FormatUint(delivered, 10) || got.Received.Packets < packets {
		t.Errorf("%s: delivered %d, and it counts %+v", name, delivered, got)
	}
	return got.Received.Refused
}

// startReceiver starts a receiver of an asset as a peer of a side. It takes packets of up to 100.00. It returns the URL that its
// payment pointer leads to.
func startReceiver(t *testing.T, s side, name, module string, a asset, more map[string]any) (f *foreign, spsp string) {
	t.Helper()
	config := linkConfig(s)
	config["module"], config["address"], config["asset"], config["max"] = module, "test."+name, a, "10000"
	config["token"], config["incoming"] = name+tokenToUs, name+tokenToIt
	maps.Copy(config, more)
	var about struct{ Port, SPSP int }
	f = startForeign(t, "stream-receiver.js", config, &about)
	p := foreignPeer(name, "test."+name, a, about.Port)
	p.In, p.Out = name+tokenToUs, name+tokenToIt
	s.peer(p)
	return f, loopback(about.SPSP) + "bob"
}
