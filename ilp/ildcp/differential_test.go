package ildcp_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/ildcp"
	"pochi/ilp/internal/peers"
	"pochi/ilp/packet"
)

// peerConfig, peerRequest and peerAnswer are what e2e/peers/ildcp.js reads and writes.
type peerConfig struct {
	ClientAddress string `json:"clientAddress"`
	AssetScale    uint8  `json:"assetScale"`
	AssetCode     string `json:"assetCode"`
}

type peerRequest struct {
	Request bool        `json:"request,omitempty"`
	Write   *peerConfig `json:"write,omitempty"`
	Read    string      `json:"read,omitempty"`
}

type peerAnswer struct {
	Hex, Error string
	Config     peerConfig
}

// What ilp-protocol-ildcp asks is what we answer, and both write the same answers and read the same in them.
func TestDifferential(t *testing.T) {
	peers.Need(t)
	requests := []peerRequest{{Request: true}}
	var configs []ildcp.Config
	for _, child := range []address.Address{"test.a", "g.pochi.ann", address.Address("test." + strings.Repeat("a", 1018))} {
		for _, asset := range []ilp.Asset{{Code: "USD", Scale: 2}, {Code: "JPY"}, {Code: "€ und ¥", Scale: 255}, {Code: strings.Repeat("X", 200), Scale: 9}} {
			config := ildcp.Config{Address: child, Asset: asset}
			configs = append(configs, config)
			ours, err := (&packet.Fulfill{Data: config.Append(nil)}).Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			theirs := fields(config)
			requests = append(requests, peerRequest{Read: hex.EncodeToString(ours)}, peerRequest{Write: &theirs})
		}
	}
	answers := peers.Ask[peerAnswer](t, "ildcp.js", requests)
	b, err := hex.DecodeString(answers[0].Hex)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := packet.DecodePrepare(b); err != nil || p.Destination != ildcp.Destination || p.Amount != 0 || !(&packet.Fulfill{}).Fulfills(p.Condition) {
		t.Errorf("they ask with %+v, %v", p, err)
	}
	for i, config := range configs {
		read, written := answers[1+2*i], answers[2+2*i]
		if diff := cmp.Diff(fields(config), read.Config); diff != "" || read.Error != "" {
			t.Errorf("%s (-ours +theirs):\n%s", read.Error, diff)
		}
		if ours := requests[1+2*i].Read; written.Hex != ours {
			t.Errorf("theirs is %s (%s), ours %s", written.Hex, written.Error, ours)
		}
	}
}

func fields(c ildcp.Config) peerConfig {
	return peerConfig{ClientAddress: string(c.Address), AssetScale: c.Asset.Scale, AssetCode: c.Asset.Code}
}
