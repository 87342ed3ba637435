package server

import (
	"testing"

	"pochi/app/peers"
	"pochi/ilp/address"
	"pochi/ilp/ilphttp"

	"github.com/google/uuid"
)

// Peers that contradict each other are used nowhere, neither for routes nor for
// tokens, and the wallet doesn't start with them.
func TestPeersThatContradictEachOther(t *testing.T) {
	n := newWallet(t).node
	peer := func(address address.Address, token string) peers.Peer {
		return peers.Peer{ID: uuid.New(), Name: string(address), Address: address, Tokens: []ilphttp.TokenHash{ilphttp.HashToken(token)}}
	}
	ann := peer("test.ann", "1")
	use, err := n.preparePeers([]peers.Peer{ann})
	if err != nil {
		t.Fatal(err)
	}
	use()
	for name, all := range map[string][]peers.Peer{
		"one route": {ann, peer("test.ann", "2")},
		"one token": {peer("test.ben", "2"), peer("test.cho", "2")},
	} {
		if use, err := n.preparePeers(all); err == nil || use != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, known := n.tokens.PeerByToken(ilphttp.HashToken("2")); known {
		t.Error("a token of peers that were refused is known")
	}
	if found, _ := n.tokens.PeerByToken(ilphttp.HashToken("1")); found.ID != ann.ID {
		t.Error("the peer that there was is gone")
	}
}
