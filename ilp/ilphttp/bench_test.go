package ilphttp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

const (
	benchRounds = 5
	benchRound  = time.Second // of each side; the sides take turns, because a machine is not always as fast
	benchData   = 300         // bytes, about what a STREAM packet has
)

// BenchmarkIlpHttp measures packets that go through a client and a server of ours over loopback, with a handler that fulfills
// at once. Beside it is the least that net/http can do: the same bytes both ways between an http.Client and a server that
// neither looks at a token nor at a packet.
func BenchmarkIlpHttp(b *testing.B) {
	for _, inFlight := range []int{1, 50, 500} {
		b.Run(fmt.Sprint("packets/", inFlight), func(b *testing.B) {
			ours, bare := benchOurs(b, inFlight), benchBare(b, inFlight)
			var sums [2]float64
			for round := range benchRounds + 1 {
				for i, send := range []func() error{ours, bare} {
					rate := packetsPerSecond(b, inFlight, send)
					if round > 0 { // the first opens the connections
						sums[i] += rate
					}
				}
			}
			b.ReportMetric(sums[0]/benchRounds, "packets/s")
			b.ReportMetric(sums[1]/benchRounds, "ref:bare-net-http")
		})
	}
}

// packetsPerSecond keeps inFlight packets on their way for a round.
func packetsPerSecond(b *testing.B, inFlight int, send func() error) float64 {
	var sent atomic.Int64
	var wait sync.WaitGroup
	begin := time.Now()
	for range inFlight {
		wait.Go(func() {
			for time.Since(begin) < benchRound {
				if err := send(); err != nil {
					b.Error(err)
					return
				}
				sent.Add(1)
			}
		})
	}
	wait.Wait()
	return float64(sent.Load()) / time.Since(begin).Seconds()
}

// benchPacket expires in an hour.
func benchPacket() packet.Prepare {
	p := prepare()
	p.ExpiresAt = time.Now().Add(time.Hour)
	p.Data = make([]byte, benchData)
	return p
}

var benchReply = &packet.Fulfill{Fulfillment: fulfillment, Data: make([]byte, benchData/3)}

// benchOurs starts a server of ours and returns what sends it a packet.
func benchOurs(b *testing.B, inFlight int) func() error {
	discard := slog.New(slog.DiscardHandler)
	n := newNode(b, func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
		return benchReply, nil
	}, func(cfg *ilphttp.ServerConfig) { cfg.MaxInFlightPeer, cfg.Log = inFlight, discard })
	e := newEndpoint(b, n.URL, func(cfg *ilphttp.ClientConfig, to *ilphttp.EndpointConfig) {
		cfg.Log, to.MaxInFlight = discard, inFlight
	})
	p := benchPacket()
	return func() error {
		reply, err := e.SendPacket(context.Background(), p)
		if err == nil && reply.Type() != packet.TypeFulfill {
			err = reply.(*packet.Reject)
		}
		return err
	}
}

// benchBare starts a bare server and returns what sends it the same bytes.
func benchBare(b *testing.B, inFlight int) func() error {
	answer := encode(b, benchReply)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", ilphttp.ContentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		w.Write(answer)
	})}
	l := listen(b)
	go s.Serve(l)
	b.Cleanup(func() { s.Close() })
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: inFlight, DialContext: new(net.Dialer).DialContext}}
	b.Cleanup(client.CloseIdleConnections)
	p := benchPacket()
	body := encode(b, &p)
	url := "http://" + l.Addr().String() + ilphttp.Path
	return func() error {
		req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", ilphttp.ContentType)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		if err == nil && !bytes.Equal(got, answer) {
			err = fmt.Errorf("%s: %d bytes", resp.Status, len(got))
		}
		return err
	}
}
