package bench

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pochi/app/peers"
	"pochi/ilp/address"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"
)

// packetAmount is what a packet carries, in cents: enough that something of it arrives in another currency.
const packetAmount = 100

// payees returns n people, half of whom have another currency than the peers count.
func payees(n int) []person {
	all := make([]person, n)
	for i := range all {
		all[i] = person{Name: fmt.Sprintf("payee%d", i), Asset: []string{"USD", "EUR"}[i%2]}
	}
	return all
}

// connection is a STREAM connection to somebody, on which packets are sealed.
type connection struct {
	to          address.Address
	keys        *stream.Keys
	sequence    uint64
	fulfillment *[32]byte // of all packets, where the receiver doesn't know the keys
}

// connect asks a wallet how to pay each of its people, as any other wallet would.
func connect(b *testing.B, w *wallet, people []person) []*connection {
	b.Helper()
	all := make([]*connection, len(people))
	for i, p := range people {
		req, err := http.NewRequest(http.MethodGet, "http://"+w.pages+"/"+p.Name, nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Accept", spsp.Accept)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		var details spsp.Details
		err = json.NewDecoder(resp.Body).Decode(&details)
		resp.Body.Close()
		if err != nil {
			b.Fatal(err)
		}
		all[i] = &connection{to: details.DestinationAccount, keys: stream.NewKeys(details.SharedSecret)}
	}
	return all
}

// seal returns a Prepare with the connection's next packet.
func (c *connection) seal(b *testing.B, expires time.Time) []byte {
	c.sequence++
	plain := stream.Packet{Type: packet.TypePrepare, Sequence: c.sequence, Amount: 1, Frames: []stream.Frame{
		stream.StreamMoney{StreamID: 1, Shares: 1},
	}}
	data, err := c.keys.Seal(rand.Reader, plain.Append(nil))
	if err != nil {
		b.Fatal(err)
	}
	fulfillment := c.fulfillment
	if fulfillment == nil {
		of := c.keys.Fulfillment(data)
		fulfillment = &of
	}
	p := packet.Prepare{
		Amount: packetAmount, ExpiresAt: expires, Condition: stream.Condition(*fulfillment), Destination: c.to, Data: data,
	}
	wire, err := p.Append(make([]byte, 0, 128+len(c.to)+len(data)))
	if err != nil {
		b.Fatal(err)
	}
	return wire
}

// load is packets on their way to a server, from a peer that is known by a token there, or under agreements.
type load struct {
	b           *testing.B
	server      string   // host and port
	headers     []string // of requests in turn, but for their lengths
	connections []*connection
	rate        float64 // packets a second in the last round, for which there have to be enough
}

// peerToken is how the load generator is known at the wallets.
const peerToken = "token-of-the-load-generator"

// addLoad makes the load generator a peer of a wallet.
func (w *wallet) addLoad() {
	w.b.Helper()
	at := "test.load"
	inFlight := uint64(1024)
	w.addPeer("load", peers.Change{Address: &at, AddTokens: []peers.Token{peerToken}, MaxInFlightCount: &inFlight})
}

// newLoad prepares packets to receivers, of which the first is sent to see that it is fulfilled. The answer is returned too.
func newLoad(b *testing.B, server string, connections []*connection) (*load, []byte) {
	b.Helper()
	l := &load{b: b, server: server, connections: connections, rate: 1000}
	l.addHeader(ilphttp.Path, peerToken)
	return l, l.try()
}

// newAgreementLoad prepares packets under agreements, of which the first is sent too.
func newAgreementLoad(b *testing.B, w *wallet, agreements []agreement, connections []*connection) *load {
	b.Helper()
	l := &load{b: b, server: w.packets, connections: connections, rate: 1000}
	for _, a := range agreements {
		l.addHeader(ilphttp.AgreementPath+a.id, a.token)
	}
	l.try()
	return l
}

func (l *load) addHeader(path, token string) {
	l.headers = append(l.headers, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: ",
		path, l.server, token, ilphttp.ContentType))
}

// try sends a packet to see that it is fulfilled, and returns the answer.
func (l *load) try() []byte {
	l.b.Helper()
	c, err := call(l.server)
	if err != nil {
		l.b.Fatal(err)
	}
	defer c.Close()
	got, err := c.do(l.requests(1)[0])
	if err == nil {
		err = fulfilled(got)
	}
	if err != nil {
		l.b.Fatal(err)
	}
	return bytes.Clone(got.body)
}

// requests returns requests with packets of their own, to all receivers in turn.
func (l *load) requests(n int) [][]byte {
	l.b.Helper()
	expires := time.Now().Add(10 * time.Minute)
	all := make([][]byte, n)
	for i := range all {
		wire := l.connections[i%len(l.connections)].seal(l.b, expires)
		header := l.headers[i%len(l.headers)]
		all[i] = fmt.Appendf(make([]byte, 0, len(header)+8+len(wire)), "%s%d\r\n\r\n%s", header, len(wire), wire)
	}
	return all
}

// fulfilled says why a response is no Fulfill.
func fulfilled(r reply) error {
	if r.status != http.StatusOK {
		return fmt.Errorf("status %d: %s", r.status, r.body)
	}
	if len(r.body) > 0 && packet.Type(r.body[0]) == packet.TypeFulfill {
		return nil
	}
	answer, err := packet.Decode(r.body)
	if err != nil {
		return err
	}
	if j, ok := answer.(*packet.Reject); ok {
		return fmt.Errorf("%s from %s: %s", j.Code, j.TriggeredBy, strings.TrimSpace(j.Message))
	}
	return fmt.Errorf("a packet of type %d", answer.Type())
}
