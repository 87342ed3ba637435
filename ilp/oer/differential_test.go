package oer_test

import (
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"testing"

	"pochi/ilp/internal/peers"
	"pochi/ilp/oer"
)

// peerRequest and peerAnswer are what e2e/peers/oer.js reads and writes.
type peerRequest struct {
	WriteUint   *string `json:"writeUint,omitempty"`
	WriteOctets *string `json:"writeOctets,omitempty"`
	ReadUint    *string `json:"readUint,omitempty"`
	ReadOctets  *string `json:"readOctets,omitempty"`
}

type peerAnswer struct {
	Hex, Uint, Octets string
	Error             string
}

// sizes are lengths of octet strings where the form of the determinant changes, and some between.
func sizes(r *rand.Rand) []int {
	all := []int{0, 1, 126, 127, 128, 129, 254, 255, 256, 257, 32767, 32768, 65535, 65536, 65537}
	for range 500 {
		all = append(all, r.IntN(1000))
	}
	return all
}

// What oer-utils writes, we write in the same bytes and read as the same value.
func TestDifferential(t *testing.T) {
	peers.Need(t)
	r := rand.New(rand.NewPCG(30, 1))
	var requests []peerRequest
	var want []string
	for _, size := range sizes(r) {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		value := hex.EncodeToString(b)
		requests = append(requests, peerRequest{WriteOctets: &value})
		want = append(want, hex.EncodeToString(oer.AppendVarOctets(nil, b)))
	}
	numbers := []uint64{0, 1, 127, 128, 255, 256, 1<<32 - 1, 1 << 32, 1<<53 - 1, 1 << 53, 1<<53 + 1, 1<<63 - 1, 1 << 63, 1<<64 - 1}
	for range 2000 {
		numbers = append(numbers, r.Uint64()>>r.IntN(64))
	}
	for _, n := range numbers {
		value := strconv.FormatUint(n, 10)
		requests = append(requests, peerRequest{WriteUint: &value})
		want = append(want, hex.EncodeToString(oer.AppendVarUint(nil, n)))
	}
	for i, answer := range peers.Ask[peerAnswer](t, "oer.js", requests) {
		if answer.Hex != want[i] {
			t.Errorf("theirs is %s (%s), ours %s", answer.Hex, answer.Error, want[i])
		}
		got := oer.NewReader(unhex(t, answer.Hex))
		if requests[i].WriteUint != nil {
			if n := got.VarUint(); got.Err() != nil || strconv.FormatUint(n, 10) != *requests[i].WriteUint {
				t.Errorf("%s is %d, %v; want %s", answer.Hex, n, got.Err(), *requests[i].WriteUint)
			}
		} else if b := got.VarOctets(); got.Err() != nil || hex.EncodeToString(b) != *requests[i].WriteOctets {
			t.Errorf("%s is %x, %v; want %s", answer.Hex, b, got.Err(), *requests[i].WriteOctets)
		}
	}
}

// We are the stricter ones: of random bytes oer-utils reads all that we read, as the same value.
func TestDifferentialDamaged(t *testing.T) {
	peers.Need(t)
	r := rand.New(rand.NewPCG(30, 2))
	var requests []peerRequest
	for range 3000 {
		b := make([]byte, r.IntN(12))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if len(b) > 0 && r.IntN(3) > 0 {
			b[0] = []byte{0, 1, 2, 7, 8, 9, 0x80, 0x81, 0x82, 0x88, 0x89, 0xff}[r.IntN(12)]
		}
		value := hex.EncodeToString(b)
		requests = append(requests, peerRequest{ReadUint: &value}, peerRequest{ReadOctets: &value})
	}
	read := 0
	for i, theirs := range peers.Ask[peerAnswer](t, "oer.js", requests) {
		if value := requests[i].ReadUint; value != nil {
			ours := oer.NewReader(unhex(t, *value))
			if n := ours.VarUint(); ours.Err() == nil {
				read++
				if strconv.FormatUint(n, 10) != theirs.Uint {
					t.Errorf("VarUint %s: ours %d, theirs %q (%s)", *value, n, theirs.Uint, theirs.Error)
				}
			}
			continue
		}
		value := *requests[i].ReadOctets
		ours := oer.NewReader(unhex(t, value))
		if b := ours.VarOctets(); ours.Err() == nil {
			read++
			if hex.EncodeToString(b) != theirs.Octets || theirs.Error != "" {
				t.Errorf("VarOctets %s: ours %x, theirs %s (%s)", value, b, theirs.Octets, theirs.Error)
			}
		}
	}
	if read == 0 {
		t.Error("none was read")
	}
}
