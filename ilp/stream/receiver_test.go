package stream_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pochi/ilp/address"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

func newReceiver(t testing.TB) *stream.Receiver {
	t.Helper()
	r, err := stream.NewReceiver("test.receiver", [32]byte{7}, newRandom())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// connect returns a fresh connection of a receiver, with its secret.
func connect(t testing.TB, r *stream.Receiver) (*stream.Connection, [32]byte) {
	t.Helper()
	to, secret, err := r.Credentials([]byte("ann"))
	if err != nil {
		t.Fatal(err)
	}
	c, ok := r.Identify(to)
	if !ok {
		t.Fatalf("%s is not identified", to)
	}
	return c, secret
}

func TestCredentials(t *testing.T) {
	r := newReceiver(t)
	if r.Prefix() != "test.receiver" {
		t.Errorf("prefix %s", r.Prefix())
	}
	seen := make(map[[32]byte]bool)
	for _, tag := range [][]byte{nil, {0}, bytes.Repeat([]byte{0xff}, stream.MaxTag)} {
		to, secret, err := r.Credentials(tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := to.Validate(); err != nil || !to.HasPrefix(r.Prefix()) {
			t.Errorf("%s: %v", to, err)
		}
		c, ok := r.Identify(to)
		if !ok || !bytes.Equal(c.Tag, tag) {
			t.Errorf("tag %x: %v, %v", tag, c, ok)
		}
		// A receiver that starts again with the same secret knows it too.
		if _, ok := newReceiver(t).Identify(to + ".more.segments"); !ok {
			t.Errorf("%s is forgotten after a restart", to)
		}
		seen[secret] = true
	}
	// Hazard 27: a secret for each query, for the same tag too.
	for range 10 {
		_, secret := connect(t, r)
		seen[secret] = true
	}
	if len(seen) != 13 {
		t.Errorf("%d secrets of 13 are different", len(seen))
	}
	if _, _, err := r.Credentials(make([]byte, stream.MaxTag+1)); err != stream.ErrTag {
		t.Errorf("65 bytes of tag: %v", err)
	}
}

// A connection that packets come for is derived once, however many others there are meanwhile, and nobody who knows how to
// make addresses, or makes them up, can fill the memory.
func TestConnectionsInUseAreKept(t *testing.T) {
	r := newReceiver(t)
	to, _, err := r.Credentials([]byte("ann"))
	if err != nil {
		t.Fatal(err)
	}
	first, _ := r.Identify(to)
	for range 3 * stream.MaxConnections / 500 {
		for range 500 {
			connect(t, r)
			r.Identify("test.receiver.AAAA")
		}
		if c, ok := r.Identify(to + ".more"); !ok || c != first {
			t.Fatal("a connection in use was derived again")
		}
	}
	if n := r.Kept(); n > stream.MaxConnections || n < stream.MaxConnections/2 {
		t.Errorf("%d connections are kept", n)
	}
	for range 2 * stream.MaxConnections {
		connect(t, r)
	}
	if c, ok := r.Identify(to); !ok || c == first || string(c.Tag) != "ann" {
		t.Error("a connection out of use was kept, or not found again")
	}
}

// A thousand goroutines ask for few connections and for many.
func TestIdentifyIsSafeForConcurrentUse(t *testing.T) {
	r := newReceiver(t)
	var wg sync.WaitGroup
	for i := range 100 {
		to, secret, err := r.Credentials([]byte{byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		p := fulfillable(t, secret, 5, stream.Packet{Type: packet.TypePrepare, Amount: 5})
		for range 10 {
			wg.Go(func() {
				if c, ok := r.Identify(to); !ok || c.Tag[0] != byte(i) || receive(c, p, usd).Type() != packet.TypeFulfill {
					t.Errorf("connection %d: %v", i, ok)
				}
			})
		}
	}
	wg.Wait()
}

func TestNewReceiverRefuses(t *testing.T) {
	for _, base := range []address.Address{"", "test", "test.a b", address.Address("g." + strings.Repeat("a", 900))} {
		if _, err := stream.NewReceiver(base, [32]byte{}, newRandom()); err == nil {
			t.Errorf("base %q was accepted", base)
		}
	}
}

func TestIdentifyRefuses(t *testing.T) {
	r := newReceiver(t)
	to, _, err := r.Credentials([]byte("ann"))
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimPrefix(string(to), "test.receiver.")
	other, err := stream.NewReceiver("test.receiver", [32]byte{8}, newRandom())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := other.Identify(to); ok {
		t.Error("a receiver with another secret identified it")
	}
	flipped := []byte(token)
	if flipped[3]++; flipped[3] > 'z' || flipped[3] == '[' || flipped[3] == ':' || flipped[3] == '.' || flipped[3] == '`' {
		flipped[3] = 'a'
	}
	for _, a := range []address.Address{
		"", "test.receiver", "test.receiver.", "test.other.x", address.Address("test.receiver2." + token),
		address.Address("test.receiver." + string(flipped)), address.Address("test.receiver." + token[1:]),
		address.Address("test.receiver." + token + "AAAA"), "test.receiver.~", "test.receiver.AAAA",
		address.Address("test.receiver._." + token),
	} {
		if c, ok := r.Identify(a); ok {
			t.Errorf("%s was identified as %q", a, c.Tag)
		}
	}
}

func TestReceiveFulfills(t *testing.T) {
	c, secret := connect(t, newReceiver(t))
	for _, amount := range []uint64{100, 101, 1<<64 - 1} {
		p := fulfillable(t, secret, amount, stream.Packet{Type: packet.TypePrepare, Sequence: 9, Amount: 100})
		f, ok := receive(c, p, usd).(*packet.Fulfill)
		if !ok || !f.Fulfills(p.Condition) {
			t.Fatalf("amount %d: %v", amount, f)
		}
		want := stream.Packet{Type: packet.TypeFulfill, Sequence: 9, Amount: amount}
		if diff := cmp.Diff(want, open(t, secret, f)); diff != "" {
			t.Errorf("amount %d (-want +got):\n%s", amount, diff)
		}
	}
}

// Zero-amount packets that can be fulfilled are: they carry control frames.
func TestReceiveFulfillsZero(t *testing.T) {
	c, secret := connect(t, newReceiver(t))
	p := fulfillable(t, secret, 0, stream.Packet{Type: packet.TypePrepare, Sequence: 1, Frames: []stream.Frame{
		stream.StreamClose{StreamID: 1, Code: stream.CodeNoError},
	}})
	if reply := receive(c, p, usd); reply.Type() != packet.TypeFulfill {
		t.Errorf("%v", reply)
	}
}

func TestReceiveRejectsWithWhatArrived(t *testing.T) {
	c, secret := connect(t, newReceiver(t))
	below := fulfillable(t, secret, 99, stream.Packet{Type: packet.TypePrepare, Sequence: 3, Amount: 100})
	probe := fulfillable(t, secret, 99, stream.Packet{Type: packet.TypePrepare, Sequence: 3})
	probe.Condition = [32]byte{1}
	for name, p := range map[string]packet.Prepare{"below the minimum": below, "unfulfillable": probe} {
		j, ok := receive(c, p, usd).(*packet.Reject)
		if !ok || j.Code != packet.ApplicationError || j.TriggeredBy.Validate() != nil {
			t.Fatalf("%s: %v", name, j)
		}
		want := stream.Packet{Type: packet.TypeReject, Sequence: 3, Amount: 99}
		if diff := cmp.Diff(want, open(t, secret, j)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What isn't from the sender gets no hint of who is here: F06, no message, no data.
func TestReceiveUnexpected(t *testing.T) {
	c, secret := connect(t, newReceiver(t))
	keys := stream.NewKeys(secret)
	garbage, err := keys.Seal(newRandom(), []byte("no packet"))
	if err != nil {
		t.Fatal(err)
	}
	tampered := fulfillable(t, secret, 5, stream.Packet{Type: packet.TypePrepare})
	tampered.Data[20] ^= 1
	for name, p := range map[string]packet.Prepare{
		"no data":        {Amount: 5},
		"another secret": fulfillable(t, [32]byte{9}, 5, stream.Packet{Type: packet.TypePrepare}),
		"tampered":       tampered,
		"no packet":      {Amount: 5, Data: garbage, Condition: stream.Condition(keys.Fulfillment(garbage))},
		"a reply":        fulfillable(t, secret, 5, stream.Packet{Type: packet.TypeFulfill}),
	} {
		j, ok := receive(c, p, usd).(*packet.Reject)
		if !ok || j.Code != packet.UnexpectedPayment || j.Message != "" || j.Data != nil {
			t.Errorf("%s: %v", name, j)
		}
	}
}

func TestReceiveNamesItsAsset(t *testing.T) {
	c, secret := connect(t, newReceiver(t))
	details := stream.ConnectionAssetDetails{Code: "EUR", Scale: 2}
	for _, from := range []string{"", "test.sender"} {
		p := fulfillable(t, secret, 5, stream.Packet{Type: packet.TypePrepare, Frames: []stream.Frame{
			stream.ConnectionNewAddress{Address: from},
		}})
		got := open(t, secret, receive(c, p, eur)).Frames
		if want := []stream.Frame{details, stream.ConnectionMaxStreamID{MaxStreamID: 20}}; !cmp.Equal(want, got) {
			t.Errorf("asked with %q: %v", from, got)
		}
	}
}

// Hazard 30: a goodbye gets one goodbye, and a closed stream nothing that would ask for an answer.
func TestClosingDoesNotLoop(t *testing.T) {
	c, secret := connect(t, newReceiver(t))
	p := fulfillable(t, secret, 0, stream.Packet{Type: packet.TypePrepare, Frames: []stream.Frame{
		stream.ConnectionClose{Code: stream.CodeNoError}, stream.ConnectionClose{Code: stream.CodeNoError},
	}})
	p.Condition = [32]byte{}
	reply := receive(c, p, usd)
	want := []stream.Frame{stream.ConnectionClose{Code: stream.CodeNoError}}
	if got := open(t, secret, reply).Frames; reply.Type() != packet.TypeReject || !cmp.Equal(want, got) {
		t.Errorf("%v with %v", reply, got)
	}
	p = fulfillable(t, secret, 0, stream.Packet{Type: packet.TypePrepare, Frames: []stream.Frame{
		stream.StreamClose{StreamID: 1}, stream.StreamClose{StreamID: 2},
	}})
	if got := open(t, secret, receive(c, p, usd)).Frames; got != nil {
		t.Errorf("%v", got)
	}
}

// Hazard 28: streams aren't told apart, so no frame about them can divide by zero, overflow or open anything.
func TestStrangeStreamFramesAreHarmless(t *testing.T) {
	const top = 1<<64 - 1
	c, secret := connect(t, newReceiver(t))
	p := fulfillable(t, secret, 5, stream.Packet{Type: packet.TypePrepare, Frames: []stream.Frame{
		stream.StreamMoney{StreamID: 1, Shares: 0}, stream.StreamMoney{StreamID: 2, Shares: top},
		stream.StreamMoney{StreamID: top, Shares: top}, stream.StreamData{StreamID: 1, Offset: top, Data: []byte("x")},
		stream.StreamData{StreamID: 1, Offset: top, Data: []byte("yy")}, stream.StreamMaxMoney{StreamID: 0},
		stream.ConnectionMaxStreamID{MaxStreamID: 0}, stream.ConnectionMaxData{MaxOffset: 0},
	}})
	if reply := receive(c, p, usd); reply.Type() != packet.TypeFulfill || open(t, secret, reply).Amount != 5 {
		t.Errorf("%v", reply)
	}
}

// Hazard 26: a replayed packet is another packet, fulfilled again; who pays for it is the books' business.
func TestReplayIsFulfilledAgain(t *testing.T) {
	c, secret := connect(t, newReceiver(t))
	p := fulfillable(t, secret, 5, stream.Packet{Type: packet.TypePrepare, Sequence: 1})
	for range 2 {
		if reply := receive(c, p, usd); reply.Type() != packet.TypeFulfill {
			t.Errorf("%v", reply)
		}
	}
}

func FuzzReceive(f *testing.F) {
	r := newReceiver(f)
	c, secret := connect(f, r)
	f.Add([]byte{}, uint64(0))
	for _, frame := range everyFrame() {
		f.Add((&stream.Packet{Type: packet.TypePrepare, Amount: 5, Frames: []stream.Frame{frame.frame}}).Append(nil), uint64(5))
	}
	keys, random := stream.NewKeys(secret), newRandom()
	f.Fuzz(func(t *testing.T, plaintext []byte, amount uint64) {
		data, err := keys.Seal(random, plaintext)
		if err != nil {
			t.Fatal(err)
		}
		p := packet.Prepare{Amount: amount, Data: data, Condition: stream.Condition(keys.Fulfillment(data))}
		switch reply := receive(c, p, usd).(type) {
		case *packet.Fulfill:
			request, err := stream.DecodePacket(plaintext)
			if err != nil || amount < request.Amount || !reply.Fulfills(p.Condition) {
				t.Errorf("%x of %d was fulfilled: %v", plaintext, amount, err)
			}
		case *packet.Reject:
		default:
			t.Errorf("no reply: %v", reply)
		}
	})
}

func FuzzIdentify(f *testing.F) {
	r := newReceiver(f)
	to, _, err := r.Credentials([]byte("ann"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(to))
	f.Add("test.receiver.AAAA")
	f.Fuzz(func(t *testing.T, a string) {
		if c, ok := r.Identify(address.Address(a)); ok && string(c.Tag) != "ann" {
			t.Errorf("%q was identified as %q", a, c.Tag)
		}
	})
}
