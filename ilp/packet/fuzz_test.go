package packet_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pochi/ilp/address"
	"pochi/ilp/internal/bounded"
	"pochi/ilp/oer"
	"pochi/ilp/packet"
)

// seed adds our own vectors, the same with bytes after them, cut short, and what is known to be malformed.
func seed(f *testing.F) {
	for wire := range packets() {
		b := unhex(f, wire)
		f.Add(b)
		f.Add(append(b[:len(b):len(b)], 1, 2, 3))
		f.Add(b[:len(b)-1])
	}
	for _, s := range []string{"", "0c", "0c80", "0d00", "0e03463939", "0e0646393900000000", "0c888000000000000000"} {
		f.Add(unhex(f, s))
	}
	r := newRandom()
	for _, kind := range []packet.Type{packet.TypePrepare, packet.TypeFulfill, packet.TypeReject} {
		f.Add(encode(f, r.packet(kind)))
	}
}

// What decodes encodes to the bytes that were read, but for those that mean nothing; what doesn't has a named defect.
func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var p packet.Packet
		var err error
		bounded.Decode(t, len(b), func() { p, err = packet.Decode(b) })
		if err != nil {
			if !named(err) || p != nil {
				t.Errorf("%x: %v, %v", b, p, err)
			}
			return
		}
		again := encode(t, p)
		if want := canonical(b, again); !bytes.Equal(again, want) {
			t.Errorf("%x became %x", b, again)
		}
		q, err := packet.Decode(again)
		if err != nil || !cmp.Equal(p, q) {
			t.Errorf("%v became %v, %v", p, q, err)
		}
	})
}

// canonical returns received without what a decoder ignores: again has as many bytes as mean something.
func canonical(received, again []byte) []byte {
	envelope, written := oer.NewReader(received[1:]), oer.NewReader(again[1:])
	fields := len(written.VarOctets())
	return oer.AppendVarOctets(received[:1:1], envelope.VarOctets()[:fields])
}

// named reports whether an error is a constant of these packages.
func named(err error) bool {
	var p packet.Error
	var o oer.Error
	var a address.Error
	return errors.As(err, &p) || errors.As(err, &o) || errors.As(err, &a)
}

// A view reads what Decode reads, refuses what it refuses, and rewrites 25 bytes at most.
func FuzzPrepareView(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		received := bytes.Clone(b)
		want, errWant := packet.Decode(received)
		v, err := packet.ViewPrepare(b)
		p, ok := want.(*packet.Prepare)
		if (err == nil) != ok {
			t.Fatalf("%x: %v, but Decode says %v, %v", b, err, want, errWant)
		}
		if err != nil {
			return
		}
		if got := v.Prepare(); !cmp.Equal(&got, p) {
			t.Errorf("%v, want %v", got, p)
		}
		v.SetAmount(v.Amount())
		if err := v.SetExpiresAt(v.ExpiresAt()); err != nil || !bytes.Equal(v.Bytes(), received) {
			t.Errorf("rewritten as they were: %x became %x, %v", received, v.Bytes(), err)
		}
		v.SetAmount(^v.Amount())
		if err := v.SetExpiresAt(time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
		start := len(received) // of what is rewritten
		for i := range received {
			if received[i] != v.Bytes()[i] {
				start = i
				break
			}
		}
		if !bytes.Equal(received[start+25:], v.Bytes()[start+25:]) {
			t.Errorf("%x became %x", received, v.Bytes())
		}
	})
}

// A view of a reply reads what Decode reads, and relays it as it came.
func FuzzReplyView(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		received := bytes.Clone(b)
		want, errWant := packet.Decode(received)
		v, err := packet.ViewReply(b)
		reply, ok := want.(packet.Reply)
		if (err == nil) != ok {
			t.Fatalf("%x: %v, but Decode says %v, %v", b, err, want, errWant)
		}
		if err == nil && (!cmp.Equal(v.Reply(), reply) || v.Type() != reply.Type() || !bytes.Equal(v.Bytes(), received)) {
			t.Errorf("%x is %v, want %v", b, v.Reply(), reply)
		}
	})
}

// F08's data is 16 bytes, whatever follows them, and a limit is below what was sent.
func FuzzParseAmountTooLarge(f *testing.F) {
	f.Add(packet.AmountTooLarge{Received: 1000, Maximum: 999}.Append(nil), uint64(1000))
	f.Add([]byte("short"), uint64(1))
	f.Fuzz(func(t *testing.T, data []byte, sent uint64) {
		a, ok := packet.ParseAmountTooLarge(data)
		if ok != (len(data) >= 16) || ok && !bytes.Equal(a.Append(nil), data[:16]) {
			t.Errorf("%x became %v, %v", data, a, ok)
		}
		if limit, ok := a.Limit(sent); ok && limit >= sent && sent > 0 {
			t.Errorf("%v limits %d to %d", a, sent, limit)
		}
	})
}
