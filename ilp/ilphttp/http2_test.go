package ilphttp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"pochi/ilp/connector"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

func trustsTests(c *ilphttp.ClientConfig, _ *ilphttp.EndpointConfig) { c.TLS = trusting() }

func TestHTTP2WhereOffered(t *testing.T) {
	for _, protocols := range [][]string{{"h2", "http/1.1"}, {"http/1.1"}} {
		var seen sync.Map
		n := newNode(t, fulfills, func(c *ilphttp.ServerConfig) {
			c.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}, VerifyConnection: func(s tls.ConnectionState) error {
				seen.Store(s.NegotiatedProtocol, true)
				return nil
			}}
			if len(protocols) == 1 {
				c.TLS.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
					return &tls.Config{Certificates: c.TLS.Certificates, NextProtos: protocols, VerifyConnection: c.TLS.VerifyConnection}, nil
				}
			}
		})
		e := newEndpoint(t, n.URL, trustsTests)
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				if reply, err := e.SendPacket(context.Background(), prepare()); err != nil || reply.Type() != packet.TypeFulfill {
					t.Errorf("answered %v, %v", reply, err)
				}
			})
		}
		wait.Wait()
		seen.Range(func(protocol, _ any) bool {
			if protocol != protocols[0] {
				t.Errorf("%q was agreed on, want %q", protocol, protocols[0])
			}
			return true
		})
	}
}

// A certificate that nobody vouches for gets no packet.
func TestCertificateIsChecked(t *testing.T) {
	n := newNode(t, func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
		t.Error("the packet arrived")
		return nil, io.EOF
	}, func(c *ilphttp.ServerConfig) { c.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}} })
	reply, err := newEndpoint(t, n.URL, nil).SendPacket(t.Context(), prepare())
	if err != nil {
		t.Fatal(err)
	}
	wantReject(t, reply, packet.PeerUnreachable)
}

// A peer that reads a packet over HTTP/2 and gives up has got it once, even if it says that it may be sent again.
func TestSentOnceOverHTTP2(t *testing.T) {
	for name, end := range map[string]func(f *http2.Framer, stream uint32){
		"refuses the stream":  func(f *http2.Framer, stream uint32) { f.WriteRSTStream(stream, http2.ErrCodeRefusedStream) },
		"resets the stream":   func(f *http2.Framer, stream uint32) { f.WriteRSTStream(stream, http2.ErrCodeInternal) },
		"a protocol error":    func(f *http2.Framer, stream uint32) { f.WriteRSTStream(stream, http2.ErrCodeProtocol) },
		"goes away before it": func(f *http2.Framer, _ uint32) { f.WriteGoAway(0, http2.ErrCodeNo, nil) },
		"goes away after it":  func(f *http2.Framer, stream uint32) { f.WriteGoAway(stream, http2.ErrCodeNo, nil) },
		"closes":              func(*http2.Framer, uint32) {},
	} {
		t.Run(name, func(t *testing.T) {
			var packets atomic.Int64
			l := tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{certificate()}, NextProtos: []string{"h2"}})
			var wait sync.WaitGroup
			wait.Go(func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					wait.Go(func() {
						defer conn.Close()
						readAndEnd(conn, &packets, end)
					})
				}
			})
			t.Cleanup(func() {
				l.Close()
				wait.Wait()
			})
			e := newEndpoint(t, "https://"+l.Addr().String()+"/ilp", trustsTests)
			reply, err := e.SendPacket(t.Context(), prepare())
			if !errors.Is(err, connector.ErrUnknown) {
				t.Errorf("answered %v, %v", reply, err)
			}
			time.Sleep(20 * time.Millisecond)
			if got := packets.Load(); got != 1 {
				t.Errorf("%d packets arrived", got)
			}
		})
	}
}

// readAndEnd speaks just enough HTTP/2 to read requests. After each it does what end does, and closes a little later.
func readAndEnd(conn net.Conn, packets *atomic.Int64, end func(*http2.Framer, uint32)) {
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(conn, conn)
	f.WriteSettings()
	f.WriteSettingsAck()
	var body bytes.Buffer
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		data, ok := frame.(*http2.DataFrame)
		if !ok {
			continue
		}
		body.Write(data.Data())
		if !data.StreamEnded() {
			continue
		}
		if _, err := packet.DecodePrepare(body.Bytes()); err == nil {
			packets.Add(1)
		}
		body.Reset()
		end(f, data.StreamID)
		time.AfterFunc(10*time.Millisecond, func() { conn.Close() })
	}
}

// A connection that is lost before a packet was written to it loses no packet.
func TestHTTP2PeerClosesIdleConnection(t *testing.T) {
	var connections sync.Map
	n := newNode(t, fulfills, func(c *ilphttp.ServerConfig) {
		c.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}}
	})
	e := newEndpoint(t, n.URL, func(c *ilphttp.ClientConfig, _ *ilphttp.EndpointConfig) {
		c.TLS = trusting()
		c.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			connections.Store(conn, true)
			return conn, err
		}
	})
	for range 3 {
		if reply, err := e.SendPacket(t.Context(), prepare()); err != nil || reply.Type() != packet.TypeFulfill {
			t.Fatalf("answered %v, %v", reply, err)
		}
		connections.Range(func(conn, _ any) bool {
			conn.(net.Conn).Close()
			return true
		})
		time.Sleep(20 * time.Millisecond)
	}
}
