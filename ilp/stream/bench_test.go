package stream_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/ilp/address"
	"pochi/ilp/internal/peers"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// packetMoney is how much the path of the benchmarks takes in a packet.
const packetMoney = 1000

// BenchmarkStream measures packets a second in memory, by how many are in flight: of a sender whose path fulfills at once,
// of a receiver, and of one paying the other; and on one core what both do to the STREAM packet in a Prepare.
func BenchmarkStream(b *testing.B) {
	b.Run("seal_open", benchSealOpen)
	for _, inFlight := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("sender/%d", inFlight), func(b *testing.B) { benchSender(b, inFlight, false) })
		b.Run(fmt.Sprintf("receiver/%d", inFlight), func(b *testing.B) { benchReceiver(b, inFlight) })
		b.Run(fmt.Sprintf("payment/%d", inFlight), func(b *testing.B) { benchSender(b, inFlight, true) })
	}
}

// benchSealOpen encodes and seals a packet, opens and checks it. Keys are those of a connection, derived once. The reference is
// ilp-protocol-stream under Node.js, with the same packet.
func benchSealOpen(b *testing.B) {
	keys, p := stream.NewKeys([32]byte{1}), paying()
	var plain, sealed, opened []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		plain = p.Append(plain[:0])
		if sealed, err = keys.AppendSeal(sealed[:0], rand.Reader, plain); err != nil {
			b.Fatal(err)
		}
		if opened, err = keys.AppendOpen(opened[:0], sealed); err != nil {
			b.Fatal(err)
		}
		if _, err := stream.ViewPacket(opened); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
	if why := peers.Missing(b); why != "" {
		b.Logf("no reference: %s", why)
		return
	}
	type request struct {
		Sequence uint64 `json:"sequence"`
		Amount   uint64 `json:"amount"`
	}
	type answer struct{ PerSecond float64 }
	theirs := peers.Ask[answer](b, "stream_bench.js", []request{{p.Sequence, p.Amount}})
	b.ReportMetric(theirs[0].PerSecond, "ref:ilp-protocol-stream")
}

// benchSender pays b.N packets' worth.
func benchSender(b *testing.B, inFlight int, paid bool) {
	to, secret, receiver := benchCredentials(b)
	link := &benchLink{receiver: receiver, keys: stream.NewKeys(secret), paid: paid}
	s := stream.NewSender(stream.SenderConfig{
		Link: link, Destination: to, Secret: secret, Clock: stream.SystemClock{}, Random: rand.Reader, MaxInFlight: inFlight,
	})
	amount := uint64(b.N) * packetMoney
	b.ReportAllocs()
	b.ResetTimer()
	result, err := s.Send(context.Background(), stream.SendParams{Amount: amount, MinDelivered: amount, Asset: usd})
	if err != nil || result.Delivered != amount {
		b.Fatalf("%+v, %v", result, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}

// benchReceiver receives b.N packets that were sealed beforehand.
func benchReceiver(b *testing.B, inFlight int) {
	to, secret, receiver := benchCredentials(b)
	prepares := make([]packet.Prepare, 1024)
	keys := stream.NewKeys(secret)
	for i := range prepares {
		plain := stream.Packet{Type: packet.TypePrepare, Sequence: uint64(i), Amount: packetMoney, Frames: []stream.Frame{
			stream.StreamMoney{StreamID: 1, Shares: 1},
		}}
		data, err := keys.Seal(rand.Reader, plain.Append(nil))
		if err != nil {
			b.Fatal(err)
		}
		prepares[i] = packet.Prepare{
			Amount: packetMoney, Condition: stream.Condition(keys.Fulfillment(data)), Destination: to, Data: data,
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range inFlight {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				p := prepares[i%int64(len(prepares))]
				c, ok := receiver.Identify(p.Destination)
				if !ok || receive(c, p, usd).Type() != packet.TypeFulfill {
					b.Error("not fulfilled")
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}

func benchCredentials(b *testing.B) (to address.Address, secret [32]byte, receiver *stream.Receiver) {
	b.Helper()
	receiver, err := stream.NewReceiver("test.receiver", [32]byte{7}, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	to, secret, err = receiver.Credentials([]byte("a tag of thirty-two bytes, like ours"))
	if err != nil {
		b.Fatal(err)
	}
	return to, secret, receiver
}

// benchLink takes packets of packetMoney. Only if paid is set does a receiver see the money; else each is fulfilled without a word.
type benchLink struct {
	receiver *stream.Receiver
	keys     *stream.Keys
	paid     bool
}

func (l *benchLink) SendPacket(_ context.Context, p packet.Prepare) (packet.Reply, error) {
	switch {
	case p.Amount > packetMoney:
		j := packet.NewReject(packet.TooLarge, "test.bench", "")
		j.Data = packet.AmountTooLarge{Received: p.Amount, Maximum: packetMoney}.Append(nil)
		return j, nil
	case p.Amount == 0 || l.paid:
		c, ok := l.receiver.Identify(p.Destination)
		if !ok {
			return packet.NewReject(packet.Unreachable, "test.bench", ""), nil
		}
		return receive(c, p, usd), nil
	}
	return &packet.Fulfill{Fulfillment: l.keys.Fulfillment(p.Data)}, nil
}
