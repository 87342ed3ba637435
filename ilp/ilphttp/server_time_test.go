package ilphttp_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// dial opens a connection that ends with the test.
func dial(t testing.TB, rawURL string) net.Conn {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// rawRequest is a whole HTTP/1.1 request of Ann's.
func rawRequest(body []byte) []byte {
	header := fmt.Sprintf("POST /ilp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		token, ilphttp.ContentType, len(body))
	return append([]byte(header), body...)
}

// exchange writes a request and returns the status that comes back, or 0 if nothing does.
func exchange(t testing.TB, conn io.ReadWriter, request []byte) (status int) {
	t.Helper()
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// Hazards 11 and 20.
func TestExpiryBoundsTheWork(t *testing.T) {
	asked := 0
	var left time.Duration
	n := newNode(t, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
		asked++
		deadline, ok := ctx.Deadline()
		if !ok {
			t.Error("no deadline")
		}
		left = time.Until(deadline)
		return fulfills(ctx, from, p)
	}, func(cfg *ilphttp.ServerConfig) { cfg.MaxHold = 7 * time.Second })
	p := prepare()
	for _, c := range []struct{ in, want time.Duration }{
		{3 * time.Second, 3 * time.Second}, {8 * time.Second, 7 * time.Second}, {365 * 24 * time.Hour, 7 * time.Second},
	} {
		p.ExpiresAt = time.Now().Add(c.in)
		if reply := n.send(t, p); reply.Type() != packet.TypeFulfill || left > c.want || left < c.want-2*time.Second {
			t.Errorf("expires in %v: worked on for %v, answered %v", c.in, left, reply)
		}
	}
	asked = 0
	for _, at := range []time.Time{time.Now().Add(-5 * time.Second), time.Unix(0, 0)} {
		p.ExpiresAt = at
		wantReject(t, n.send(t, p), packet.TimedOut)
	}
	if asked != 0 {
		t.Error("somebody worked on a packet that had expired")
	}
}

// A Fulfill means that money has moved: it is sent however late it comes.
func TestLateFulfill(t *testing.T) {
	n := newNode(t, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
		<-ctx.Done()
		return fulfills(ctx, from, p)
	}, func(cfg *ilphttp.ServerConfig) { cfg.MaxHold = 10 * time.Millisecond })
	if reply := n.send(t, prepare()); reply.Type() != packet.TypeFulfill {
		t.Errorf("answered %v", reply)
	}
}

// A peer that hangs up leaves no packet half done.
func TestPeerHangsUp(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			begun, gone, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			n := newNode(t, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
				close(begun)
				<-gone
				time.Sleep(50 * time.Millisecond) // for the server to notice
				done <- ctx.Err()
				return fulfills(ctx, from, p)
			}, func(cfg *ilphttp.ServerConfig) {
				if protocol == "HTTP/2.0" {
					cfg.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}}
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			transport := &http.Transport{TLSClientConfig: trusting(), ForceAttemptHTTP2: true}
			p := prepare()
			result := make(chan error, 1)
			go func() {
				resp, err := transport.RoundTrip(n.post(t, bytes.NewReader(encode(t, &p)), nil).WithContext(ctx))
				if err == nil {
					resp.Body.Close()
				}
				result <- err
			}()
			<-begun
			cancel()
			if err := <-result; !errors.Is(err, context.Canceled) {
				t.Errorf("the request: %v", err)
			}
			transport.CloseIdleConnections()
			shut := make(chan error, 1)
			go func() { shut <- n.Shutdown(context.Background()) }()
			select {
			case err := <-shut:
				t.Errorf("the server didn't wait for the packet: %v", err)
			case <-time.After(100 * time.Millisecond):
			}
			close(gone)
			if err := <-done; err != nil {
				t.Errorf("the packet's context: %v", err)
			}
			if err := <-shut; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestShutdownFinishes(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	n := newNode(t, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
		close(begun)
		<-end
		return fulfills(ctx, from, p)
	}, nil)
	answer := make(chan packet.Reply, 1)
	go func() { answer <- n.send(t, prepare()) }()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := n.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shut down with a packet in flight: %v", err)
	}
	if conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(n.URL, "http://"), ilphttp.Path)); err == nil {
		conn.Close()
		t.Error("somebody still listens")
	}
	close(end)
	if reply := <-answer; reply.Type() != packet.TypeFulfill {
		t.Errorf("answered %v", reply)
	}
	if err := n.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSlowRequests(t *testing.T) {
	n := newNode(t, fulfills, func(cfg *ilphttp.ServerConfig) { cfg.ReadTimeout, cfg.MaxInFlight = 200*time.Millisecond, 1 })
	p := prepare()
	whole := rawRequest(encode(t, &p))
	for name, request := range map[string][]byte{
		"nothing":                 nil,
		"half a header":           whole[:20],
		"a body that never comes": whole[:bytes.Index(whole, []byte("\r\n\r\n"))+4],
		"a byte is missing":       whole[:len(whole)-1],
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			status := exchange(t, dial(t, n.URL), request)
			if status != 0 && status != http.StatusRequestTimeout {
				t.Errorf("status %d", status)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("the connection was open for %v", took)
			}
		})
	}
	if reply := n.send(t, p); reply.Type() != packet.TypeFulfill { // nothing is left in flight
		t.Errorf("answered %v", reply)
	}
}

// A body that ends early is no packet, whatever was announced.
func TestBodyEndsEarly(t *testing.T) {
	n := newNode(t, func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
		t.Error("handled")
		return nil, io.ErrUnexpectedEOF
	}, nil)
	p := prepare()
	whole := rawRequest(encode(t, &p))
	conn := dial(t, n.URL)
	if _, err := conn.Write(whole[:len(whole)-1]); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if status := exchange(t, struct {
		io.Reader
		io.Writer
	}{conn, io.Discard}, nil); status != 400 {
		t.Errorf("status %d", status)
	}
}

// ReadTimeout is for the request, not for the work that it asks for.
func TestWorkTakesLongerThanReading(t *testing.T) {
	for _, secure := range []bool{false, true} {
		n := newNode(t, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			time.Sleep(300 * time.Millisecond)
			if err := ctx.Err(); err != nil {
				t.Error(err)
			}
			return fulfills(ctx, from, p)
		}, func(cfg *ilphttp.ServerConfig) {
			cfg.ReadTimeout = 100 * time.Millisecond
			if secure {
				cfg.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}}
			}
		})
		e := newEndpoint(t, n.URL, trustsTests)
		for range 2 {
			if reply, err := e.SendPacket(t.Context(), prepare()); err != nil || reply.Type() != packet.TypeFulfill {
				t.Errorf("TLS %t: answered %v, %v", secure, reply, err)
			}
		}
	}
}
