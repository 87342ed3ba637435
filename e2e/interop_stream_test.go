package e2e

import (
	"testing"
)

// TestInteropStream has ilp-protocol-stream pay people of ours, in its currency and in another, and be paid, over one link of
// ilp-plugin-http.
func TestInteropStream(t *testing.T) {
	t.Parallel()
	onBothSides(t, func(t *testing.T, start func(string) side) {
		s := start("test.pochi")
		ann, ben := s.person("ann", usd, 1_000_00), s.person("ben", eur, 0)
		js, spsp := startStream(t, s, 300_00)

		same := js.pay(ann, 1_234_56)
		if same.Sent != 1_234_56 || same.Delivered != 1_234_56 || same.Packets < 5 || same.Asset != usd {
			t.Errorf("to dollars: %+v", same)
		}
		other := js.pay(ben, 1_234_57)
		if other.Sent != 1_234_57 || other.Asset != eur || other.Packets < 5 {
			t.Errorf("to euros: %+v", other)
		}
		delivered := int64(other.Delivered)
		if most := int64(1_234_57 * 9 / 10); delivered > most || delivered < most-int64(other.Packets) {
			t.Errorf("%d packets brought %d EUR cents of at most %d", other.Packets, delivered, most)
		}
		wantHas(t, s, "ann", 1_000_00+1_234_56)
		wantHas(t, s, "ben", delivered)
		wantOwed(t, s, "js", 1_234_56+1_234_57)

		got, problem := s.pay("ann", spsp, 543_21, sideSend)
		if problem != "" || got != 543_21 {
			t.Errorf("it was paid %d: %s", got, problem)
		}
		wantHas(t, s, "ann", 1_000_00+1_234_56-543_21)
		wantOwed(t, s, "js", 1_234_56+1_234_57-543_21)
		counted := js.sums()
		if counted.Received.Amount != 543_21 || counted.Received.Packets < 6 || counted.Counted != "54321" || counted.Sent.Amount != same.Sent+other.Sent {
			t.Errorf("it counts %+v", counted)
		}
		if got := counted.Sent.Refused["F02"]; got != 0 {
			t.Errorf("it sent %d packets to where nobody is, as if it had been told of a way back", got)
		}
		t.Logf("it paid %+v and %+v, and counts %+v", same, other, counted)
		s.check()
	})
}

// startStream starts a wallet of ilp-protocol-stream as the peer "js" of a side, and makes it take payments. It asks for its
// address and asset (ILDCP), can send packets of up to max, and takes those of up to 100.00. It returns the URL that its payment
// pointer leads to.
func startStream(t *testing.T, s side, max uint64) (js *foreign, spsp string) {
	t.Helper()
	var about struct{ Port, SPSP int }
	config := linkConfig(s)
	config["max"] = "10000"
	js = startForeign(t, "ilp-protocol-stream.js", config, &about)
	p := foreignPeer("js", "test.js", usd, about.Port)
	p.MaxPacket = max
	s.peer(p)
	var listening struct {
		SPSP  int
		Asset asset
	}
	js.do(&listening, "listen", nil)
	if listening.Asset != usd {
		t.Errorf("it was told that it counts %+v", listening.Asset)
	}
	return js, loopback(listening.SPSP) + "bob"
}

// pay has the script pay what a payment pointer leads to.
func (f *foreign) pay(to string, amount uint64) paid {
	f.t.Helper()
	var p paid
	f.do(&p, "pay", map[string]any{"to": to, "amount": amount})
	return p
}

func wantHas(t *testing.T, s side, name string, want int64) {
	t.Helper()
	if got := s.has(name); got != want {
		t.Errorf("%s has %d, want %d", name, got, want)
	}
}

func wantOwed(t *testing.T, s side, peer string, want int64) {
	t.Helper()
	if got := s.owed(peer); got != want {
		t.Errorf("%s owes %d, want %d", peer, got, want)
	}
}
