package stream_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pochi/ilp/address"
	"pochi/ilp/internal/vectors"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// published is a frame as the RFC's vectors write it.
type published struct {
	Type             stream.FrameType
	ErrorCode        stream.ErrorCode
	SourceAssetScale uint8

	ErrorMessage, SourceAccount, SourceAssetCode, MaxOffset, MaxStreamID, StreamID, Shares string
	ReceiveMax, TotalReceived, SendMax, TotalSent, Offset, Data, Receipt                   string
}

func (p published) frame(t *testing.T) stream.Frame {
	n := func(s string) uint64 {
		v, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	octets := func(s string) []byte {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	switch p.Type {
	case stream.TypeConnectionClose:
		return stream.ConnectionClose{Code: p.ErrorCode, Message: p.ErrorMessage}
	case stream.TypeConnectionNewAddress:
		return stream.ConnectionNewAddress{Address: p.SourceAccount}
	case stream.TypeConnectionMaxData:
		return stream.ConnectionMaxData{MaxOffset: n(p.MaxOffset)}
	case stream.TypeConnectionDataBlocked:
		return stream.ConnectionDataBlocked{MaxOffset: n(p.MaxOffset)}
	case stream.TypeConnectionMaxStreamID:
		return stream.ConnectionMaxStreamID{MaxStreamID: n(p.MaxStreamID)}
	case stream.TypeConnectionStreamIDBlocked:
		return stream.ConnectionStreamIDBlocked{MaxStreamID: n(p.MaxStreamID)}
	case stream.TypeConnectionAssetDetails:
		return stream.ConnectionAssetDetails{Code: p.SourceAssetCode, Scale: p.SourceAssetScale}
	case stream.TypeStreamClose:
		return stream.StreamClose{StreamID: n(p.StreamID), Code: p.ErrorCode, Message: p.ErrorMessage}
	case stream.TypeStreamMoney:
		return stream.StreamMoney{StreamID: n(p.StreamID), Shares: n(p.Shares)}
	case stream.TypeStreamMaxMoney:
		return stream.StreamMaxMoney{StreamID: n(p.StreamID), ReceiveMax: n(p.ReceiveMax), TotalReceived: n(p.TotalReceived)}
	case stream.TypeStreamMoneyBlocked:
		return stream.StreamMoneyBlocked{StreamID: n(p.StreamID), SendMax: n(p.SendMax), TotalSent: n(p.TotalSent)}
	case stream.TypeStreamData:
		return stream.StreamData{StreamID: n(p.StreamID), Offset: n(p.Offset), Data: octets(p.Data)}
	case stream.TypeStreamMaxData:
		return stream.StreamMaxData{StreamID: n(p.StreamID), MaxOffset: n(p.MaxOffset)}
	case stream.TypeStreamDataBlocked:
		return stream.StreamDataBlocked{StreamID: n(p.StreamID), MaxOffset: n(p.MaxOffset)}
	case stream.TypeStreamReceipt:
		return stream.StreamReceipt{StreamID: n(p.StreamID), Receipt: octets(p.Receipt)}
	}
	t.Fatalf("unknown frame %+v", p)
	return nil
}

func TestPublishedPackets(t *testing.T) {
	var cases []struct {
		Name   string
		Packet struct {
			Sequence, Amount string
			PacketType       packet.Type
			Frames           []published
		}
		Buffer     []byte
		DecodeOnly bool `json:"decode_only"`
	}
	vectors.Read(t, "stream/rfc29-packets.json", &cases)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			sequence, _ := strconv.ParseUint(c.Packet.Sequence, 10, 64)
			amount, _ := strconv.ParseUint(c.Packet.Amount, 10, 64)
			want := stream.Packet{Type: c.Packet.PacketType, Sequence: sequence, Amount: amount}
			for _, f := range c.Packet.Frames {
				want.Frames = append(want.Frames, f.frame(t))
			}
			got, err := stream.DecodePacket(c.Buffer)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if again := got.Append(nil); !c.DecodeOnly && !bytes.Equal(again, c.Buffer) {
				t.Errorf("%x became %x", c.Buffer, again)
			}
		})
	}
}

func TestPublishedCrypto(t *testing.T) {
	var v struct {
		Rust struct {
			Fulfillment struct{ SharedSecret, Data, Fulfillment string }
			Encryption  struct{ SharedSecret, IV, Plaintext, Data string }
		} `json:"interledger-rs (values produced by the JS implementation)"`
		JS struct {
			EncryptionKey, FulfillmentKey struct{ SharedSecretUtf8, KeyBase64 string }
			Fulfillment                   struct{ FulfillmentKeyHex, DataUtf8, FulfillmentBase64 string }
			Condition                     struct{ FulfillmentHex, ConditionBase64 string }
			Decrypt                       struct{ EncryptionKeyBase64, DataBase64, PlaintextUtf8 string }
		} `json:"ilp-protocol-stream crypto.spec"`
	}
	vectors.Read(t, "stream/crypto.json", &v)
	same := func(name string, got []byte, want string) {
		t.Helper()
		if hex.EncodeToString(got) != want && base64.StdEncoding.EncodeToString(got) != want {
			t.Errorf("%s: %x, want %s", name, got, want)
		}
	}

	f := v.Rust.Fulfillment
	fulfillment := stream.NewKeys([32]byte(unhex(t, f.SharedSecret))).Fulfillment(unhex(t, f.Data))
	same("fulfillment", fulfillment[:], f.Fulfillment)
	e := v.Rust.Encryption
	keys := stream.NewKeys([32]byte(unhex(t, e.SharedSecret)))
	sealed, err := keys.Seal(bytes.NewReader(unhex(t, e.IV)), unhex(t, e.Plaintext))
	if err != nil {
		t.Fatal(err)
	}
	same("sealed", sealed, e.Data)

	key := stream.Derive(padded(v.JS.EncryptionKey.SharedSecretUtf8), []byte("ilp_stream_encryption"))
	same("encryption key", key[:], v.JS.EncryptionKey.KeyBase64)
	key = stream.Derive(padded(v.JS.FulfillmentKey.SharedSecretUtf8), []byte("ilp_stream_fulfillment"))
	same("fulfillment key", key[:], v.JS.FulfillmentKey.KeyBase64)
	key = stream.Derive([32]byte(unhex(t, v.JS.Fulfillment.FulfillmentKeyHex)), []byte(v.JS.Fulfillment.DataUtf8))
	same("fulfillment from key", key[:], v.JS.Fulfillment.FulfillmentBase64)
	condition := stream.Condition([32]byte(unhex(t, v.JS.Condition.FulfillmentHex)))
	same("condition", condition[:], v.JS.Condition.ConditionBase64)

	encryptionKey, err := base64.StdEncoding.DecodeString(v.JS.Decrypt.EncryptionKeyBase64)
	if err != nil {
		t.Fatal(err)
	}
	data, err := base64.StdEncoding.DecodeString(v.JS.Decrypt.DataBase64)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := stream.OpenWith([32]byte(encryptionKey), data); err != nil || string(got) != v.JS.Decrypt.PlaintextUtf8 {
		t.Errorf("decrypt: %q, %v", got, err)
	}
}

// padded returns a short key of HMAC as it is used: with zeros after it.
func padded(key string) (full [32]byte) {
	copy(full[:], key)
	return full
}

// Our tokens have the layout of @interledger/stream-receiver's, so addresses that it made with a tag are ours too, with
// the same secret.
func TestPublishedServerCredentials(t *testing.T) {
	var v struct {
		ServerSecret, ServerAddress string
		Receiver                    []struct {
			Name, IlpAddress, SharedSecret string
			Options                        struct{ PaymentTag string }
		} `json:"@interledger/stream-receiver 0.3.3-alpha.4"`
	}
	vectors.Read(t, "stream/server-credentials.json", &v)
	receiver, err := stream.NewReceiver(address.Address(v.ServerAddress), [32]byte(unhex(t, v.ServerSecret)), newRandom())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Receiver {
		connection, ok := receiver.Identify(address.Address(c.IlpAddress))
		if c.Name != "tag" {
			if ok {
				t.Errorf("%s: an address without exactly a tag was identified", c.Name)
			}
			continue
		}
		if !ok || string(connection.Tag) != c.Options.PaymentTag {
			t.Fatalf("%s: %v, %v", c.Name, connection, ok)
		}
		secret := [32]byte(unhex(t, c.SharedSecret))
		reply := receive(connection, fulfillable(t, secret, 10, stream.Packet{Type: packet.TypePrepare}), usd)
		if reply.Type() != packet.TypeFulfill {
			t.Errorf("%s: a packet under the published secret got %v", c.Name, reply)
		}
	}
}
