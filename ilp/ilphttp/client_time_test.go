package ilphttp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// silence takes a packet and says nothing until the other side hangs up.
func silence(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// drip answers, a byte at a time, without end.
func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", ilphttp.ContentType)
	for r.Context().Err() == nil {
		w.Write([]byte{0})
		w.(http.Flusher).Flush()
		time.Sleep(10 * time.Millisecond)
	}
}

func TestNoAnswerInTime(t *testing.T) {
	const soon = 200 * time.Millisecond
	for name, c := range map[string]struct {
		peer            http.HandlerFunc
		expires, margin time.Duration
	}{
		"until it expires": {silence, soon, 0},
		"less the margin":  {silence, 10 * time.Second, 10*time.Second - soon},
		"drop by drop":     {drip, soon, 0},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t, serve(t, c.peer), func(cfg *ilphttp.ClientConfig, _ *ilphttp.EndpointConfig) { cfg.Margin = c.margin })
			p := prepare()
			begin := time.Now()
			p.ExpiresAt = begin.Add(c.expires)
			reply, err := e.SendPacket(t.Context(), p)
			wantUnknown(t, reply, err, 0, packet.TimedOut)
			if took := time.Since(begin); took < soon-5*time.Millisecond || took > soon+2*time.Second {
				t.Errorf("waited for %v, want %v", took, soon)
			}
		})
	}
}

// stuck never connects.
func stuck(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestNoConnectionInTime(t *testing.T) {
	e := newEndpoint(t, "https://ben.example/ilp", func(c *ilphttp.ClientConfig, _ *ilphttp.EndpointConfig) { c.DialContext = stuck })
	p := prepare()
	p.ExpiresAt = time.Now().Add(100 * time.Millisecond)
	reply, err := e.SendPacket(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	wantReject(t, reply, packet.TimedOut)
}

// ctx is for not beginning.
func TestCallerGivesUpBefore(t *testing.T) {
	e := newEndpoint(t, "https://ben.example/ilp", func(c *ilphttp.ClientConfig, _ *ilphttp.EndpointConfig) { c.DialContext = stuck })
	for name, c := range map[string]struct {
		give func(context.Context) (context.Context, context.CancelFunc)
		code packet.Code
	}{
		"cancelled": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		}, packet.InternalError},
		"at once": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}, packet.InternalError},
		"out of time": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 50*time.Millisecond)
		}, packet.TimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := c.give(t.Context())
			defer cancel()
			begin := time.Now()
			reply, err := e.SendPacket(ctx, prepare())
			if err != nil {
				t.Fatal(err)
			}
			wantReject(t, reply, c.code)
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestCallerGivesUpAfter(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := newNode(t, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
		cancel()
		time.Sleep(50 * time.Millisecond)
		return fulfills(ctx, from, p)
	}, nil)
	if reply, err := newEndpoint(t, n.URL, nil).SendPacket(ctx, prepare()); err != nil || reply.Type() != packet.TypeFulfill {
		t.Errorf("answered %v, %v: once a packet has left, its answer counts", reply, err)
	}
	if !errors.Is(ctx.Err(), context.Canceled) {
		t.Error("the caller hadn't given up")
	}
}
