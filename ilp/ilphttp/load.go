package ilphttp

import (
	"errors"
	"io"
	"sync"
)

// load is the body of a request that can be called back until all of it was handed to the transport. A packet that lacks its
// last byte is no packet, so a peer can't act on a load that was called back.
type load struct {
	mu       sync.Mutex
	begun    func() // is called when the transport has a connection, and begins
	left     []byte
	recalled bool
}

var errRecalled = errors.New("the packet was called back")

// Read hands out what is left.
func (l *load) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recalled {
		return 0, errRecalled
	}
	if len(l.left) == 0 {
		return 0, io.EOF
	}
	if l.begun != nil {
		l.begun()
		l.begun = nil
	}
	n := copy(p, l.left)
	l.left = l.left[n:]
	return n, nil
}

// Close does nothing: the transport may close a body that it goes on to send.
func (l *load) Close() error { return nil }

// recall makes sure that the rest is never handed out. It returns false if there is no rest.
func (l *load) recall() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.left) == 0 {
		return false
	}
	l.recalled = true
	return true
}
