package ilphttp

import (
	"net"
	"sync"
	"sync/atomic"
)

// limitedListener closes connections of which there are too many.
type limitedListener struct {
	net.Listener
	left int64 // atomic
}

// Accept returns the next connection that there is room for.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if atomic.AddInt64(&l.left, -1) >= 0 {
			return &limitedConn{Conn: conn, free: sync.OnceFunc(func() { atomic.AddInt64(&l.left, 1) })}, nil
		}
		atomic.AddInt64(&l.left, 1)
		_ = conn.Close() // it is refused either way
	}
}

type limitedConn struct {
	net.Conn
	free func()
}

// Close makes room for another connection.
func (c *limitedConn) Close() error {
	defer c.free()
	return c.Conn.Close()
}
