package packet_test

import (
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pochi/ilp/address"
	"pochi/ilp/internal/peers"
	"pochi/ilp/packet"
)

// differentialPackets is how many packets of each type are compared, each way.
const differentialPackets = 1000

// peerRequest and peerAnswer are what e2e/peers/packets.js reads and writes.
type peerRequest struct {
	Encode map[string]any `json:"encode,omitempty"`
	Decode string         `json:"decode,omitempty"`
}

type peerAnswer struct {
	Packet     map[string]any
	Hex, Error string
}

// fields returns a packet as ilp-packet names its fields.
func fields(p packet.Packet) map[string]any {
	f := map[string]any{"type": float64(p.Type())}
	switch p := p.(type) {
	case *packet.Prepare:
		f["amount"] = strconv.FormatUint(p.Amount, 10)
		f["expiresAt"] = p.ExpiresAt.UTC().Format("2006-01-02T15:04:05.000Z")
		f["executionCondition"] = hex.EncodeToString(p.Condition[:])
		f["destination"] = string(p.Destination)
		f["data"] = hex.EncodeToString(p.Data)
	case *packet.Fulfill:
		f["fulfillment"], f["data"] = hex.EncodeToString(p.Fulfillment[:]), hex.EncodeToString(p.Data)
	case *packet.Reject:
		f["code"], f["triggeredBy"], f["message"] = string(p.Code), string(p.TriggeredBy), p.Message
		f["data"] = hex.EncodeToString(p.Data)
	}
	return f
}

// random makes packets, the same ones each time.
type random struct{ *rand.Rand }

func newRandom() random { return random{rand.New(rand.NewPCG(27, 30))} }

func (r random) octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// size returns a length, often one where another form of length determinant begins.
func (r random) size(most int) int {
	edges := []int{0, 1, 126, 127, 128, 129, 255, 256, 257, most}
	if i := r.IntN(2 * len(edges)); i < len(edges) && edges[i] <= most {
		return edges[i]
	}
	return r.IntN(min(most, 400) + 1)
}

func (r random) data() []byte {
	if r.IntN(50) == 0 {
		return r.octets(packet.MaxData)
	}
	return r.octets(r.size(2000))
}

func (r random) uint() uint64 { return r.Uint64() >> r.IntN(64) }

func (r random) address() address.Address {
	const chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_~-"
	schemes := strings.Fields("g private example peer self test test1 test2 test3 local")
	a := schemes[r.IntN(len(schemes))]
	for size := len(a) + 2 + r.size(address.MaxLength-len(a)-2); len(a) < size; {
		a += "."
		for range 1 + r.IntN(min(40, size-len(a)+1)) {
			a += string(chars[r.IntN(len(chars))])
		}
	}
	return address.Address(strings.TrimSuffix(a[:min(len(a), address.MaxLength)], "."))
}

// packet returns a packet of that type. Its expiry is one that a Date of JavaScript can be made from: from 1971.
func (r random) packet(t packet.Type) packet.Packet {
	const year1971, year9999 = 31_536_000_000, 253_402_300_799_999
	switch t {
	case packet.TypePrepare:
		at := time.UnixMilli(year1971 + r.Int64N(year9999-year1971)).UTC()
		return &packet.Prepare{
			Amount: r.uint(), ExpiresAt: at, Condition: [32]byte(r.octets(32)), Destination: r.address(), Data: r.data(),
		}
	case packet.TypeFulfill:
		return &packet.Fulfill{Fulfillment: [32]byte(r.octets(32)), Data: r.data()}
	}
	codes := strings.Fields("F00 F01 F02 F03 F04 F05 F06 F07 F08 F99 T00 T01 T02 T03 T04 T05 T99 R00 R01 R02 R99 F09")
	j := &packet.Reject{Code: packet.Code(codes[r.IntN(len(codes))]), Data: r.data()}
	if r.IntN(10) > 0 {
		j.TriggeredBy = r.address()
	}
	alphabet := []rune("abc .,0é€𝄞\x00\n\"\\")
	for range r.size(2000) {
		j.Message += string(alphabet[r.IntN(len(alphabet))])
	}
	if j.Code == packet.TooLarge {
		j.Data = packet.AmountTooLarge{Received: r.uint(), Maximum: r.uint()}.Append(nil)
	}
	return j
}

// What ilp-packet writes we read, what we write it reads, and both write the same bytes.
func TestDifferential(t *testing.T) {
	peers.Need(t)
	r := newRandom()
	var packets []packet.Packet
	for range differentialPackets {
		for _, kind := range []packet.Type{packet.TypePrepare, packet.TypeFulfill, packet.TypeReject} {
			packets = append(packets, r.packet(kind))
		}
	}
	requests := make([]peerRequest, 0, 2*len(packets))
	for _, p := range packets {
		requests = append(requests, peerRequest{Encode: fields(p)}, peerRequest{Decode: hex.EncodeToString(encode(t, p))})
	}
	answers := peers.Ask[peerAnswer](t, "packets.js", requests)
	for i, p := range packets {
		encoded, decoded := answers[2*i], answers[2*i+1]
		ours := requests[2*i+1].Decode
		if encoded.Hex != ours {
			t.Fatalf("%+v: theirs is %s (%s), ours %s", p, encoded.Hex, encoded.Error, ours)
		}
		if decoded.Hex != ours {
			t.Errorf("%s: they read %v (%s) and write it as %s", ours, decoded.Packet, decoded.Error, decoded.Hex)
		}
		if diff := cmp.Diff(fields(p), decoded.Packet); diff != "" {
			t.Errorf("%s (-ours +theirs):\n%s", ours, diff)
		}
		if got, err := packet.Decode(unhex(t, encoded.Hex)); err != nil {
			t.Errorf("%s: %v", encoded.Hex, err)
		} else if diff := cmp.Diff(fields(p), fields(got)); diff != "" {
			t.Errorf("%s (-theirs +ours):\n%s", encoded.Hex, diff)
		}
	}
}

// We are the stricter ones: of damaged packets ilp-packet reads all that we read, and reads the same in them. The other way
// round it doesn't hold: it rolls dates over, and drops a bit of bytes in addresses that aren't ASCII.
func TestDifferentialDamaged(t *testing.T) {
	peers.Need(t)
	r := newRandom()
	var requests []peerRequest
	for range differentialPackets {
		for _, kind := range []packet.Type{packet.TypePrepare, packet.TypeFulfill, packet.TypeReject} {
			requests = append(requests, peerRequest{Decode: hex.EncodeToString(r.damage(encode(t, r.packet(kind))))})
		}
	}
	var both, onlyTheirs int
	for i, theirs := range peers.Ask[peerAnswer](t, "packets.js", requests) {
		b := unhex(t, requests[i].Decode)
		ours, err := packet.Decode(b)
		switch {
		case err != nil && theirs.Error == "":
			onlyTheirs++
			continue
		case err != nil || lenient(ours):
			continue
		}
		both++
		if diff := cmp.Diff(fields(ours), theirs.Packet); diff != "" {
			t.Errorf("%x: %s (-ours +theirs):\n%s", b, theirs.Error, diff)
		}
		if again := hex.EncodeToString(encode(t, ours)); again != theirs.Hex {
			t.Errorf("%x becomes %s, theirs %s", b, again, theirs.Hex)
		}
	}
	t.Logf("of %d damaged packets both read %d, only they %d", len(requests), both, onlyTheirs)
	if both == 0 || onlyTheirs == 0 {
		t.Error("the damage is of one kind only")
	}
}

// damage changes up to three bytes, more often near the beginning, and sometimes the length.
func (r random) damage(b []byte) []byte {
	for range r.IntN(4) {
		i := r.IntN(len(b))
		if r.IntN(2) == 0 {
			i = r.IntN(min(len(b), 80))
		}
		b[i] = byte(r.Uint32())
		if r.IntN(3) == 0 {
			b[i] = '0' + byte(r.IntN(10)) // so that some expiries stay times
		}
	}
	switch r.IntN(8) {
	case 0:
		return b[:r.IntN(len(b))]
	case 1:
		return append(b, r.octets(1+r.IntN(4))...)
	}
	return b
}

// lenient reports whether we read p and ilp-packet can't: rejects that break a rule, and years that a Date of JavaScript takes
// for those of the last century, or for no date.
func lenient(p packet.Packet) bool {
	switch p := p.(type) {
	case *packet.Prepare:
		return p.ExpiresAt.Year() < 1000 || p.ExpiresAt.Equal(time.Unix(0, 0))
	case *packet.Reject:
		return p.Validate() != nil
	}
	return false
}
