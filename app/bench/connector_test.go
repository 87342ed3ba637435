package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"pochi/app/peers"
	"pochi/ilp/address"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// BenchmarkIlpConnector measures packets of a peer that a wallet sends on to another peer, which is a bare server that fulfills
// all of them: the money of each is set aside on the disk before it leaves, and posted there before it is answered. Beside it
// is ilp-connector with ilp-plugin-http under Node.js, in the same place between the same two; it keeps its balances in memory.
func BenchmarkIlpConnector(b *testing.B) {
	var zero [32]byte
	answer, err := (&packet.Fulfill{Fulfillment: zero, Data: make([]byte, 64)}).Append(nil)
	if err != nil {
		b.Fatal(err)
	}
	_, next := startBare(b, answer)
	to := address.Address("test.next")
	w := startWallet(b, "wallet", nil)
	w.addLoad()
	w.addNext(to, next)
	onward := []*connection{{to: to + ".somebody", fulfillment: &zero, keys: stream.NewKeys(zero)}}
	ours, _ := newLoad(b, w.packets, onward)
	sides := []side{{ours, w.child}}
	connector, at, why := startConnector(b, next)
	if why == "" {
		theirs, _ := newLoad(b, at, onward)
		sides = append(sides, side{theirs, connector})
	}
	for _, inFlight := range []int{1, 50, 500} {
		b.Run(fmt.Sprint(inFlight), func(b *testing.B) {
			of := compare(b, inFlight, sides...)
			b.ReportMetric(of[0].rate, "packets/s")
			if why != "" {
				b.Logf("no reference: %s", why)
				b.ReportMetric(0, "ref:ilp-connector:skipped")
				return
			}
			b.ReportMetric(of[1].rate, "ref:ilp-connector")
		})
	}
}

// addNext makes what listens at a host and port a peer of a wallet.
func (w *wallet) addNext(to address.Address, at string) {
	w.b.Helper()
	text, url, token, inFlight := string(to), "http://"+at+"/ilp", tokenBetween(w.address, string(to)), uint64(1024)
	w.addPeer("next", peers.Change{
		Address: &text, AddTokens: []peers.Token{tokenBetween(string(to), w.address)}, OutgoingURL: &url, OutgoingToken: &token, MaxInFlightCount: &inFlight,
	})
}

// startConnector starts an ilp-connector that sends packets on to a host and port, and returns its own; or why it can't.
func startConnector(b *testing.B, next string) (c *child, at, why string) {
	b.Helper()
	folder := filepath.Join("..", "..", "e2e")
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "ilp-connector")); err != nil {
		return nil, "", "e2e/node_modules has no ilp-connector: npm ci --prefix e2e --ignore-scripts, or make bench, brings it"
	}
	if _, err := exec.LookPath("node"); err != nil {
		return nil, "", "Node.js is missing"
	}
	ports := freePorts(b, 2)
	listen, _ := strconv.Atoi(ports[0])
	back, _ := strconv.Atoi(ports[1])
	c = runChild(b, exec.Command("node", filepath.Join(folder, "peers", "ilp-connector_bench.js")), map[string]any{
		"listen": listen, "token": peerToken, "back": back, "next": "http://" + next + "/ilp", "nextToken": "token-of-the-connector",
	})
	return c, "127.0.0.1:" + ports[0], ""
}
