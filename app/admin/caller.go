package admin

import (
	"context"
	"net"
)

// peer is who asks at the socket.
type peer struct{ uid, pid int }

type peerKey struct{}

// withPeer lets the requests of a connection know who asks. Where the system
// doesn't say, they don't.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	if p, ok := peerOf(c); ok {
		return context.WithValue(ctx, peerKey{}, p)
	}
	return ctx
}

// peerAttributes are what the log says about who asks: nothing when they have the
// database to themselves.
func peerAttributes(ctx context.Context) []any {
	p, ok := ctx.Value(peerKey{}).(peer)
	if !ok {
		return nil
	}
	return []any{"uid", p.uid, "pid", p.pid}
}
