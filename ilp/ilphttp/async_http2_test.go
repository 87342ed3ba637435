package ilphttp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// Many packets at once both ways, over real sockets, TLS and HTTP/2.
func TestAsyncOverHTTP2(t *testing.T) {
	const packets = 60
	var handled atomic.Int64
	echo := func(_ context.Context, _ ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
		handled.Add(1)
		return &packet.Fulfill{Fulfillment: fulfillment, Data: p.Data}, nil
	}
	listeners := [2]net.Listener{listen(t), listen(t)}
	ids := [2][16]byte{ann.ID, ben}
	var ends [2]endpoint
	var clients [2]*ilphttp.Client
	for i, l := range listeners {
		other := 1 - i
		url := func(i int) string { return "https://" + listeners[i].Addr().String() }
		pending, directory := new(ilphttp.Pending), new(ilphttp.Directory)
		client, err := ilphttp.NewClient(ilphttp.ClientConfig{
			Address: "test.pochi", DialContext: new(net.Dialer).DialContext, Log: quiet(t), TLS: trusting(),
			CallbackURL: url(i) + ilphttp.CallbackPath, Pending: pending,
		})
		if err != nil {
			t.Fatal(err)
		}
		back, err := client.Callback(ilphttp.CallbackConfig{URL: url(other) + ilphttp.CallbackPath, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		if err := directory.Set([]ilphttp.Credentials{{Peer: ilphttp.Peer{ID: ids[other], Callback: back}, Tokens: hashes(token)}}); err != nil {
			t.Fatal(err)
		}
		s, err := ilphttp.NewServer(ilphttp.ServerConfig{
			Address: "test.pochi", Peers: directory, Handler: handler(echo), Log: quiet(t), Pending: pending,
			TLS: &tls.Config{Certificates: []tls.Certificate{certificate()}},
		})
		if err != nil {
			t.Fatal(err)
		}
		e, err := client.Endpoint(ilphttp.EndpointConfig{URL: url(other) + ilphttp.Path, Token: token, Async: true, Peer: ids[other]})
		if err != nil {
			t.Fatal(err)
		}
		ends[i], clients[i] = endpoint{e}, client
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		t.Cleanup(func() {
			if err := s.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
			if err := <-served; err != nil || pending.Len() != 0 || s.AsyncRequests() != 0 {
				t.Errorf("%v, %d packets wait, %d are worked on", err, pending.Len(), s.AsyncRequests())
			}
		})
	}
	t.Cleanup(func() { // so that no server waits for connections that nobody uses
		for _, c := range clients {
			c.CloseIdleConnections()
		}
	})
	var wg sync.WaitGroup
	for i := range packets {
		wg.Go(func() {
			p := prepare()
			p.Data = []byte(strings.Repeat(fmt.Sprint(i), i+1))
			reply, err := ends[i%2].SendPacket(t.Context(), p)
			if f, ok := reply.(*packet.Fulfill); !ok || !bytes.Equal(f.Data, p.Data) {
				t.Errorf("%d: answered %v, %v", i, reply, err)
			}
		})
	}
	wg.Wait()
	if handled.Load() != packets {
		t.Errorf("%d packets were handled, %d sent", handled.Load(), packets)
	}
}
