package e2e

import "testing"

// TestInteropILDCP has ilp-protocol-ildcp ask us what we call a peer, and what the link with it counts.
func TestInteropILDCP(t *testing.T) {
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
