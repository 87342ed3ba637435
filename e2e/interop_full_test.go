package e2e

import (
	"strings"
	"testing"
)

// TestInteropFull has ilp-protocol-stream and @interledger/pay pay more than somebody of ours takes, twice. They give up at once and
// for that reason, and don't wait for what never comes: the former when it has brought what fits, and the second time before it has
// begun, the latter when it learns how much fits.
func TestInteropFull(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		script, pays string
		says         []string
		has          int64
	}{
		{"ilp-protocol-stream.js", "amount", []string{"before the desired amount was sent", "Nothing more is taken for this payment."}, 500_00},
		{"interledger-pay.js", "send", []string{"IncompatibleReceiveMax", "IncompatibleReceiveMax"}, 300_00},
	} {
		t.Run(test.script, func(t *testing.T) {
			t.Parallel()
			s := startMemory(t, "test.pochi").(*memory)
			to := s.person("ann", usd, 0)
			s.accounts["ann"].room = 500_00
			var about struct{ Port int }
			js := startForeign(t, test.script, linkConfig(s), &about)
			peer := foreignPeer("js", "test.js", usd, about.Port)
			peer.MaxPacket = 300_00
			s.peer(peer)
			for _, want := range test.says {
				js.order("pay", map[string]any{"to": to, test.pays: 2_000_00, "slippage": 0.01, "prices": map[string]float64{"USD": 1}})
				if says := js.tryRead(new(paid)); !strings.Contains(says, want) {
					t.Errorf("it says %s, want %q", says, want)
				}
				wantHas(t, s, "ann", test.has)
			}
			s.check()
		})
	}
}
