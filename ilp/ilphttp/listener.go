package ilphttp

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// gate is a listener with room for so many connections. A connection is a stranger's until a peer has sent a request on it. When
// there is no room, the stranger who came first has to leave; where there are none, newcomers wait unread until another
// connection ends: a packet on its way to a closed connection would be in doubt, though nobody has read it.
type gate struct {
	net.Listener
	max        int
	maxAddress int            // of one address
	proxies    []netip.Prefix // which that isn't for
	patience   time.Duration  // for strangers, while more than half of the room is taken
	left       func()         // is told of every stranger who had to leave

	mu        sync.Mutex
	freed     *sync.Cond
	shut      bool
	open      int
	strangers list.List // of *guarded, who came first in front
	addresses map[netip.Addr]int
}

func newGate(l net.Listener, cfg ServerConfig, left func()) *gate {
	g := &gate{
		Listener: l, max: cfg.MaxConnections, maxAddress: cfg.MaxConnectionsAddress, proxies: cfg.Proxies,
		patience: cfg.ReadTimeout / 8, left: left, addresses: make(map[netip.Addr]int),
	}
	g.freed = sync.NewCond(&g.mu)
	return g
}

// Accept returns the next connection, once there is room for it.
func (g *gate) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &guarded{Conn: conn, gate: g, since: time.Now(), address: g.counted(conn.RemoteAddr())}
	if !g.admit(c) {
		_ = conn.Close() // nobody listens any more
		return nil, net.ErrClosed
	}
	return c, nil
}

// Close also ends an Accept that waits for room.
func (g *gate) Close() error {
	g.mu.Lock()
	g.shut = true
	g.mu.Unlock()
	g.freed.Broadcast()
	return g.Listener.Close()
}

// counted returns what an address counts as: of IPv6 the network, since a host has all of it. It is invalid for this machine's
// own and for proxies.
func (g *gate) counted(remote net.Addr) netip.Addr {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	a := tcp.AddrPort().Addr().Unmap().WithZone("")
	if a.IsLoopback() {
		return netip.Addr{}
	}
	for _, p := range g.proxies {
		if p.Contains(a) {
			return netip.Addr{}
		}
	}
	if a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a
}

// admit makes and waits for room. It reports false if the listener closes meanwhile.
func (g *gate) admit(c *guarded) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.crowded(c.address) {
		if first := g.firstOf(c.address); first != nil {
			g.evict(first)
		}
	}
	for first := g.first(); first != nil && g.open >= g.max/2 && c.since.Sub(first.since) >= g.patience; first = g.first() {
		g.evict(first)
	}
	for g.open >= g.max && !g.shut {
		if first := g.first(); first != nil {
			g.evict(first)
		} else {
			g.freed.Wait()
		}
	}
	if g.shut {
		return false
	}
	g.open++
	if c.address.IsValid() {
		g.addresses[c.address]++
	}
	c.stranger = g.strangers.PushBack(c)
	return true
}

// first returns the stranger who came first, or nil. g.mu is held.
func (g *gate) first() *guarded {
	if e := g.strangers.Front(); e != nil {
		return e.Value.(*guarded)
	}
	return nil
}

// crowded reports whether an address has all the connections that it may have. g.mu is held.
func (g *gate) crowded(address netip.Addr) bool {
	return address.IsValid() && g.addresses[address] >= g.maxAddress
}

// firstOf returns the stranger who came first from an address, or nil. g.mu is held.
func (g *gate) firstOf(address netip.Addr) *guarded {
	for e := g.strangers.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*guarded); c.address == address {
			return c
		}
	}
	return nil
}

// evict closes a stranger's connection. g.mu is held.
func (g *gate) evict(c *guarded) {
	g.forget(c)
	_ = c.Conn.Close() // who reads from it finds out
	g.left()
}

// forget makes the room free that a connection took. g.mu is held.
func (g *gate) forget(c *guarded) {
	if c.gone {
		return
	}
	c.gone = true
	g.open--
	if c.address.IsValid() {
		if g.addresses[c.address]--; g.addresses[c.address] == 0 {
			delete(g.addresses, c.address)
		}
	}
	g.settle(c)
	g.freed.Signal()
}

// settle takes a connection off the strangers. g.mu is held.
func (g *gate) settle(c *guarded) {
	if c.stranger != nil {
		g.strangers.Remove(c.stranger)
		c.stranger = nil
	}
}

// guarded is a connection that the gate has let in.
type guarded struct {
	net.Conn
	gate    *gate
	since   time.Time
	address netip.Addr
	known   atomic.Bool // a peer has sent a request

	stranger *list.Element // while it is one
	gone     bool
}

// Close makes room for another connection.
func (c *guarded) Close() error {
	err := c.Conn.Close()
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	c.gate.forget(c)
	return err
}

// vouch says that a peer has sent a request, so that the connection stays. It reports gone if that comes too late, and brief if
// the connection is to end after this request, because its address has more than it may have.
func (c *guarded) vouch() (gone, brief bool) {
	if c.known.Load() {
		return false, false
	}
	g := c.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.gone {
		return true, false
	}
	g.settle(c)
	c.known.Store(true)
	return false, c.address.IsValid() && g.addresses[c.address] > g.maxAddress
}

type guardedKey struct{}

// withConn lets vouch find a request's connection.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return context.WithValue(ctx, guardedKey{}, conn)
}

// vouch says that a peer has sent a request on its connection. It ends the request if the connection had to go: then the peer
// can't get an answer, so nothing may be done.
func vouch(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(guardedKey{}).(*guarded)
	if !ok {
		return // others listen
	}
	gone, brief := c.vouch()
	if gone {
		panic(http.ErrAbortHandler)
	}
	if brief {
		w.Header().Set("Connection", "close")
	}
}
