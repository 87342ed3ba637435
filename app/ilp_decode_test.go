package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"pochi/ilp/address"
	"pochi/ilp/oer"
	"pochi/ilp/packet"

	"github.com/google/go-cmp/cmp"
)

func encodePacket(t testing.TB, p packet.Packet) []byte {
	t.Helper()
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func aPrepare() *packet.Prepare {
	return &packet.Prepare{
		Amount: 1<<64 - 1, ExpiresAt: time.Date(2026, 3, 1, 12, 30, 15, 250e6, time.UTC), Condition: [32]byte{0xab},
		Destination: "test.pochi.ann", Data: []byte{0xbe, 0xef},
	}
}

const aPrepareJSON = `{"type":"prepare","amount":"18446744073709551615","expiresAt":"2026-03-01T12:30:15.250Z",` +
	`"executionCondition":"ab00000000000000000000000000000000000000000000000000000000000000",` +
	`"destination":"test.pochi.ann","data":"beef"`

func TestDecodePacket(t *testing.T) {
	prepare := encodePacket(t, aPrepare())
	inside := append([]byte{prepare[0], prepare[1] + 2}, append(prepare[2:len(prepare):len(prepare)], 1, 2)...)
	fulfill := &packet.Fulfill{Fulfillment: [32]byte{1}, Data: []byte("data")}
	tooLarge := packet.NewReject(packet.TooLarge, "test.b", "Too <large>.")
	tooLarge.Data = packet.AmountTooLarge{Received: 1<<64 - 1, Maximum: 999}.Append(nil)
	for _, c := range []struct {
		name string
		wire []byte
		want string
	}{
		{"prepare", prepare, aPrepareJSON + "}"},
		{"bytes after it", append(bytes.Clone(prepare), 1, 2, 3), aPrepareJSON + `,"ignoredBytes":3}`},
		{"bytes inside", inside, aPrepareJSON + `,"ignoredBytes":2}`},
		{"fulfill", encodePacket(t, fulfill), `{"type":"fulfill",` +
			`"fulfillment":"0100000000000000000000000000000000000000000000000000000000000000","data":"64617461"}`},
		{"reject", encodePacket(t, &packet.Reject{Code: "F09"}), `{"type":"reject","code":"F09","triggeredBy":"","message":"","data":""}`},
		{"F08", encodePacket(t, tooLarge), `{"type":"reject","code":"F08","name":"Amount Too Large","triggeredBy":"test.b",` +
			`"message":"Too \u003clarge\u003e.","data":"ffffffffffffffff00000000000003e7",` +
			`"amountTooLarge":{"receivedAmount":"18446744073709551615","maximumAmount":"999"}}`},
		{"F08 without data", encodePacket(t, packet.NewReject(packet.TooLarge, "test.b", "")), `{"type":"reject","code":"F08",` +
			`"name":"Amount Too Large","triggeredBy":"test.b","message":"","data":""}`},
	} {
		text := hex.EncodeToString(c.wire)
		for form, input := range map[string]string{
			"binary":  string(c.wire),
			"hex":     text,
			"lines":   " \r\n" + text[:7] + "\n" + text[7:16] + " \t" + text[16:] + "\n\n",
			"capital": "\r" + strings.ToUpper(text) + "\v\f",
		} {
			var out bytes.Buffer
			err := decodePacket(strings.NewReader(input), &out)
			if diff := cmp.Diff(c.want+"\n", out.String()); err != nil || diff != "" {
				t.Errorf("%s as %s: %v\n%s", c.name, form, err, diff)
			}
			if !json.Valid(out.Bytes()) {
				t.Errorf("%s as %s is no JSON", c.name, form)
			}
		}
	}
}

// A packet that looks like hex with white space around it is still read as what it is.
func TestBinaryThatLooksLikeHex(t *testing.T) {
	wire := append([]byte{'\r', '0'}, []byte(strings.Repeat("0d", 16)+"\r"+strings.Repeat("e", 15))...)
	var out bytes.Buffer
	if err := decodePacket(bytes.NewReader(wire), &out); err != nil || !strings.Contains(out.String(), `"data":"65656565656565656565656565"`) {
		t.Errorf("%v, %s", err, &out)
	}
	ascii := aPrepare() // a packet of printable bytes, but for its first
	ascii.Amount, ascii.Condition, ascii.Data = 0x6161616161616161, [32]byte([]byte(strings.Repeat("zZ", 16))), []byte(strings.Repeat("x", 40))
	ascii.Destination = "g." + address.Address(strings.Repeat("a", 40))
	out.Reset()
	if err := decodePacket(bytes.NewReader(encodePacket(t, ascii)), &out); err != nil || !strings.Contains(out.String(), "7878") {
		t.Errorf("%v, %s", err, &out)
	}
}

func TestDecodeMalformedPacket(t *testing.T) {
	prepare := encodePacket(t, aPrepare())
	changed := func(i int, to ...byte) []byte {
		b := bytes.Clone(prepare)
		copy(b[i:], to)
		return b
	}
	for _, c := range []struct {
		name string
		wire []byte
		want error
	}{
		{"other type", []byte{0x0f, 0}, packet.ErrType},
		{"cut short", prepare[:40], oer.ErrShort},
		{"long length", append([]byte{12, 0x81}, prepare[1:]...), oer.ErrLengthNotCanonical},
		{"no length", []byte{12, 0x80}, oer.ErrLengthForm},
		{"month 13", changed(14, '1', '3'), packet.ErrExpiry},
		{"high byte", changed(60, 0xf4), address.ErrChar},
		{"scheme", changed(60, 'T'), address.ErrScheme},
		{"code", encodePacket(t, &packet.Reject{Code: "X00"}), packet.ErrCode},
		{"code of letters", encodePacket(t, &packet.Reject{Code: "FAB"}), packet.ErrCode},
		{"sender", encodePacket(t, &packet.Reject{Code: "F00", TriggeredBy: "nobody"}), address.ErrSegments},
		{"message", encodePacket(t, &packet.Reject{Code: "F00", Message: "\xff"}), packet.ErrMessageText},
		{"long message", encodePacket(t, &packet.Reject{Code: "F00", Message: strings.Repeat("m", packet.MaxMessage+1)}), packet.ErrMessageTooLong},
	} {
		for _, input := range []string{string(c.wire), hex.EncodeToString(c.wire) + "\n"} {
			var out bytes.Buffer
			if err := decodePacket(strings.NewReader(input), &out); !errors.Is(err, c.want) || out.Len() > 0 {
				t.Errorf("%s: %v, want %v; it prints %s", c.name, err, c.want, &out)
			}
		}
	}
	for input, want := range map[string]string{
		"":                               "empty",
		" \r\n":                          "empty",
		"0c4":                            "odd number",
		"0x0c4d":                         "'x'",
		"\r\nhello":                      "'h'",
		"{}":                             "'{'",
		strings.Repeat("0", ilpInputMax): "not a Prepare, Fulfill or Reject",
		strings.Repeat("00", ilpInputMax/2) + " ": "larger than",
	} {
		var out bytes.Buffer
		if err := decodePacket(strings.NewReader(input), &out); err == nil || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("%.20q: %v, want %s", input, err, want)
		}
	}
}

// The program itself: JSON and exit code 0, or the defect on stderr and 1. It asks for no configuration.
func TestDecodeCommand(t *testing.T) {
	for _, c := range []struct {
		in, out, err string
		code         int
	}{
		{hex.EncodeToString(encodePacket(t, aPrepare())) + "\n", aPrepareJSON + "}\n", "", 0},
		{"0c80", "", "pochi: oer: length determinant has an impossible form\n", 1},
	} {
		var stdout, stderr bytes.Buffer
		command := exec.Command(os.Args[0], "ilp", "decode")
		command.Env = append(os.Environ(), beProgram+"=1", "POCHI_ENV=neither")
		command.Stdin, command.Stdout, command.Stderr = strings.NewReader(c.in), &stdout, &stderr
		_ = command.Run() // its exit code is looked at
		if stdout.String() != c.out || stderr.String() != c.err || command.ProcessState.ExitCode() != c.code {
			t.Errorf("%s: exit %d, prints %q and %q", c.in, command.ProcessState.ExitCode(), &stdout, &stderr)
		}
	}
}

// Whatever is read, it is one line of JSON or an error.
func FuzzDecodePacket(f *testing.F) {
	f.Add(encodePacket(f, aPrepare()))
	f.Add([]byte(hex.EncodeToString(encodePacket(f, &packet.Fulfill{}))))
	f.Add([]byte("0e03463030 0000\n00"))
	f.Add([]byte("0c8"))
	f.Fuzz(func(t *testing.T, input []byte) {
		var out bytes.Buffer
		err := decodePacket(bytes.NewReader(input), &out)
		if (err == nil) != json.Valid(out.Bytes()) || err != nil && out.Len() > 0 {
			t.Errorf("%q: %v, prints %q", input, err, &out)
		}
	})
}
