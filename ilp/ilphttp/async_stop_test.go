package ilphttp_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// A server that stops sees to it that replies arrive, for as long as it may.
func TestShutdownFinishesCallbacks(t *testing.T) {
	for name, c := range map[string]struct {
		patience time.Duration
		took     time.Duration
		calls    int
		err      error
	}{
		"in time":      {time.Minute, 2750 * time.Millisecond, 3, nil},
		"out of time":  {2200 * time.Millisecond, 2200 * time.Millisecond, 1, context.DeadlineExceeded},
		"while asking": {time.Second, time.Second, 0, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := new(network)
				a := newAnn(t, n, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
					time.Sleep(2 * time.Second)
					return fulfills(ctx, from, p)
				}, nil)
				calls := 0
				n.serve(t, benAddr, func(w http.ResponseWriter, _ *http.Request) {
					if calls++; calls < 3 {
						w.WriteHeader(503)
					}
				})
				if status, text := n.sendAsync(t, "1", prepare(), benCallback); status != 202 {
					t.Fatalf("%d, %q", status, text)
				}
				ctx, cancel := context.WithTimeout(t.Context(), c.patience)
				defer cancel()
				begin := time.Now()
				err := a.Shutdown(ctx)
				took := time.Since(begin)
				synctest.Wait()
				// net/http looks at its connections every now and then
				if !errors.Is(err, c.err) || took < c.took || took > c.took+time.Second || calls != c.calls {
					t.Errorf("%v after %v and %d callbacks", err, took, calls)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if calls != c.calls {
					t.Errorf("%d callbacks after the end, want %d", calls, c.calls)
				}
			})
		})
	}
}

// What the node itself has sent is answered between Refuse and Shutdown, while nobody's packets are taken.
func TestRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		newBen(t, n, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			time.Sleep(3 * time.Second)
			return fulfills(ctx, from, p)
		}, nil)
		a := newAnn(t, n, noPackets(t), nil)
		answer := make(chan packet.Reply, 1)
		go func() {
			reply, err := a.toBen(t, nil).SendPacket(t.Context(), prepare())
			if err != nil {
				t.Error(err)
			}
			answer <- reply
		}()
		synctest.Wait()
		a.Refuse()
		p := prepare()
		_, body := n.post(t, ilphttp.Path, carolToken, encode(t, &p), nil)
		if reply, err := packet.DecodeReply([]byte(body)); err != nil {
			t.Error(err)
		} else {
			wantReject(t, reply, packet.InternalError)
		}
		if reply := <-answer; reply == nil || reply.Type() != packet.TypeFulfill {
			t.Errorf("answered %v", reply)
		}
	})
}

// A server that stops takes no packets, but the callbacks that the packets in flight wait for.
func TestShutdownTakesCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		newBen(t, n, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			time.Sleep(3 * time.Second)
			return fulfills(ctx, from, p)
		}, nil)
		var toBen endpoint
		a := newAnn(t, n, func(ctx context.Context, _ ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			return toBen.SendPacket(ctx, p)
		}, nil)
		toBen = a.toBen(t, nil)
		p := prepare()
		answer := make(chan string, 1)
		go func() {
			_, body := n.post(t, ilphttp.Path, carolToken, encode(t, &p), nil)
			answer <- body
		}()
		synctest.Wait()
		shut := make(chan error, 1)
		go func() { shut <- a.Shutdown(context.Background()) }()
		synctest.Wait()
		_, body := n.post(t, ilphttp.Path, carolToken, encode(t, &p), nil)
		if reply, err := packet.DecodeReply([]byte(body)); err != nil {
			t.Error(err)
		} else {
			wantReject(t, reply, packet.InternalError)
		}
		if status, _ := n.sendAsync(t, "1", p); status != 429 {
			t.Errorf("status %d", status)
		}
		if reply, err := packet.DecodeReply([]byte(<-answer)); err != nil || reply.Type() != packet.TypeFulfill {
			t.Errorf("answered %v, %v", reply, err)
		}
		if err := <-shut; err != nil {
			t.Error(err)
		}
	})
}
