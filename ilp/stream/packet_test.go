package stream_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pochi/ilp/internal/bounded"
	"pochi/ilp/oer"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// everyFrame has one frame of each type, and how it is written, from RFC 29.
func everyFrame() []struct {
	frame stream.Frame
	hex   string
} {
	const top = math.MaxUint64
	return []struct {
		frame stream.Frame
		hex   string
	}{
		{stream.ConnectionClose{Code: stream.CodeNoError, Message: "bye"}, "010501" + "03627965"},
		{stream.ConnectionNewAddress{Address: "g.a"}, "020403672e61"},
		{stream.ConnectionNewAddress{}, "020100"},
		{stream.ConnectionMaxData{MaxOffset: 1000}, "03030203e8"},
		{stream.ConnectionDataBlocked{MaxOffset: 0}, "04020100"},
		{stream.ConnectionMaxStreamID{MaxStreamID: 20}, "05020114"},
		{stream.ConnectionStreamIDBlocked{MaxStreamID: 21}, "06020115"},
		{stream.ConnectionAssetDetails{Code: "USD", Scale: 255}, "070503555344ff"},
		{stream.StreamClose{StreamID: 1, Code: stream.CodeStreamStateError, Message: "x"}, "1005" + "0101" + "06" + "0178"},
		{stream.StreamMoney{StreamID: 1, Shares: top}, "110b" + "0101" + "08ffffffffffffffff"},
		{stream.StreamMaxMoney{StreamID: 1, ReceiveMax: 2, TotalReceived: 3}, "1206" + "0101" + "0102" + "0103"},
		{stream.StreamMoneyBlocked{StreamID: 1, SendMax: 2, TotalSent: 3}, "1306" + "0101" + "0102" + "0103"},
		{stream.StreamData{StreamID: 1, Offset: top, Data: []byte("hi")}, "140e" + "0101" + "08ffffffffffffffff" + "026869"},
		{stream.StreamMaxData{StreamID: 1, MaxOffset: 2}, "1504" + "0101" + "0102"},
		{stream.StreamDataBlocked{StreamID: 1, MaxOffset: 2}, "1604" + "0101" + "0102"},
		{stream.StreamReceipt{StreamID: 1, Receipt: []byte{9}}, "1704" + "0101" + "0109"},
	}
}

func TestFrames(t *testing.T) {
	for _, c := range everyFrame() {
		want := stream.Packet{Type: packet.TypeFulfill, Sequence: 7, Amount: 300, Frames: []stream.Frame{c.frame}}
		wire := "010d" + "0107" + "02012c" + "0101" + c.hex
		if got := hex.EncodeToString(want.Append(nil)); got != wire {
			t.Errorf("%#v is %s, want %s", c.frame, got, wire)
		}
		got, err := stream.DecodePacket(unhex(t, wire))
		if err != nil {
			t.Errorf("%s: %v", wire, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", wire, diff)
		}
	}
}

// Hazard 27: padding and unknown frames are ignored, and so is what follows a frame's last field.
func TestJunkIsIgnored(t *testing.T) {
	want := stream.Packet{Type: packet.TypePrepare, Frames: []stream.Frame{stream.StreamMoney{StreamID: 1, Shares: 1}}}
	for name, wire := range map[string]string{
		"zero bytes at the end":  "010c0100010001011104010101010000000000",
		"junk at the end":        "010c010001000101110401010101deadbeef",
		"unknown frame":          "010c010001000102" + "ff03abcdef" + "110401010101",
		"type 0":                 "010c010001000102" + "0000" + "110401010101",
		"extra bytes in a frame": "010c010001000101" + "110601010101aabb",
	} {
		got, err := stream.DecodePacket(unhex(t, wire))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestMalformedPackets(t *testing.T) {
	for name, c := range map[string]struct {
		hex  string
		want error
	}{
		"empty":              {"", oer.ErrShort},
		"version 2":          {"020c010001000100", stream.ErrVersion},
		"sequence of 9":      {"010c0901000000000000000001000100", oer.ErrUintTooLarge},
		"sequence empty":     {"010c0001000100", oer.ErrUintEmpty},
		"2^64-1 frames":      {"010c0100010008ffffffffffffffff", stream.ErrFrameCount},
		"more than possible": {"010c010001000104" + "00000000000000", stream.ErrFrameCount},
		"frame cut short":    {"010c010001000101" + "110a01010101", oer.ErrShort},
		"frame without end":  {"010c010001000101" + "11020101", oer.ErrShort},
		"frame bad length":   {"010c010001000101" + "1180", oer.ErrLengthForm},
		"shares too large":   {"010c010001000101" + "110c0101" + "09010000000000000000", oer.ErrUintTooLarge},
	} {
		if p, err := stream.DecodePacket(unhex(t, c.hex)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v; want %v", name, p, err, c.want)
		}
	}
}

// RFC 29, section 5.3: limits above 2^64-1 read as 2^64-1, everything else above is malformed.
func TestOversizeLimitsSaturate(t *testing.T) {
	big := "0b0100000000000000000000" // 2^80
	for _, typ := range []string{"12", "13"} {
		contents := "0101" + big + "0105"
		got, err := stream.DecodePacket(unhex(t, "010c010001000101"+typ+hex.EncodeToString([]byte{byte(len(contents) / 2)})+contents))
		if err != nil {
			t.Fatalf("frame %s: %v", typ, err)
		}
		var want stream.Frame = stream.StreamMaxMoney{StreamID: 1, ReceiveMax: math.MaxUint64, TotalReceived: 5}
		if typ == "13" {
			want = stream.StreamMoneyBlocked{StreamID: 1, SendMax: math.MaxUint64, TotalSent: 5}
		}
		if diff := cmp.Diff([]stream.Frame{want}, got.Frames); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestPacketRoundTrip(t *testing.T) {
	all := everyFrame()
	rapid.Check(t, func(t *rapid.T) {
		want := stream.Packet{
			Type:     rapid.SampledFrom([]packet.Type{packet.TypePrepare, packet.TypeFulfill, packet.TypeReject}).Draw(t, "type"),
			Sequence: rapid.Uint64().Draw(t, "sequence"),
			Amount:   rapid.Uint64().Draw(t, "amount"),
		}
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(all)-1), 0, 200).Draw(t, "frames") {
			want.Frames = append(want.Frames, all[i].frame)
		}
		padding := make([]byte, rapid.IntRange(0, 40).Draw(t, "padding"))
		got, err := stream.DecodePacket(append(want.Append(nil), padding...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// What decodes encodes to the same bytes, but for unknown frames, padding and limits that were too large: without those it is
// shorter. A view reads the same, without making anything of it.
func FuzzDecodePacket(f *testing.F) {
	f.Add([]byte{})
	f.Add(unhex(f, "010c0100010008ffffffffffffffff"))
	f.Add(unhex(f, "010c010001000102"+"ff03abcdef"+"110401010101"+"0000"))
	var all stream.Packet
	for _, c := range everyFrame() {
		f.Add(unhex(f, "010c010001000101"+c.hex))
		all.Frames = append(all.Frames, c.frame)
	}
	f.Add(all.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p stream.Packet
		var err error
		bounded.Decode(t, len(b), func() { p, err = stream.DecodePacket(b) })
		v, errView := stream.ViewPacket(b)
		if errView != err {
			t.Errorf("%x: as a view %v, else %v", b, errView, err)
		}
		if err != nil {
			return
		}
		if v.Type != p.Type || v.Sequence != p.Sequence || v.Amount != p.Amount || !cmp.Equal(v.Packet(), p) {
			t.Errorf("%x: as a view %v, else %v", b, v, p)
		}
		again := p.Append(nil)
		if len(again) > len(b) || len(again) == len(b) && !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
		if q, err := stream.DecodePacket(again); err != nil || !cmp.Equal(p, q) {
			t.Errorf("%x: %v became %v, %v", b, p, q, err)
		}
	})
}

func TestViewStopsWhereItIsTold(t *testing.T) {
	v, err := stream.ViewPacket(unhex(t, "010c010001000103"+"020100"+"ff00"+"110401010101"))
	if err != nil {
		t.Fatal(err)
	}
	var seen []stream.FrameType
	for frame := range v.Frames() {
		seen = append(seen, frame)
		if frame == 0xff {
			break
		}
	}
	if diff := cmp.Diff([]stream.FrameType{stream.TypeConnectionNewAddress, 0xff}, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// paying is what a sender seals for each packet of a payment.
func paying() stream.Packet {
	return stream.Packet{
		Type: packet.TypePrepare, Sequence: 1000, Amount: 90_000,
		Frames: []stream.Frame{stream.StreamMoney{StreamID: 1, Shares: 1}},
	}
}

func TestPacketsAllocateNothing(t *testing.T) {
	keys, random, p := stream.NewKeys([32]byte{1}), bytes.NewReader(make([]byte, 1<<16)), paying()
	all := stream.Packet{Type: packet.TypeFulfill}
	for _, c := range everyFrame() {
		all.Frames = append(all.Frames, c.frame)
	}
	plain, encoded := all.Append(nil), make([]byte, 0, 1000)
	sealed, opened := make([]byte, 0, 1000), make([]byte, 0, 1000)
	for name, do := range map[string]func() error{
		"write":     func() error { encoded = p.Append(encoded[:0]); return nil },
		"write all": func() error { encoded = all.Append(encoded[:0]); return nil },
		"seal and open": func() (err error) {
			if sealed, err = keys.AppendSeal(sealed[:0], random, plain); err == nil {
				opened, err = keys.AppendOpen(opened[:0], sealed)
			}
			return err
		},
		"read": func() error {
			v, err := stream.ViewPacket(plain)
			for range v.Frames() {
				v.Amount++
			}
			return err
		},
		"refuse": func() error {
			if _, err := stream.ViewPacket(plain[:len(plain)-1]); err != oer.ErrShort {
				return fmt.Errorf("cut short: %v", err)
			}
			return nil
		},
	} {
		allocs := testing.AllocsPerRun(100, func() {
			if err := do(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func TestSealAndOpen(t *testing.T) {
	keys := stream.NewKeys([32]byte{1})
	sealed, err := keys.Seal(bytes.NewReader(make([]byte, 12)), []byte("plain"))
	if err != nil {
		t.Fatal(err)
	}
	if len(sealed) != 12+16+5 {
		t.Errorf("%d bytes", len(sealed))
	}
	before := []byte("before")
	if got, err := keys.AppendOpen(before, sealed); err != nil || string(got) != "beforeplain" {
		t.Errorf("appended: %q, %v", got, err)
	}
	again, err := keys.AppendSeal(before, bytes.NewReader(make([]byte, 12)), []byte("plain"))
	if want := append(before[:6:6], sealed...); err != nil || !bytes.Equal(again, want) {
		t.Errorf("appended: %x, %v; want %x", again, err, want)
	}
	if got, err := stream.NewKeys([32]byte{1}).Open(sealed); err != nil || string(got) != "plain" {
		t.Errorf("%q, %v", got, err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := keys.Open(bad); err != stream.ErrDecrypt {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := keys.Open(sealed[:i]); err != stream.ErrDecrypt {
			t.Errorf("cut to %d: %v", i, err)
		}
	}
	if _, err := stream.NewKeys([32]byte{2}).Open(sealed); err != stream.ErrDecrypt {
		t.Errorf("another key: %v", err)
	}
	if _, err := keys.Seal(bytes.NewReader(nil), nil); err == nil {
		t.Error("sealed without randomness")
	}
}

// Hazard 27: the initialization vector is fresh each time.
func TestInitializationVectorsDiffer(t *testing.T) {
	keys, random := stream.NewKeys([32]byte{1}), newRandom()
	seen := make(map[string]bool)
	for range 1000 {
		sealed, err := keys.Seal(random, []byte("same"))
		if err != nil {
			t.Fatal(err)
		}
		seen[string(sealed[:12])] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d of 1000 are different", len(seen))
	}
}

func FuzzOpen(f *testing.F) {
	keys := stream.NewKeys([32]byte{})
	sealed, err := keys.Seal(newRandom(), []byte("plain"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{})
	f.Add(make([]byte, 28))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := keys.Open(b); err == nil && len(got) != len(b)-28 {
			t.Errorf("%x became %s", b, base64.StdEncoding.EncodeToString(got))
		}
	})
}
