package server

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// mostConnections is how many connections a listener has at most, however many
// files the program may open.
const mostConnections = 4096

// shares returns how many connections the pages and the peers may have, of so
// many files that the program may open. The rest is for the database, for
// admins, and for connections to others.
func shares(files uint64) (pages, peers int) {
	return int(min(files/4, mostConnections)), int(min(files/2, mostConnections))
}

// openFiles returns how many files the program may open: the hard limit, to
// which Go raises the soft one.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 1024 // what most systems begin with
	}
	return limit.Cur
}

// ranges returns the ranges that the configuration names, single addresses too.
func ranges(proxies []string) (out []netip.Prefix) {
	for _, text := range proxies {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			out = append(out, prefix)
		} else if addr, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
		}
	}
	return out
}

// listener has so many connections at most. For one more, it closes one that
// waits for the other side: which came, or was answered, longest ago. It
// remembers them all, so that those on which nothing comes, as browsers open in
// advance, don't hold up the end of the program.
type listener struct {
	net.Listener
	most int

	mu    sync.Mutex
	freed *sync.Cond
	full  atomic.Bool // somebody waits for room
	shut  bool
	open  map[*connection]struct{}
}

func newListener(l net.Listener, most int) *listener {
	made := &listener{Listener: l, most: most, open: map[*connection]struct{}{}}
	made.freed = sync.NewCond(&made.mu)
	return made
}

// Accept implements net.Listener. While every connection is being answered, the
// next one waits.
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: accepted, of: l}
	c.since.Store(time.Now().UnixNano())
	c.waiting.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full.Store(true) // until there is room
	defer l.full.Store(false)
	for len(l.open) >= l.most && !l.shut {
		if !l.closeOne() {
			l.freed.Wait()
		}
	}
	if l.shut {
		accepted.Close()
		return nil, net.ErrClosed
	}
	l.open[c] = struct{}{}
	return c, nil
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.mu.Lock()
	l.shut = true
	l.mu.Unlock()
	l.freed.Broadcast()
	return l.Listener.Close()
}

// closeOne closes a connection that waits for the other side, and reports
// whether there is one. l.mu is held.
func (l *listener) closeOne() bool {
	var longest *connection
	for c := range l.open {
		if c.waiting.Load() && (longest == nil || c.since.Load() < longest.since.Load()) {
			longest = c
		}
	}
	if longest == nil {
		return false
	}
	delete(l.open, longest)
	longest.Conn.Close() // its reader finds out
	return true
}

// cut closes every open connection and returns how many there were.
func (l *listener) cut() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		c.Conn.Close() // its reader finds out
	}
	return len(l.open)
}

type connection struct {
	net.Conn
	of      *listener
	since   atomic.Int64 // it came, or was answered, in Unix nanoseconds
	waiting atomic.Bool  // for the other side
}

// Read implements net.Conn.
func (c *connection) Read(b []byte) (int, error) {
	c.waiting.Store(true)
	defer c.waiting.Store(false)
	if c.of.full.Load() {
		c.of.mu.Lock()
		c.of.freed.Signal() // this one may be closed now
		c.of.mu.Unlock()
	}
	return c.Conn.Read(b)
}

// Write implements net.Conn.
func (c *connection) Write(b []byte) (int, error) {
	c.since.Store(time.Now().UnixNano())
	return c.Conn.Write(b)
}

// What is still read, and for how long, after the last answer.
const (
	lingerBytes = 16 << 20
	linger      = time.Second
)

// Close implements net.Conn. It lets the other side finish what it is sending:
// to close on data that nobody has read resets the connection, and the answer
// that says why it was too much would be lost.
func (c *connection) Close() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok && tcp.CloseWrite() == nil && tcp.SetReadDeadline(time.Now().Add(linger)) == nil {
		_, _ = io.CopyN(io.Discard, tcp, lingerBytes) // whatever ends it, the connection ends now
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	delete(c.of.open, c)
	c.of.freed.Signal()
	return c.Conn.Close()
}
