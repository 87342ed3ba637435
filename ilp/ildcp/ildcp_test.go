package ildcp_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/ildcp"
	"pochi/ilp/internal/bounded"
	"pochi/ilp/internal/vectors"
	"pochi/ilp/oer"
	"pochi/ilp/packet"
)

func TestCodec(t *testing.T) {
	want := ildcp.Config{Address: "test.pochi.ann", Asset: ilp.Asset{Code: "USD", Scale: 2}}
	b := want.Append(nil)
	if got := hex.EncodeToString(b); got != "0e"+hex.EncodeToString([]byte("test.pochi.ann"))+"02"+"03555344" {
		t.Errorf("%s", got)
	}
	if got, err := ildcp.Decode(append(b, 1, 2)); err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
	for n := range b {
		if got, err := ildcp.Decode(b[:n]); !errors.Is(err, oer.ErrShort) {
			t.Errorf("%d bytes became %v, %v", n, got, err)
		}
	}
	if got, err := ildcp.Decode([]byte("\x03bad\x02\x03USD")); !errors.Is(err, address.ErrSegments) {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(ildcp.Config{Address: "test.a", Asset: ilp.Asset{Code: "USD"}}.Append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var c ildcp.Config
		var err error
		bounded.Decode(t, len(b), func() { c, err = ildcp.Decode(b) })
		if err != nil {
			return
		}
		again := c.Append(nil)
		if !bytes.HasPrefix(b, again) {
			t.Errorf("%x became %x", b, again)
		}
		if d, err := ildcp.Decode(again); err != nil || d != c {
			t.Errorf("%v became %v, %v", c, d, err)
		}
	})
}

func TestPublished(t *testing.T) {
	var v struct {
		ILDCPRequest, ILDCPResponse string
		Fields                      struct {
			ClientAddress address.Address
			AssetScale    uint8
			AssetCode     string
		} `json:"ildcpResponseFields"`
	}
	vectors.Read(t, "text/peer-protocols.json", &v)
	request, err := hex.DecodeString(v.ILDCPRequest)
	if err != nil {
		t.Fatal(err)
	}
	p, err := packet.DecodePrepare(request)
	if err != nil || p.Destination != ildcp.Destination || !(&packet.Fulfill{}).Fulfills(p.Condition) {
		t.Errorf("%+v, %v", p, err)
	}
	response, err := hex.DecodeString(v.ILDCPResponse)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := packet.DecodeReply(response)
	if err != nil {
		t.Fatal(err)
	}
	want := ildcp.Config{Address: v.Fields.ClientAddress, Asset: ilp.Asset{Code: v.Fields.AssetCode, Scale: v.Fields.AssetScale}}
	f := &packet.Fulfill{Data: want.Append(nil)}
	if got, err := ildcp.Decode(reply.(*packet.Fulfill).Data); err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
	if b, err := f.Append(nil); err != nil || hex.EncodeToString(b) != v.ILDCPResponse {
		t.Errorf("%x, %v", b, err)
	}
}
