package packet_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"pochi/ilp/packet"
)

// Hazard 5: strange rejects are read, and relayed unchanged.
func TestStrangeRejectsAreRelayedUnchanged(t *testing.T) {
	for name, j := range map[string]packet.Reject{
		"empty triggeredBy":     {Code: "F02"},
		"invalid triggeredBy":   {Code: "F02", TriggeredBy: "not an address \xff"},
		"unknown code":          {Code: "F09", TriggeredBy: "g.a"},
		"code without a family": {Code: "\x00\xff?", TriggeredBy: "g.a"},
		"message not UTF-8":     {Code: "T00", TriggeredBy: "g.a", Message: "\xff\xfe"},
		"message over 8191":     {Code: "T00", TriggeredBy: "g.a", Message: strings.Repeat("m", 9000)},
	} {
		b := encode(t, &j)
		reply, err := packet.DecodeReply(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if again := encode(t, reply); !bytes.Equal(again, b) {
			t.Errorf("%s: %x became %x", name, b, again)
		}
		if text := reply.(*packet.Reject).Error(); !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\x1b\n") {
			t.Errorf("%s: as an error it is %q", name, text)
		}
	}
}

func TestRejectIsAnError(t *testing.T) {
	var err error = packet.NewReject(packet.Unreachable, "test.pochi", "no route")
	if got, want := err.Error(), "rejected with F02 Unreachable by test.pochi: no route"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var j *packet.Reject
	if !errors.As(err, &j) || j.Code != packet.Unreachable {
		t.Errorf("errors.As: %v", j)
	}
}

func TestOwnMessagesAreCutToTheLimit(t *testing.T) {
	j := packet.NewReject(packet.InternalError, "g.a", strings.Repeat("é", packet.MaxMessage))
	if len(j.Message) > packet.MaxMessage || !utf8.ValidString(j.Message) {
		t.Errorf("%d bytes, valid %v", len(j.Message), utf8.ValidString(j.Message))
	}
}

func TestRejectLimits(t *testing.T) {
	for _, c := range []struct {
		j    packet.Reject
		want error
	}{
		{packet.Reject{Code: "F0"}, packet.ErrCode},
		{packet.Reject{Code: "F000"}, packet.ErrCode},
		{packet.Reject{Code: "F00", Message: strings.Repeat("m", packet.MaxReject+1)}, packet.ErrMessageTooLong},
	} {
		if _, err := c.j.Append(nil); err != c.want {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
}

func TestCodeFamilies(t *testing.T) {
	for code, temporary := range map[packet.Code]bool{
		packet.BadRequest: false, packet.TooLarge: false, packet.InternalError: true, packet.RateLimited: true,
		packet.TimedOut: false, "T77": true, "F09": false, "": false,
	} {
		if code.Temporary() != temporary {
			t.Errorf("%q.Temporary() = %v", code, !temporary)
		}
	}
}

// Hazard 21: what F08's data says is used only if it makes sense, and computed exactly.
func TestAmountTooLargeLimit(t *testing.T) {
	const top = math.MaxUint64
	for _, c := range []struct {
		received, maximum, sent uint64
		limit                   uint64
		ok                      bool
	}{
		{1000, 999, 1000, 999, true},
		{1000, 500, 2000, 1000, true},
		{3, 1, 10, 3, true},
		{1000, 0, 1000, 0, true},
		{top, top - 1, top, top - 1, true},
		{top, 1, top, 1, true},
		{1 << 63, 1<<63 - 1, top, top - 2, true},
		{0, 0, 1000, 0, false},
		{0, 5, 1000, 0, false},
		{1000, 1000, 1000, 0, false},
		{1000, 1001, 1000, 0, false},
	} {
		limit, ok := packet.AmountTooLarge{Received: c.received, Maximum: c.maximum}.Limit(c.sent)
		if limit != c.limit || ok != c.ok {
			t.Errorf("%+v: %d, %v", c, limit, ok)
		}
	}
}

func TestAmountTooLargeData(t *testing.T) {
	data := unhex(t, "00000000000003e800000000000003e7")
	want := packet.AmountTooLarge{Received: 1000, Maximum: 999}
	if got := want.Append(nil); !bytes.Equal(got, data) {
		t.Errorf("%x", got)
	}
	if got, ok := packet.ParseAmountTooLarge(data); !ok || got != want {
		t.Errorf("%v, %v", got, ok)
	}
	for _, short := range [][]byte{nil, data[:8], data[:15]} {
		if got, ok := packet.ParseAmountTooLarge(short); ok || got != (packet.AmountTooLarge{}) {
			t.Errorf("%x became %v", short, got)
		}
	}
}
