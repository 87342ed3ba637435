package server

import (
	"io"
	"net"
	"sync"
	"time"
)

// listener remembers its open connections, so that those on which nothing
// comes, as browsers open in advance, don't hold up the end of the program.
type listener struct {
	net.Listener

	mu   sync.Mutex
	open map[net.Conn]struct{}
}

func newListener(l net.Listener) *listener {
	return &listener{Listener: l, open: map[net.Conn]struct{}{}}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = struct{}{}
	return connection{c, l}, nil
}

// cut closes every open connection and returns how many there were.
func (l *listener) cut() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		c.Close() // its reader finds out
	}
	return len(l.open)
}

type connection struct {
	net.Conn
	of *listener
}

// What is still read, and for how long, after the last answer.
const (
	lingerBytes = 16 << 20
	linger      = time.Second
)

// Close implements net.Conn. It lets the other side finish what it is sending:
// to close on data that nobody has read resets the connection, and the answer
// that says why it was too much would be lost.
func (c connection) Close() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok && tcp.CloseWrite() == nil && tcp.SetReadDeadline(time.Now().Add(linger)) == nil {
		_, _ = io.CopyN(io.Discard, tcp, lingerBytes) // whatever ends it, the connection ends now
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	delete(c.of.open, c.Conn)
	return c.Conn.Close()
}
