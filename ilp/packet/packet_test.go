package packet_test

import (
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pochi/ilp/address"
	"pochi/ilp/oer"
	"pochi/ilp/packet"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func encode(t testing.TB, p packet.Packet) []byte {
	t.Helper()
	b, err := p.Append(nil)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	return b
}

func prepare() *packet.Prepare {
	return &packet.Prepare{
		Amount:      107,
		ExpiresAt:   time.Date(2026, 3, 1, 12, 30, 15, 250e6, time.UTC),
		Condition:   [32]byte{1, 2, 3},
		Destination: "test.pochi.ann",
		Data:        []byte("data"),
	}
}

// Our own vectors, written down field by field from RFC 27.
var (
	prepareHex = "0c4d" + "000000000000006b" + hex.EncodeToString([]byte("20260301123015250")) +
		"0102030000000000000000000000000000000000000000000000000000000000" +
		"0e" + hex.EncodeToString([]byte("test.pochi.ann")) + "04" + "64617461"
	fulfillHex = "0d25" + "0400000000000000000000000000000000000000000000000000000000000005" + "04" + "64617461"
	rejectHex  = "0e1a" + "463032" + "0a" + hex.EncodeToString([]byte("test.pochi")) + "08" +
		hex.EncodeToString([]byte("no route")) + "02" + "beef"
)

func packets() map[string]packet.Packet {
	return map[string]packet.Packet{
		prepareHex: prepare(),
		fulfillHex: &packet.Fulfill{Fulfillment: [32]byte{0: 4, 31: 5}, Data: []byte("data")},
		rejectHex:  &packet.Reject{Code: packet.Unreachable, TriggeredBy: "test.pochi", Message: "no route", Data: []byte{0xbe, 0xef}},
	}
}

func TestCodec(t *testing.T) {
	for wire, p := range packets() {
		if got := hex.EncodeToString(encode(t, p)); got != wire {
			t.Errorf("%T is %s, want %s", p, got, wire)
		}
		got, err := packet.Decode(unhex(t, wire))
		if err != nil {
			t.Fatalf("Decode(%s): %v", wire, err)
		}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", wire, diff)
		}
	}
}

func TestDecodeKind(t *testing.T) {
	if _, err := packet.DecodePrepare(unhex(t, fulfillHex)); err != packet.ErrNotPrepare {
		t.Errorf("DecodePrepare of a Fulfill: %v", err)
	}
	if p, err := packet.DecodePrepare(unhex(t, prepareHex)); err != nil || p.Amount != 107 {
		t.Errorf("DecodePrepare: %v, %v", p, err)
	}
	if _, err := packet.DecodeReply(unhex(t, prepareHex)); err != packet.ErrNotReply {
		t.Errorf("DecodeReply of a Prepare: %v", err)
	}
	if r, err := packet.DecodeReply(unhex(t, rejectHex)); err != nil || r.Type() != packet.TypeReject {
		t.Errorf("DecodeReply: %v, %v", r, err)
	}
}

// Hazard 4: bytes after the packet and after its last field are accepted.
func TestTrailingBytes(t *testing.T) {
	for wire, want := range packets() {
		b := unhex(t, wire)
		inside := append([]byte{b[0], b[1] + 2}, append(b[2:len(b):len(b)], 0xaa, 0xbb)...)
		for name, b := range map[string][]byte{"after": append(b[:len(b):len(b)], 1, 2, 3), "inside": inside} {
			got, err := packet.Decode(b)
			if err != nil {
				t.Errorf("%T with bytes %s: %v", want, name, err)
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%T with bytes %s (-want +got):\n%s", want, name, diff)
			}
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	for wire := range packets() {
		b := unhex(t, wire)
		for n := range b {
			if p, err := packet.Decode(b[:n]); err == nil {
				t.Errorf("%d of %d bytes became %v", n, len(b), p)
			}
		}
	}
}

// Hazard 3, on whole packets.
func TestMalformed(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		want      error
	}{
		{"unknown type", "0f00", packet.ErrType},
		{"type 0", "0000", packet.ErrType},
		{"length 0x80", "0c80", oer.ErrLengthForm},
		{"long form below 128", "0c814d" + prepareHex[4:], oer.ErrLengthNotCanonical},
		{"leading zero in length", "0c82004d" + prepareHex[4:], oer.ErrLengthNotCanonical},
		{"length 2^63", "0c888000000000000000", oer.ErrShort},
		{"length over rest", "0c50" + prepareHex[4:], oer.ErrShort},
		{"destination high byte", strings.Replace(prepareHex, "746573742e", "74657374c1", 1), address.ErrChar},
		{"destination empty", "0c3b" + prepareHex[4:4+57*2] + "00" + "00", address.ErrSegments},
	} {
		if p, err := packet.Decode(unhex(t, c.hex)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, p, err, c.want)
		}
	}
}

// Hazard 6: 32767 bytes of data are accepted, 32768 are not, either way.
func TestDataLimit(t *testing.T) {
	most, over := make([]byte, packet.MaxData), make([]byte, packet.MaxData+1)
	for _, p := range []packet.Packet{
		&packet.Prepare{Destination: "g.a", Data: most},
		&packet.Fulfill{Data: most},
		&packet.Reject{Code: packet.ApplicationError, Data: most},
	} {
		if _, err := packet.Decode(encode(t, p)); err != nil {
			t.Errorf("%T with 32767 bytes: %v", p, err)
		}
	}
	for _, p := range []packet.Packet{
		&packet.Prepare{Destination: "g.a", Data: over},
		&packet.Fulfill{Data: over},
		&packet.Reject{Code: packet.ApplicationError, Data: over},
	} {
		if _, err := p.Append(nil); err != packet.ErrDataTooLong {
			t.Errorf("%T with 32768 bytes: %v", p, err)
		}
	}
	for name, contents := range map[string][]byte{
		"0c": append([]byte("00000000"+"20260301123015250"), make([]byte, 32)...),
		"0d": make([]byte, 32),
		"0e": append([]byte("F00"), 0, 0),
	} {
		if name == "0c" {
			contents = oer.AppendVarString(contents, "g.a")
		}
		b := oer.AppendVarOctets(unhex(t, name), oer.AppendVarOctets(contents, over))
		if _, err := packet.Decode(b); err != packet.ErrDataTooLong {
			t.Errorf("type %s with 32768 bytes: %v", name, err)
		}
	}
}

func TestLargestPackets(t *testing.T) {
	to, data := address.Address("g."+strings.Repeat("a", 1021)), make([]byte, packet.MaxData)
	message := strings.Repeat("m", packet.MaxMessage)
	for _, c := range []struct {
		p    packet.Packet
		size int
	}{
		{&packet.Prepare{Destination: to, Data: data}, packet.MaxPrepare},
		{&packet.Fulfill{Data: data}, packet.MaxFulfill},
		{&packet.Reject{Code: "F99", TriggeredBy: to, Message: message, Data: data}, packet.MaxReject},
	} {
		if got := len(encode(t, c.p)); got != c.size {
			t.Errorf("the largest %T has %d bytes, want %d", c.p, got, c.size)
		}
	}
}

// Hazard 7: amounts are exact.
func TestAmountsAreExact(t *testing.T) {
	for _, amount := range []uint64{0, 1, 1<<53 + 1, math.MaxUint64} {
		p := prepare()
		p.Amount = amount
		got, err := packet.DecodePrepare(encode(t, p))
		if err != nil || got.Amount != amount {
			t.Errorf("%d became %v, %v", amount, got, err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(t, "data")
		ms := rapid.Int64Range(-62_167_219_200_000, 253_402_300_799_999).Draw(t, "expiry") // years 0 to 9999
		p := &packet.Prepare{
			Amount:      rapid.Uint64().Draw(t, "amount"),
			ExpiresAt:   time.UnixMilli(ms).UTC(),
			Condition:   [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "condition")),
			Destination: address.Address(rapid.StringMatching(`(g|test)(\.[a-zA-Z0-9_~-]{1,20}){1,5}`).Draw(t, "destination")),
			Data:        data,
		}
		j := &packet.Reject{
			Code:        packet.Code(rapid.StringOfN(rapid.RuneFrom([]rune("FTR0123456789")), 3, 3, 3).Draw(t, "code")),
			TriggeredBy: p.Destination,
			Message:     rapid.String().Draw(t, "message"),
			Data:        data,
		}
		for _, want := range []packet.Packet{p, j, &packet.Fulfill{Fulfillment: p.Condition, Data: data}} {
			b, err := want.Append([]byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := packet.Decode(b[len("before"):])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	})
}
