package e2e

import (
	"testing"
)

// TestInteropPay has @interledger/pay pay somebody of ours, with a fixed amount on either side, in its currency and in another.
// Its rate probes can't be fulfilled, and it stops unless they are answered with F99.
func TestInteropPay(t *testing.T) {
	t.Parallel()
	onBothSides(t, func(t *testing.T, start func(string) side) {
		s := start("test.pochi")
		ann, ben := s.person("ann", usd, 0), s.person("ben", eur, 0)
		var about struct{ Port int }
		js := startForeign(t, "interledger-pay.js", linkConfig(s), &about)
		peer := foreignPeer("js", "test.js", usd, about.Port)
		peer.MaxPacket = 300_00
		s.peer(peer)

		var has, owes int64 // Ben, the peer
		for _, c := range []struct {
			name    string
			fixed   string
			amount  uint64
			to      string
			payee   string
			asset   asset
			sent    [2]uint64 // at least and at most
			arrives [2]uint64
		}{
			{"fixed send, dollars", "send", 1_234_56, ann, "ann", usd, [2]uint64{1_234_56, 1_234_56}, [2]uint64{1_234_56, 1_234_56}},
			{"fixed send, euros", "send", 1_234_57, ben, "ben", eur, [2]uint64{1_234_57, 1_234_57}, [2]uint64{1_111_11 - 20, 1_111_11}},
			{"fixed delivery, euros", "deliver", 900_01, ben, "ben", eur, [2]uint64{1_000_01, 1_000_50}, [2]uint64{900_01, 900_30}},
		} {
			before := s.has(c.payee)
			var p paid
			js.do(&p, "pay", map[string]any{
				"to": c.to, c.fixed: c.amount, "slippage": 0.01, "prices": map[string]float64{"USD": 0.9, "EUR": 1},
			})
			if p.Asset != c.asset || p.Sent < c.sent[0] || p.Sent > c.sent[1] || p.Delivered < c.arrives[0] || p.Delivered > c.arrives[1] || p.Packets < 4 {
				t.Errorf("%s: %+v", c.name, p)
			}
			t.Logf("%s: %+v", c.name, p)
			wantHas(t, s, c.payee, before+int64(p.Delivered))
			owes += int64(p.Sent)
			wantOwed(t, s, "js", owes)
			has += int64(p.Delivered)
		}
		if got := s.has("ann") + s.has("ben"); got != has {
			t.Errorf("%d arrived, want %d", got, has)
		}
		s.check()
	})
}
