package e2e

import (
	"fmt"
	"testing"
)

// The assets of the interop tests. A dollar is worth 0.90 EUR in both directions, everywhere but in the ilp-connector.
var (
	usd = asset{"USD", 2}
	eur = asset{"EUR", 2}
)

// side is a node of ours, with people on it, that others exchange money with.
type side interface {
	// url is where peers send packets.
	url() string
	// person opens an account, and returns the URL that its payment pointer leads to.
	person(name string, a asset, balance uint64) string
	// peer adds a peer.
	peer(p peerConfig)
	// pay pays from a person's account to what a URL leads to, and waits for the end. The amount is fixed on one side: sideSend
	// or sideReceive. It says what arrived, and why that isn't all, or "".
	pay(name, to string, amount uint64, fixed string) (delivered uint64, problem string)
	// has is what is on a person's account.
	has(name string) int64
	// owed is what a peer owes us, below zero if we owe it.
	owed(peer string) int64
	// doubts is how many packets to a peer had no answer from which one could tell what became of them.
	doubts(peer string) int
	// check looks, at the end, whether the books are as they should be.
	check()
}

// peerConfig is a peer of a side.
type peerConfig struct {
	Name, Address string
	Asset         asset
	// In is the token that it calls with. URL and Out are where it takes packets, and under which token.
	In, URL, Out string
	Routes       []string
	CreditLimit  uint64
	MaxPacket    uint64 // 0 is none
}

// onBothSides runs a journey with nodes that keep their books in memory, which is quick, and with wallets as people run them.
// start starts a node with an ILP address.
func onBothSides(t *testing.T, journey func(t *testing.T, start func(address string) side)) {
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		journey(t, func(address string) side { return startMemory(t, address) })
	})
	t.Run("wallet", func(t *testing.T) {
		needWallet(t)
		t.Parallel()
		journey(t, func(address string) side { return startMoney(t, address) })
	})
}

// The tokens between a side and a script, and those of a peer.
const (
	tokenToUs = "what-the-script-calls-with-0123456789abcdef"
	tokenToIt = "what-the-wallet-calls-with-0123456789abcdef"
)

// linkConfig is what shared.js needs to know for a link to a side.
func linkConfig(s side) map[string]any {
	return map[string]any{"url": s.url(), "token": tokenToUs, "incoming": tokenToIt}
}

func loopback(port int) string { return fmt.Sprintf("http://127.0.0.1:%d/", port) }

// foreignPeer is the peer that a script behind a port is.
func foreignPeer(name, address string, a asset, port int) peerConfig {
	return peerConfig{
		Name: name, Address: address, Asset: a, In: tokenToUs, URL: loopback(port), Out: tokenToIt, CreditLimit: 100_000_00,
	}
}
