package ilphttp_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/ilp/connector"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// rawPeer is a peer of which a test controls every byte. It counts the whole packets that it got.
type rawPeer struct {
	url     string
	packets atomic.Int64
}

// newRawPeer has talk speak on every connection, which ends when talk returns.
func newRawPeer(t testing.TB, talk func(p *rawPeer, conn *net.TCPConn, r *bufio.Reader)) *rawPeer {
	t.Helper()
	l := listen(t)
	p := &rawPeer{url: "http://" + l.Addr().String() + "/ilp"}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer conn.Close()
				talk(p, conn.(*net.TCPConn), bufio.NewReader(conn))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wait.Wait()
	})
	return p
}

// read takes one request, and reports whether it was whole.
func (p *rawPeer) read(r *bufio.Reader) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return false
	}
	if _, err := packet.DecodePrepare(b); err != nil {
		return false
	}
	p.packets.Add(1)
	return true
}

func (p *rawPeer) answer(t testing.TB, w io.Writer) {
	body := encode(t, &packet.Fulfill{Fulfillment: fulfillment})
	fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", ilphttp.ContentType, len(body), body)
}

// reset makes the connection end with a TCP reset.
func reset(conn *net.TCPConn) { conn.SetLinger(0) }

// A peer that reads a packet and closes has got it once: on a new connection, on one that was used before, politely or not.
func TestSentOnce(t *testing.T) {
	for name, c := range map[string]struct {
		before int // packets that are answered on a connection
		end    func(*net.TCPConn)
	}{
		"a new connection":         {0, func(*net.TCPConn) {}},
		"a new connection, reset":  {0, reset},
		"a used connection":        {1, func(*net.TCPConn) {}},
		"a used connection, reset": {1, reset},
		"half an answer":           {1, func(conn *net.TCPConn) { io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-") }},
		"the peer asks to try again": {1, func(conn *net.TCPConn) {
			io.WriteString(conn, "HTTP/1.1 503 x\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n")
		}},
		"the peer claims a timeout": {1, func(conn *net.TCPConn) {
			io.WriteString(conn, "HTTP/1.1 408 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			peer := newRawPeer(t, func(p *rawPeer, conn *net.TCPConn, r *bufio.Reader) {
				for range c.before {
					if !p.read(r) {
						return
					}
					p.answer(t, conn)
				}
				if p.read(r) {
					c.end(conn)
				}
			})
			e := newEndpoint(t, peer.url, nil)
			for range c.before {
				if reply, err := e.SendPacket(t.Context(), prepare()); err != nil || reply.Type() != packet.TypeFulfill {
					t.Fatalf("answered %v, %v", reply, err)
				}
			}
			reply, err := e.SendPacket(t.Context(), prepare())
			if name == "the peer claims a timeout" { // net/http takes this for a connection that was closed while idle
				if err == nil {
					wantReject(t, reply, packet.InternalError)
				}
			} else if !errors.Is(err, connector.ErrUnknown) {
				t.Errorf("answered %v, %v", reply, err)
			}
			time.Sleep(20 * time.Millisecond)
			if got := peer.packets.Load(); got != int64(c.before)+1 {
				t.Errorf("%d packets arrived, want %d", got, c.before+1)
			}
		})
	}
}

// A peer that closes an idle connection loses no packet: the next goes over a new one.
func TestPeerClosesIdleConnection(t *testing.T) {
	closed := make(chan struct{}, 1)
	peer := newRawPeer(t, func(p *rawPeer, conn *net.TCPConn, r *bufio.Reader) {
		if p.read(r) {
			p.answer(t, conn)
			conn.Close()
			closed <- struct{}{}
		}
	})
	e := newEndpoint(t, peer.url, nil)
	for range 5 {
		if reply, err := e.SendPacket(t.Context(), prepare()); err != nil || reply.Type() != packet.TypeFulfill {
			t.Fatalf("answered %v, %v", reply, err)
		}
		<-closed
		time.Sleep(20 * time.Millisecond) // for the news to arrive
	}
	if got := peer.packets.Load(); got != 5 {
		t.Errorf("%d packets arrived, want 5", got)
	}
}

// A peer closes at any moment, also the one in which the next packet is sent. Whatever comes of that, no packet arrives twice,
// and one that is rejected as not sent never arrived.
func TestPeerClosesWhenItLikes(t *testing.T) {
	const packets = 300
	peer := newRawPeer(t, func(p *rawPeer, conn *net.TCPConn, r *bufio.Reader) {
		for i := 0; p.read(r); i++ {
			p.answer(t, conn)
			if i%2 == 1 {
				time.Sleep(time.Duration(p.packets.Load()%40) * 5 * time.Microsecond)
				if p.packets.Load()%3 == 0 {
					reset(conn)
				}
				return
			}
		}
	})
	e := newEndpoint(t, peer.url, nil)
	fulfilled, unknown, unsent := 0, 0, 0
	for range packets {
		before := peer.packets.Load()
		reply, err := e.SendPacket(t.Context(), prepare())
		arrived := peer.packets.Load() - before
		switch {
		case errors.Is(err, connector.ErrUnknown) && arrived <= 1:
			unknown++
		case err == nil && reply.Type() == packet.TypeFulfill && arrived == 1:
			fulfilled++
		case err == nil && reply.Type() == packet.TypeReject && arrived == 0:
			unsent++
		default:
			t.Fatalf("%d arrived, answered %v, %v", arrived, reply, err)
		}
	}
	t.Logf("%d fulfilled, %d unknown, %d not sent", fulfilled, unknown, unsent)
	if fulfilled < packets/2 {
		t.Errorf("only %d fulfilled", fulfilled)
	}
}
