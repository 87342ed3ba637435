package admin

import (
	"context"
	"net"
)

// caller is who asks at the socket.
type caller struct{ uid, pid int }

type callerKey struct{}

// withCaller lets the requests of a connection know who asks. Where the system
// doesn't say, they don't.
func withCaller(ctx context.Context, c net.Conn) context.Context {
	if p, ok := callerOf(c); ok {
		return context.WithValue(ctx, callerKey{}, p)
	}
	return ctx
}

// callerAttributes are what the log says about who asks: nothing when they have the
// database to themselves.
func callerAttributes(ctx context.Context) []any {
	p, ok := ctx.Value(callerKey{}).(caller)
	if !ok {
		return nil
	}
	return []any{"uid", p.uid, "pid", p.pid}
}
