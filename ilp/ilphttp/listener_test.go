package ilphttp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

func annsRequest(t testing.TB) []byte {
	p := prepare()
	return rawRequest(encode(t, &p))
}

// A packet that comes when all connections are peers' is read when there is room, and not lost.
func TestNewcomersWait(t *testing.T) {
	n := newNode(t, fulfills, func(cfg *ilphttp.ServerConfig) { cfg.MaxConnections = 2 })
	one, two := dial(t, n.URL), dial(t, n.URL)
	for _, conn := range []io.ReadWriter{one, two} {
		if status := exchange(t, conn, annsRequest(t)); status != 200 {
			t.Errorf("status %d", status)
		}
	}
	for _, room := range []net.Conn{one, two} {
		next := dial(t, n.URL)
		if _, err := next.Write(annsRequest(t)); err != nil {
			t.Fatal(err)
		}
		room.Close()
		if status := exchange(t, next, nil); status != 200 {
			t.Errorf("who waited got status %d", status)
		}
	}
}

// Who waits for room doesn't keep a server from stopping.
func TestShutdownWhileNewcomersWait(t *testing.T) {
	n := newNode(t, fulfills, func(cfg *ilphttp.ServerConfig) { cfg.MaxConnections = 1 })
	if status := exchange(t, dial(t, n.URL), annsRequest(t)); status != 200 {
		t.Errorf("status %d", status)
	}
	next := dial(t, n.URL)
	if err := n.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := next.Read(make([]byte, 1)); err == nil {
		t.Error("who waited was answered")
	}
}

// However many strangers come, a peer's packet gets through, and its connection stays.
func TestStrangersMakeWay(t *testing.T) {
	for _, secure := range []bool{false, true} {
		n := newNode(t, fulfills, func(cfg *ilphttp.ServerConfig) {
			cfg.MaxConnections, cfg.ReadTimeout = 4, time.Minute
			if secure {
				cfg.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}}
			}
		})
		e := newEndpoint(t, n.URL, trustsTests)
		var strangers []net.Conn
		for range 3 {
			for range 20 {
				strangers = append(strangers, dial(t, n.URL))
			}
			if reply, err := e.SendPacket(t.Context(), prepare()); err != nil || reply.Type() != packet.TypeFulfill {
				t.Errorf("TLS %t: answered %v, %v", secure, reply, err)
			}
		}
		for _, conn := range strangers[:40] {
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Error("a stranger was told something")
			}
		}
	}
}

// from is a listener at which a test says where connections come from.
type from struct {
	conns chan net.Conn
	ended context.Context
	end   context.CancelFunc
}

func newFrom() *from {
	f := &from{conns: make(chan net.Conn)}
	f.ended, f.end = context.WithCancel(context.Background())
	return f
}

func (f *from) Accept() (net.Conn, error) {
	select {
	case conn := <-f.conns:
		return conn, nil
	case <-f.ended.Done():
		return nil, net.ErrClosed
	}
}

func (f *from) Close() error   { f.end(); return nil }
func (f *from) Addr() net.Addr { return new(net.TCPAddr) }

// dial returns the far end of a connection from an address.
func (f *from) dial(address string) net.Conn {
	near, far := net.Pipe()
	f.conns <- remote{near, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 1))}
	synctest.Wait()
	return far
}

type remote struct {
	net.Conn
	addr net.Addr
}

func (r remote) RemoteAddr() net.Addr { return r.addr }

// serveFrom runs a server in a bubble.
func serveFrom(t *testing.T, change func(*ilphttp.ServerConfig), test func(*testing.T, *from)) {
	synctest.Test(t, func(t *testing.T) {
		d := new(ilphttp.Directory)
		if err := d.Set([]ilphttp.Credentials{{Peer: ann, Tokens: hashes(token)}}); err != nil {
			t.Fatal(err)
		}
		cfg := ilphttp.ServerConfig{Address: "test.pochi", Peers: d, Handler: handler(fulfills), Log: quiet(t)}
		change(&cfg)
		s, err := ilphttp.NewServer(cfg)
		if err != nil {
			t.Fatal(err)
		}
		l := newFrom()
		served := make(chan error)
		go func() { served <- s.Serve(l) }()
		test(t, l)
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// open reports whether the other side of a connection, on which nothing was sent, is still open.
func open(conn net.Conn) bool {
	if conn.SetReadDeadline(time.Now().Add(time.Millisecond)) != nil {
		return false
	}
	_, err := conn.Read(make([]byte, 1))
	return !errors.Is(err, io.EOF)
}

// Strangers get less time when it gets narrow.
func TestStrangersHaveLessTime(t *testing.T) {
	serveFrom(t, func(cfg *ilphttp.ServerConfig) { cfg.MaxConnections = 4 }, func(t *testing.T, l *from) {
		first := l.dial("192.0.2.1")
		defer first.Close()
		time.Sleep(2 * time.Second)
		second := l.dial("192.0.2.2")
		defer second.Close()
		if !open(first) {
			t.Error("closed though there was room")
		}
		third := l.dial("192.0.2.3")
		defer third.Close()
		if open(first) || !open(second) || !open(third) {
			t.Errorf("open: %t, %t, %t", open(first), open(second), open(third))
		}
	})
}

func TestConnectionsOfOneAddress(t *testing.T) {
	for name, c := range map[string]struct {
		first, second string
		bound         bool
	}{
		"the same":         {"192.0.2.1", "192.0.2.1", true},
		"in IPv6":          {"::ffff:192.0.2.1", "192.0.2.1", true},
		"in one network":   {"2001:db8::1", "2001:db8::ffff:2", true},
		"others":           {"192.0.2.1", "192.0.2.2", false},
		"in other ones":    {"2001:db8::1", "2001:db8:0:1::1", false},
		"of this machine":  {"127.0.0.1", "127.0.0.1", false},
		"of a proxy":       {"10.1.2.3", "10.1.2.3", false},
		"of a proxy, IPv6": {"::ffff:10.1.2.3", "::ffff:10.1.2.3", false},
	} {
		t.Run(name, func(t *testing.T) {
			serveFrom(t, func(cfg *ilphttp.ServerConfig) {
				cfg.MaxConnections, cfg.MaxConnectionsAddress = 8, 1
				cfg.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
			}, func(t *testing.T, l *from) {
				first, second := l.dial(c.first), l.dial(c.second)
				defer first.Close()
				defer second.Close()
				if open(first) == c.bound || !open(second) {
					t.Errorf("open: %t, %t", open(first), open(second))
				}
			})
		})
	}
}

// A peer with too many connections loses no packet: those that are too many end after one.
func TestPeerWithManyConnections(t *testing.T) {
	serveFrom(t, func(cfg *ilphttp.ServerConfig) { cfg.MaxConnectionsAddress = 2 }, func(t *testing.T, l *from) {
		for i := range 4 {
			conn := l.dial("192.0.2.1")
			defer conn.Close()
			transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
			defer transport.CloseIdleConnections()
			n := &node{URL: "http://192.0.2.9/ilp"}
			p := prepare()
			resp, err := transport.RoundTrip(n.post(t, bytes.NewReader(encode(t, &p)), nil))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 200 || resp.Close != (i >= 2) {
				t.Errorf("connection %d: %s, ends: %t", i, resp.Status, resp.Close)
			}
		}
	})
}
