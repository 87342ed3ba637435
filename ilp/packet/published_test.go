package packet_test

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"pochi/ilp/internal/vectors"
	"pochi/ilp/packet"
)

func TestPublishedExamples(t *testing.T) {
	for _, name := range []string{"prepare", "fulfill", "reject"} {
		t.Run(name, func(t *testing.T) {
			var v struct{ Binary string }
			vectors.Read(t, "packet/ilp-packet-"+name+"-example01.json", &v)
			p, err := packet.Decode(unhex(t, v.Binary))
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(encode(t, p)); got != v.Binary {
				t.Errorf("%s became %s", v.Binary, got)
			}
		})
	}
}

func TestPublishedRustPackets(t *testing.T) {
	var cases []struct{ Type, Amount, Destination, ExecutionCondition, Fulfillment, Code, TriggeredBy, Message, Data, Hex string }
	vectors.Read(t, "packet/ilp-packets.interledger-rs.json", &cases)
	for _, v := range cases {
		p, err := packet.Decode(unhex(t, v.Hex))
		if err != nil {
			t.Errorf("%s: %v", v.Type, err)
			continue
		}
		if got := hex.EncodeToString(encode(t, p)); got != v.Hex {
			t.Errorf("%s became %s", v.Hex, got)
		}
		var got, want string
		switch p := p.(type) {
		case *packet.Prepare:
			got = fmt.Sprintf("%d %s %x %x", p.Amount, p.Destination, p.Condition, p.Data)
			want = fmt.Sprintf("%s %s %s %s", v.Amount, v.Destination, v.ExecutionCondition, v.Data)
		case *packet.Fulfill:
			got, want = fmt.Sprintf("%x %x", p.Fulfillment, p.Data), v.Fulfillment+" "+v.Data
		case *packet.Reject:
			got = fmt.Sprintf("%s %s %s %x", p.Code, p.TriggeredBy, p.Message, p.Data)
			want = fmt.Sprintf("%s %s %s %s", v.Code, v.TriggeredBy, v.Message, v.Data)
		}
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestPublishedTimestamps(t *testing.T) {
	type row struct{ ISO, Wire string }
	var v struct {
		Fixed17 struct {
			Encode, Valid []row
			Invalid       []string
		}
	}
	vectors.Read(t, "text/timestamps.rfc30.json", &v)
	for _, r := range append(v.Fixed17.Valid, v.Fixed17.Encode...) {
		at, err := time.Parse(time.RFC3339Nano, r.ISO)
		if err != nil {
			t.Logf("skipped %s: not a time that Go knows", r.ISO) // leap seconds, 24:00, other notations
			continue
		}
		p := prepare()
		p.ExpiresAt = at
		if got := string(encode(t, p)[10:27]); got != r.Wire {
			t.Errorf("%s became %s, want %s", r.ISO, got, r.Wire)
		}
		if p, err := packet.DecodePrepare(withExpiry(t, r.Wire)); err != nil || !p.ExpiresAt.Equal(at.Truncate(time.Millisecond)) {
			t.Errorf("%s became %v, %v", r.Wire, p, err)
		}
	}
	for _, text := range v.Fixed17.Invalid {
		if len(text) != 17 {
			continue // the field always has 17 bytes
		}
		if p, err := packet.DecodePrepare(withExpiry(t, text)); err == nil {
			t.Errorf("%s became %v", text, p.ExpiresAt)
		}
	}
}

func TestPublishedF08(t *testing.T) {
	var v struct{ RejectF08, F08data string }
	vectors.Read(t, "text/peer-protocols.json", &v)
	reply, err := packet.DecodeReply(unhex(t, v.RejectF08))
	if err != nil {
		t.Fatal(err)
	}
	j := reply.(*packet.Reject)
	got, ok := packet.ParseAmountTooLarge(j.Data)
	if want := (packet.AmountTooLarge{Received: 1000, Maximum: 999}); j.Code != packet.TooLarge || !ok || got != want {
		t.Errorf("%s, %v", j.Code, got)
	}
	if hex.EncodeToString(j.Data) != v.F08data {
		t.Errorf("data %x, want %s", j.Data, v.F08data)
	}
}
