package e2e

import (
	"bytes"
	"testing"
	"time"

	"pochi/ilp/address"
	"pochi/ilp/packet"
)

// TestInteropForward forwards packets from one ilp-plugin-http to another: what a packet carries comes through unchanged, also
// with as much data as the plugin reads; and the money of those that it can't take, or gives no good answer to, is back.
func TestInteropForward(t *testing.T) {
	t.Parallel()
	onBothSides(t, func(t *testing.T, start func(string) side) {
		s := start("test.pochi")
		from := startPluginPeer(t, s.url(), "token-of-the-one-that-sends-0123456789")
		to := startPluginPeer(t, s.url(), "token-of-the-one-that-takes-0123456789")
		s.peer(peerConfig{
			Name: "from", Address: "test.from", Asset: usd, In: from.token, URL: from.url, Out: from.token, CreditLimit: 10_00,
		})
		s.peer(peerConfig{
			Name: "to", Address: "test.peer", Asset: eur, In: to.token, URL: to.url, Out: to.token, CreditLimit: 10_00,
		})
		forward := func(size int, destination address.Address, amount uint64, change func(*packet.Prepare)) packet.Reply {
			t.Helper()
			p := pluginPacket(destination, size)
			p.Amount = amount
			if change != nil {
				change(&p)
			}
			b, err := p.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			reply, problem := from.send(b)
			if problem != "" {
				t.Fatalf("%d bytes to %s: %s", size, destination, problem)
			}
			return reply
		}
		owes := func(name string, dollars int64) {
			t.Helper()
			if from, to := s.owed("from"), s.owed("to"); from != dollars || to != -dollars*9/10 {
				t.Errorf("%s: %d and %d are owed, want %d and %d", name, from, to, dollars, -dollars*9/10)
			}
		}

		for _, size := range []int{0, 500, 32_600} {
			reply, ok := forward(size, "test.peer.fulfill", 100, nil).(*packet.Fulfill)
			if !ok || !bytes.Equal(reply.Data, bytes.Repeat([]byte{0xa5}, size)) {
				t.Errorf("%d bytes: answered %v", size, reply)
			}
		}
		owes("three that were fulfilled", 300)
		for _, c := range []struct {
			name   string
			size   int
			to     address.Address
			amount uint64
			change func(*packet.Prepare)
			code   packet.Code
			by     address.Address
		}{
			{"nobody there", 9, "test.peer.nobody", 100, nil, "F02", "test.peer"},
			{"more than it reads", 32_700, "test.peer.fulfill", 100, nil, "F00", "test.pochi"},
			{"the largest packet", packet.MaxData, "test.peer.fulfill", 100, nil, "F00", "test.pochi"},
			{"another condition", 9, "test.peer.fulfill", 100, func(p *packet.Prepare) { p.Condition[0]++ }, "F05", "test.pochi"},
			{"beyond its credit", 9, "test.peer.fulfill", 7_01, nil, "T04", "test.pochi"},
			{"no route", 9, "test.elsewhere.fulfill", 100, nil, "F02", "test.pochi"},
			{"no time", 9, "test.peer.fulfill", 100, func(p *packet.Prepare) { p.ExpiresAt = time.Now().Add(1900 * time.Millisecond) }, "R02", "test.pochi"},
		} {
			reply, ok := forward(c.size, c.to, c.amount, c.change).(*packet.Reject)
			if !ok || reply.Code != c.code || reply.TriggeredBy != c.by {
				t.Errorf("%s: answered %v, want %s by %s", c.name, reply, c.code, c.by)
			}
		}
		owes("all that was rejected", 300)
		if got := s.doubts("to"); got != 0 {
			t.Errorf("%d packets are in doubt", got)
		}
		// Nobody can say what became of a packet that is answered with 500, but without a fulfillment nothing is owed.
		if reply, ok := forward(9, "test.peer.crash", 100, nil).(*packet.Reject); !ok || reply.TriggeredBy != "test.pochi" {
			t.Errorf("a crash: answered %v", reply)
		}
		owes("a crash", 300)
		if got := s.doubts("to"); got != 1 {
			t.Errorf("%d packets are in doubt, want the one that crashed", got)
		}
		s.check()
	})
}
