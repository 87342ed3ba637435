package ilphttp_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// written is a log, and the lines that were written to it.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *written) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *written) log() *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// lines returns what was written since it was last asked.
func (w *written) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.text.Reset()
	return strings.FieldsFunc(w.text.String(), func(r rune) bool { return r == '\n' })
}

// wantLines checks how many lines there are, and that the last has all texts.
func wantLines(t *testing.T, lines []string, n int, texts ...string) {
	t.Helper()
	if len(lines) != n {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), n, strings.Join(lines, "\n"))
	}
	for _, text := range texts {
		if !strings.Contains(lines[n-1], text) {
			t.Errorf("%q, want %q", lines[n-1], text)
		}
	}
}

// A peer that fails can't fill the log of who sends to it.
func TestFailuresAreLoggedSeldom(t *testing.T) {
	var status atomic.Int64
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) })
	var log written
	var later atomic.Int64
	e := newEndpoint(t, url, func(cfg *ilphttp.ClientConfig, _ *ilphttp.EndpointConfig) {
		cfg.Log, cfg.Now = log.log(), func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	send := func(n, answer int) {
		status.Store(int64(answer))
		for range n {
			p := prepare()
			p.ExpiresAt = p.ExpiresAt.Add(time.Hour)
			_, _ = e.SendPacket(t.Context(), p)
		}
	}
	send(3, 401)
	wantLines(t, log.lines(), 1, "level=WARN", "peer=ben", "status=401")
	send(2, 500)
	wantLines(t, log.lines(), 1, "status=500")
	later.Store(int64(time.Minute))
	send(2, 403)
	wantLines(t, log.lines(), 1, "status=403", "left_out=2")
}

// Nor can one whose packets nobody can answer.
func TestPacketsWithoutAnswerAreLoggedSeldom(t *testing.T) {
	var log written
	n := newNode(t, func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
		return nil, errors.New("no")
	}, func(cfg *ilphttp.ServerConfig) { cfg.Log = log.log() })
	for range 3 {
		p := prepare()
		if resp, _ := do(t, n.post(t, bytes.NewReader(encode(t, &p)), nil)); resp.StatusCode != 500 {
			t.Error(resp.Status)
		}
	}
	wantLines(t, log.lines(), 1, "level=ERROR", "peer=ann")
}

// Whoever knocks is told of in one line a minute, without what they sent.
func TestRefusalsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log written
		d := new(ilphttp.Directory)
		if err := d.Set([]ilphttp.Credentials{{Peer: ann, Tokens: hashes(token)}}); err != nil {
			t.Fatal(err)
		}
		s, err := ilphttp.NewServer(ilphttp.ServerConfig{Address: "test.pochi", Peers: d, Handler: handler(fulfills), Log: log.log()})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(method, path, token, contentType, body string) {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", contentType)
			r.RemoteAddr = "192.0.2.7:1234"
			s.ServeHTTP(httptest.NewRecorder(), r)
		}
		p := prepare()
		packet := string(encode(t, &p))
		const octets = ilphttp.ContentType
		minute := func() []string {
			time.Sleep(time.Minute)
			synctest.Wait()
			return log.lines()
		}
		ask("POST", "/ilp", token, octets, packet)
		wantLines(t, minute(), 0)

		ask("POST", "/ilp", "guessed", octets, packet)
		ask("POST", "/ilp", "guessed", octets, packet)
		ask("GET", "/ilp", "guessed", octets, "")
		ask("GET", "/robots.txt", "guessed", octets, "")
		lines := minute()
		wantLines(t, lines, 1, "level=INFO", "strangers.401=2", "strangers.404=1", "strangers.405=1", "last_from=192.0.2.7")
		if strings.Contains(lines[0], "guessed") || strings.Contains(lines[0], "peers") {
			t.Error(lines[0])
		}

		ask("POST", "/ilp", token, "text/plain", packet)
		ask("POST", "/ilp", token, octets, "hello")
		lines = minute()
		wantLines(t, lines, 1, "peers.ann.times=2", "peers.ann.status=400", `peers.ann.reason="no ILP packet: it begins with byte 0x68"`)
		if strings.Contains(lines[0], "strangers") || strings.Contains(lines[0], token) {
			t.Error(lines[0])
		}

		ask("POST", "/ilp", "", octets, packet)
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wantLines(t, log.lines(), 1, "strangers.401=1")
		wantLines(t, minute(), 0)
	})
}

// A peer that can't be reached is not called for every packet, and is found soon when it is back.
func TestUnreachablePeerIsCalledSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near := newFrom()
		defer near.Close()
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", ilphttp.ContentType)
			w.Write(encode(t, &packet.Fulfill{Fulfillment: fulfillment}))
		})}
		go s.Serve(near)
		defer s.Close()
		var dials int
		up := false
		e := newEndpoint(t, "https://ben.example/ilp", func(cfg *ilphttp.ClientConfig, to *ilphttp.EndpointConfig) {
			to.URL = "http://127.0.0.1/ilp"
			cfg.DialContext = func(context.Context, string, string) (net.Conn, error) {
				dials++
				if !up {
					return nil, errors.New("refused")
				}
				return near.dial("127.0.0.1"), nil
			}
		})
		send := func() packet.Type {
			reply, err := e.SendPacket(t.Context(), prepare())
			if err != nil {
				t.Fatal(err)
			}
			if reply.Type() == packet.TypeReject {
				wantReject(t, reply, packet.PeerUnreachable)
			}
			return reply.Type()
		}
		for range 60_000 / 20 { // a minute
			send()
			time.Sleep(20 * time.Millisecond)
		}
		if dials < 12 || dials > 20 {
			t.Errorf("%d dials in a minute", dials)
		}
		up = true
		began := time.Now()
		for send() != packet.TypeFulfill {
			time.Sleep(20 * time.Millisecond)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("found after %v", took)
		}
		up, dials = false, 0
		e.CloseIdle()
		send()
		time.Sleep(200 * time.Millisecond)
		send()
		if dials != 2 {
			t.Errorf("%d dials after a new failure and 200 ms", dials)
		}
	})
}
