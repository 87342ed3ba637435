package packet_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pochi/ilp/address"
	"pochi/ilp/oer"
	"pochi/ilp/packet"
)

func viewPrepare(t testing.TB, b []byte) packet.PrepareView {
	t.Helper()
	v, err := packet.ViewPrepare(b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPrepareView(t *testing.T) {
	v, want := viewPrepare(t, unhex(t, prepareHex)), prepare()
	if diff := cmp.Diff(*want, v.Prepare()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if v.Amount() != want.Amount || !v.ExpiresAt().Equal(want.ExpiresAt) || v.Condition() != want.Condition ||
		string(v.Destination()) != string(want.Destination) || !bytes.Equal(v.Data(), want.Data) {
		t.Errorf("%d, %v, %x, %s, %x", v.Amount(), v.ExpiresAt(), v.Condition(), v.Destination(), v.Data())
	}
	if got := hex.EncodeToString(v.Bytes()); got != prepareHex {
		t.Errorf("unchanged it is %s", got)
	}
}

func TestReplyView(t *testing.T) {
	for _, wire := range []string{fulfillHex, rejectHex} {
		v, err := packet.ViewReply(unhex(t, wire))
		if err != nil {
			t.Fatal(err)
		}
		want := packets()[wire]
		if diff := cmp.Diff(want, packet.Packet(v.Reply())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if v.Type() != want.Type() || hex.EncodeToString(v.Bytes()) != wire {
			t.Errorf("%v: %x", v.Type(), v.Bytes())
		}
		switch want := want.(type) {
		case *packet.Fulfill:
			if v.Fulfillment() != want.Fulfillment || v.Fulfills([32]byte{}) || !bytes.Equal(v.Data(), want.Data) {
				t.Errorf("%x, %x", v.Fulfillment(), v.Data())
			}
			if v.Code() != "" || v.TriggeredBy() != nil || v.Message() != nil {
				t.Errorf("a Fulfill has code %q, sender %q, message %q", v.Code(), v.TriggeredBy(), v.Message())
			}
		case *packet.Reject:
			if v.Code() != want.Code || string(v.TriggeredBy()) != string(want.TriggeredBy) ||
				string(v.Message()) != want.Message || !bytes.Equal(v.Data(), want.Data) {
				t.Errorf("%s, %s, %s, %x", v.Code(), v.TriggeredBy(), v.Message(), v.Data())
			}
			if v.Fulfillment() != [32]byte{} || v.Fulfills([32]byte{}) {
				t.Error("a Reject fulfills")
			}
		}
	}
	zeros, err := packet.ViewReply(encode(t, &packet.Fulfill{}))
	condition := [32]byte(unhex(t, "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"))
	if err != nil || !zeros.Fulfills(condition) || zeros.Fulfills([32]byte{}) {
		t.Errorf("32 zero bytes: %v", err)
	}
}

func TestViewsOfOtherPackets(t *testing.T) {
	for _, c := range []struct {
		hex            string
		prepare, reply error
	}{
		{prepareHex, nil, packet.ErrNotReply},
		{fulfillHex, packet.ErrNotPrepare, nil},
		{rejectHex, packet.ErrNotPrepare, nil},
		{"0f00", packet.ErrType, packet.ErrType},
		{"", oer.ErrShort, oer.ErrShort},
	} {
		if _, err := packet.ViewPrepare(unhex(t, c.hex)); err != c.prepare {
			t.Errorf("%s as a Prepare: %v, want %v", c.hex, err, c.prepare)
		}
		if _, err := packet.ViewReply(unhex(t, c.hex)); err != c.reply {
			t.Errorf("%s as a reply: %v, want %v", c.hex, err, c.reply)
		}
	}
}

// Hazard 4: what is forwarded differs from what was received in amount and expiry alone, bytes that mean nothing included.
func TestForwardedBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := prepare()
		p.Destination = address.Address(rapid.StringMatching(`test(\.[a-zA-Z0-9_~-]{1,90}){1,3}`).Draw(t, "destination"))
		p.Data = rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "data")
		b := rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "inside")
		b = oer.AppendVarOctets([]byte{byte(packet.TypePrepare)}, append(contents(t, p), b...))
		b = append(b, rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "after")...)
		received := bytes.Clone(b)
		v, err := packet.ViewPrepare(b)
		if err != nil {
			t.Fatal(err)
		}
		amount := rapid.Uint64().Draw(t, "amount")
		expires := time.UnixMilli(rapid.Int64Range(-62_167_219_200_000, 253_402_300_799_999).Draw(t, "expiry")).UTC()
		v.SetAmount(amount)
		if err := v.SetExpiresAt(expires); err != nil {
			t.Fatal(err)
		}
		if v.Amount() != amount || !v.ExpiresAt().Equal(expires) {
			t.Errorf("amount %d, expiry %v; want %d, %v", v.Amount(), v.ExpiresAt(), amount, expires)
		}
		start := 2 // of the contents, behind the length
		if received[1] >= 0x80 {
			start += int(received[1] &^ 0x80)
		}
		if !bytes.Equal(v.Bytes()[:start], received[:start]) || !bytes.Equal(v.Bytes()[start+25:], received[start+25:]) {
			t.Errorf("%x became %x", received, v.Bytes())
		}
		p.Amount, p.ExpiresAt = amount, expires
		if got, err := packet.DecodePrepare(v.Bytes()); err != nil || !cmp.Equal(got, p) {
			t.Errorf("%v, %v; want %v", got, err, p)
		}
	})
}

// contents returns an encoded packet without its envelope.
func contents(t *rapid.T, p packet.Packet) []byte {
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := oer.NewReader(b[1:])
	return r.VarOctets()
}

func TestSetExpiresAt(t *testing.T) {
	v := viewPrepare(t, unhex(t, prepareHex))
	for _, year := range []int{-1, 10000, math.MaxInt32} {
		if err := v.SetExpiresAt(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)); err != packet.ErrExpiry {
			t.Errorf("year %d: %v", year, err)
		}
	}
	if got := hex.EncodeToString(v.Bytes()); got != prepareHex {
		t.Errorf("refused expiries made it %s", got)
	}
	at := time.Date(2030, 1, 2, 5, 4, 5, 678_999_999, time.FixedZone("", 2*3600))
	if err := v.SetExpiresAt(at); err != nil || string(v.Bytes()[10:27]) != "20300102030405678" {
		t.Errorf("%s, %v", v.Bytes()[10:27], err)
	}
	if want := time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC); v.ExpiresAt() != want {
		t.Errorf("the view says %v, want %v", v.ExpiresAt(), want)
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	received, buf := encode(t, streamPrepare()), make([]byte, 0, packet.MaxPrepare)
	fulfill, reject := unhex(t, fulfillHex), unhex(t, rejectHex)
	p, expires := prepare(), time.Date(2030, 1, 2, 3, 4, 5, 6e6, time.UTC)
	for name, do := range map[string]func() error{
		"rewrite a Prepare": func() error {
			v, err := packet.ViewPrepare(received)
			if err != nil {
				return err
			}
			v.SetAmount(v.Amount() - 1)
			return v.SetExpiresAt(expires)
		},
		"read a Fulfill": func() error {
			v, err := packet.ViewReply(fulfill)
			v.Fulfills([32]byte{})
			return err
		},
		"read a Reject": func() error {
			v, err := packet.ViewReply(reject)
			if v.Code() != packet.Unreachable {
				return packet.ErrCode
			}
			return err
		},
		"refuse a Prepare": func() error {
			if _, err := packet.ViewPrepare(received[:len(received)-1]); err != oer.ErrShort {
				return packet.ErrType
			}
			return nil
		},
		"write a Prepare": func() error { _, err := p.Append(buf); return err },
		"write a Fulfill": func() error { _, err := (&packet.Fulfill{Data: received}).Append(buf); return err },
		"write a Reject": func() error {
			_, err := packet.NewReject(packet.TimedOut, "test.pochi", "expired").Append(buf)
			return err
		},
		"write F08 data": func() error { packet.AmountTooLarge{Received: 2, Maximum: 1}.Append(buf); return nil },
		"read F08 data":  func() error { packet.ParseAmountTooLarge(received); return nil },
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

// streamPrepare is like what a STREAM sender sends: to an address with a token, with 200 bytes of data.
func streamPrepare() *packet.Prepare {
	p := prepare()
	p.Destination = "test.pochi.receiver." + "x7WJ-0v9FkqVfNw3mZbT_lRdYc2HgUeA5oKsPiMnB8tQy4GhXzJrDa1CuE6wLpSvOf"
	p.Data = make([]byte, 200)
	return p
}
