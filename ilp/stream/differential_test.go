package stream_test

import (
	"encoding/hex"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pochi/ilp/address"
	"pochi/ilp/internal/peers"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// differentialPackets is how many packets are compared, each way.
const differentialPackets = 1000

// peerPacket, peerRequest and peerAnswer are what e2e/peers/stream.js reads and writes.
type peerPacket struct {
	Type     int     `json:"type"`
	Sequence string  `json:"sequence"`
	Amount   string  `json:"amount"`
	Frames   [][]any `json:"frames"`
}

type peerRequest struct {
	Do        string      `json:"do"`
	Secret    string      `json:"secret,omitempty"`
	Packet    *peerPacket `json:"packet,omitempty"`
	Data      string      `json:"data,omitempty"`
	Module    string      `json:"module,omitempty"`
	Key       string      `json:"key,omitempty"`
	Base      string      `json:"base,omitempty"`
	Tag       string      `json:"tag,omitempty"`
	To        string      `json:"to,omitempty"`
	Amount    string      `json:"amount,omitempty"`
	Condition string      `json:"condition,omitempty"`
}

type peerAnswer struct {
	Packet                                                    peerPacket
	Data, Fulfillment, Condition, Address, Secret, Tag, Error string
}

// random makes packets, the same ones each time.
type random struct{ *rand.Rand }

func (r random) octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// Read makes it a source of initialization vectors.
func (r random) Read(b []byte) (int, error) { return copy(b, r.octets(len(b))), nil }

func (r random) uint() uint64 { return r.Uint64() >> r.IntN(64) }

func (r random) text() string {
	alphabet := []rune("abc .,0é€𝄞\n\"\\")
	text := make([]rune, r.IntN(60))
	for i := range text {
		text[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(text)
}

// frame returns a frame of a random type, with random fields.
func (r random) frame() stream.Frame {
	every := everyFrame()
	value := reflect.New(reflect.TypeOf(every[r.IntN(len(every))].frame)).Elem()
	for i := range value.NumField() {
		switch field := value.Field(i); field.Kind() {
		case reflect.Uint64:
			field.SetUint(r.uint())
		case reflect.Uint8:
			field.SetUint(uint64(1 + r.IntN(9))) // all error codes, and scales
		case reflect.String:
			field.SetString(r.text())
		case reflect.Slice:
			field.SetBytes(r.octets(r.IntN(300)))
		default:
			panic(field.Kind())
		}
	}
	return value.Interface().(stream.Frame)
}

func (r random) packet() stream.Packet {
	types := []packet.Type{packet.TypePrepare, packet.TypeFulfill, packet.TypeReject}
	p := stream.Packet{Type: types[r.IntN(len(types))], Sequence: r.uint(), Amount: r.uint()}
	for range r.IntN(6) {
		p.Frames = append(p.Frames, r.frame())
	}
	return p
}

// fields returns a packet as the script writes it.
func fields(p stream.Packet) peerPacket {
	out := peerPacket{
		Type: int(p.Type), Sequence: strconv.FormatUint(p.Sequence, 10), Amount: strconv.FormatUint(p.Amount, 10), Frames: [][]any{},
	}
	for _, f := range p.Frames {
		frame := []any{float64(f.Type())}
		value := reflect.ValueOf(f)
		for i := range value.NumField() {
			switch field := value.Field(i); field.Kind() {
			case reflect.Uint64:
				frame = append(frame, strconv.FormatUint(field.Uint(), 10))
			case reflect.Uint8:
				frame = append(frame, float64(field.Uint()))
			case reflect.String:
				frame = append(frame, field.String())
			case reflect.Slice:
				frame = append(frame, hex.EncodeToString(field.Bytes()))
			}
		}
		out.Frames = append(out.Frames, frame)
	}
	return out
}

// What ilp-protocol-stream encrypts we open, and the reverse; both make the same fulfillment and condition of the data.
func TestDifferentialPackets(t *testing.T) {
	peers.Need(t)
	r := random{rand.New(rand.NewPCG(29, 1))}
	secrets := make([][32]byte, differentialPackets)
	packets := make([]stream.Packet, differentialPackets)
	var requests []peerRequest
	for i := range packets {
		secrets[i], packets[i] = [32]byte(r.octets(32)), r.packet()
		sealed, err := stream.NewKeys(secrets[i]).Seal(r, packets[i].Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		secret, plain := hex.EncodeToString(secrets[i][:]), fields(packets[i])
		requests = append(requests,
			peerRequest{Do: "open", Secret: secret, Data: hex.EncodeToString(sealed)},
			peerRequest{Do: "seal", Secret: secret, Packet: &plain})
	}
	answers := peers.Ask[peerAnswer](t, "stream.js", requests)
	for i, p := range packets {
		keys, opened, sealed := stream.NewKeys(secrets[i]), answers[2*i], answers[2*i+1]
		if diff := cmp.Diff(fields(p), opened.Packet); diff != "" || opened.Error != "" {
			t.Errorf("%s (-ours +theirs):\n%s", opened.Error, diff)
		}
		wantProof(t, keys, unhex(t, requests[2*i].Data), opened)
		theirs := unhex(t, sealed.Data)
		plaintext, err := keys.Open(theirs)
		if err != nil {
			t.Fatalf("%s: %v", sealed.Error, err)
		}
		got, err := stream.DecodePacket(plaintext)
		if err != nil {
			t.Fatalf("%x: %v", plaintext, err)
		}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Errorf("%x (-theirs +ours):\n%s", plaintext, diff)
		}
		if again := hex.EncodeToString(p.Append(nil)); again != hex.EncodeToString(plaintext) {
			t.Errorf("theirs is %x, ours %s", plaintext, again)
		}
		wantProof(t, keys, theirs, sealed)
	}
}

// wantProof checks what the script says fulfills a packet with this data.
func wantProof(t *testing.T, keys *stream.Keys, data []byte, theirs peerAnswer) {
	t.Helper()
	fulfillment := keys.Fulfillment(data)
	condition := stream.Condition(fulfillment)
	if f, c := hex.EncodeToString(fulfillment[:]), hex.EncodeToString(condition[:]); f != theirs.Fulfillment || c != theirs.Condition {
		t.Errorf("ours are %s and %s, theirs %s and %s", f, c, theirs.Fulfillment, theirs.Condition)
	}
}

// Our tokens are those of @interledger/stream-receiver: with the same key each finds in the other's addresses who is paid, and
// fulfills their packets.
func TestDifferentialCredentials(t *testing.T) {
	peers.Need(t)
	const base = "test.pochi.pay"
	r := random{rand.New(rand.NewPCG(29, 2))}
	for _, module := range []string{"@interledger/stream-receiver", "stream-receiver-alpha3"} {
		key := [32]byte(r.octets(32))
		receiver, err := stream.NewReceiver(base, key, r)
		if err != nil {
			t.Fatal(err)
		}
		var requests []peerRequest
		for size := 1; size <= stream.MaxTag; size++ {
			tag := hex.EncodeToString(r.octets(size))[:size] // theirs are ASCII
			to, secret, err := receiver.Credentials([]byte(tag))
			if err != nil {
				t.Fatal(err)
			}
			paid := fulfillable(t, secret, 1000, stream.Packet{Type: packet.TypePrepare, Sequence: 1, Amount: 900})
			ours := peerRequest{Module: module, Key: hex.EncodeToString(key[:]), Base: base, Tag: tag}
			theirs := ours
			ours.Do, ours.To, ours.Amount = "reply", string(to), "1000"
			ours.Condition, ours.Data = hex.EncodeToString(paid.Condition[:]), hex.EncodeToString(paid.Data)
			theirs.Do = "credentials"
			requests = append(requests, ours, theirs)
		}
		answers := peers.Ask[peerAnswer](t, "stream.js", requests)
		for i := range answers {
			switch request, answer := requests[i], answers[i]; request.Do {
			case "reply":
				fulfillment := packet.Fulfill{Fulfillment: [32]byte(unhex(t, answer.Fulfillment))}
				if answer.Tag != request.Tag || !fulfillment.Fulfills([32]byte(unhex(t, request.Condition))) {
					t.Errorf("%s: they read %+v in our address for %s", module, answer, request.Tag)
				}
			case "credentials":
				connection, ok := receiver.Identify(address.Address(answer.Address))
				if !ok || string(connection.Tag) != request.Tag {
					t.Fatalf("%s: %+v, made for %s: %v, %v", module, answer, request.Tag, connection, ok)
				}
				paid := fulfillable(t, [32]byte(unhex(t, answer.Secret)), 10, stream.Packet{Type: packet.TypePrepare})
				if reply := receive(connection, paid, usd); reply.Type() != packet.TypeFulfill {
					t.Errorf("%s: a packet under their secret got %v", module, reply)
				}
			}
		}
	}
}
