package ilphttp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pochi/ilp/connector"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// sendAsync posts a packet as Ben, to be answered in a callback, and returns the status.
func (n *network) sendAsync(t testing.TB, id string, p packet.Prepare, callbackURL ...string) (status int, text string) {
	t.Helper()
	return n.post(t, ilphttp.Path, benToken, encode(t, &p), func(r *http.Request) {
		r.Header.Set("Request-Id", id)
		if callbackURL != nil {
			r.Header["Callback-Url"] = callbackURL
		}
	})
}

// Hazard 31: a reply that gets lost is sent again until the packet expires, whoever takes it has it, and it is the same each time.
func TestCallbackIsRepeated(t *testing.T) {
	const hang = -1
	for name, c := range map[string]struct {
		answers []int // statuses; 0 breaks the connection, hang doesn't answer
		expires time.Duration
		want    int           // callbacks
		took    time.Duration // from the first to the last
	}{
		"taken":                    {[]int{200}, 10 * time.Second, 1, 0},
		"any status of 2xx":        {[]int{204}, 10 * time.Second, 1, 0},
		"refused":                  {[]int{400}, 10 * time.Second, 1, 0},
		"any status of 4xx":        {[]int{429}, 10 * time.Second, 1, 0},
		"sent elsewhere":           {[]int{307}, 10 * time.Second, 1, 0},
		"503, a break, then taken": {[]int{503, 0, 200}, 10 * time.Second, 3, 750 * time.Millisecond},
		"no answer, then refused":  {[]int{hang, 400}, 10 * time.Second, 2, 5250 * time.Millisecond},
		"never taken":              {[]int{500, 502, 503, 500, 500, 500, 500, 500}, 10 * time.Second, 6, 7750 * time.Millisecond},
		"expires at once":          {[]int{500, 200}, 200 * time.Millisecond, 1, 0},
		"expired":                  {[]int{500, 200}, -time.Second, 1, 0},
		"never expires":            {make([]int, 100), 365 * 24 * time.Hour, 11, 27750 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := new(network)
				newAnn(t, n, fulfills, nil)
				var first, last time.Time
				var bodies []string
				n.serve(t, benAddr, func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					if err != nil || r.Header.Get("Request-Id") != "an-id" {
						t.Errorf("%v, %v", r.Header, err)
					}
					if last = time.Now(); bodies == nil {
						first = last
					}
					switch bodies = append(bodies, string(body)); c.answers[len(bodies)-1] {
					case 0:
						panic(http.ErrAbortHandler)
					case hang:
						<-r.Context().Done()
					default:
						w.Header().Set("Location", "/elsewhere")
						w.WriteHeader(c.answers[len(bodies)-1])
					}
				})
				p := prepare()
				p.ExpiresAt = time.Now().Add(c.expires)
				if status, text := n.sendAsync(t, "an-id", p, benCallback); status != 202 || text != "" {
					t.Fatalf("%d, %q", status, text)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(bodies) != c.want || last.Sub(first) != c.took {
					t.Fatalf("%d callbacks in %v, want %d in %v", len(bodies), last.Sub(first), c.want, c.took)
				}
				want := packet.TypeFulfill
				if c.expires < 0 {
					want = packet.TypeReject
				}
				for _, body := range bodies {
					if reply, err := packet.DecodeReply([]byte(body)); err != nil || reply.Type() != want || body != bodies[0] {
						t.Errorf("called back with %v, %v", reply, err)
					}
				}
			})
		})
	}
}

// A lost callback between two nodes of ours: the second brings the money home.
func TestLostCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		handled := 0
		newBen(t, n, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			handled++
			return fulfills(ctx, from, p)
		}, nil)
		a := newAnn(t, n, noPackets(t), nil)
		n.mu.Lock() // what answers to Ann's name breaks the first connection
		real := n.listeners[annAddr]
		broken := &pipes{addr: annAddr, incoming: make(chan net.Conn), closed: make(chan struct{})}
		n.listeners[annAddr] = broken
		n.mu.Unlock()
		go func() {
			conn := <-broken.incoming
			n.mu.Lock()
			n.listeners[annAddr] = real
			n.mu.Unlock()
			io.ReadFull(conn, make([]byte, 10))
			conn.Close()
		}()
		reply, err := a.toBen(t, nil).SendPacket(t.Context(), prepare())
		if err != nil || reply.Type() != packet.TypeFulfill || handled != 1 {
			t.Errorf("answered %v, %v, handled %d times", reply, err, handled)
		}
	})
}

// Callback-Url is an address that somebody else chose: only the agreed one is called.
func TestForeignCallbackURLs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		var dialled atomic.Int64
		newAnn(t, n, noPackets(t), nil)
		n.serve(t, benAddr, func(http.ResponseWriter, *http.Request) { dialled.Add(1) })
		n.serve(t, "localhost:80", func(http.ResponseWriter, *http.Request) { dialled.Add(1) })
		for _, url := range [][]string{
			{""}, {"http://169.254.169.254/latest/meta-data"}, {"http://localhost/"}, {"http://localhost:2"}, {"http://localhost:2/"},
			{benCallback + "/"}, {benCallback + "/../admin"}, {benCallback + "?x"}, {benCallback + "#x"}, {"x" + benCallback},
			{strings.ToUpper(benCallback)}, {"http://x@localhost:2/ilp/callback"}, {"//localhost:2/ilp/callback"}, {"/ilp/callback"},
			{"http://localhost:2//ilp/callback"}, {"http://127.0.0.1:2/ilp/callback"}, {"https://localhost:2/ilp/callback"},
			{"file:///etc/passwd"}, {annCallback}, {benCallback, benCallback}, {benCallback, "http://localhost/"},
		} {
			status, text := n.sendAsync(t, "1", prepare(), url...)
			if status != 400 || !strings.Contains(text, "Callback-Url") || strings.Contains(text, "localhost") {
				t.Errorf("%q: %d, %q", url, status, text)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if dialled.Load() != 0 {
			t.Errorf("%d were called", dialled.Load())
		}
	})
}

// The dialler has the last word, also on a URL that was agreed on.
func TestCallbackIsDialledAsPacketsAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		asked := 0
		c, err := ilphttp.NewClient(ilphttp.ClientConfig{
			Address: "test.pochi", Log: slog.New(slog.NewTextHandler(&log, nil)),
			DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
				asked++
				return nil, errors.New("no calls to " + addr)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		back, err := c.Callback(ilphttp.CallbackConfig{Name: "ben", URL: "https://10.0.0.1/x", Token: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		n := new(network)
		(&wallet{net: n, pending: new(ilphttp.Pending)}).start(t, annAddr, fulfills, nil, []ilphttp.Credentials{
			{Peer: ilphttp.Peer{ID: ben, Name: "ben", Callback: back}, Tokens: hashes(benToken)},
		})
		if status, text := n.sendAsync(t, "an-id", prepare()); status != 202 {
			t.Fatalf("%d, %q", status, text)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, want := range []string{"level=ERROR", "peer=ben", "request=an-id", "fulfilled=true", "no calls to 10.0.0.1:443"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%q isn't in the log: %s", want, log.String())
			}
		}
		if asked != 6 || strings.Contains(log.String(), "secret") {
			t.Errorf("asked %d times, logged %s", asked, log.String())
		}
	})
}

func TestAsyncRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		newAnn(t, n, fulfills, nil)
		var called []string
		n.serve(t, benAddr, func(_ http.ResponseWriter, r *http.Request) { called = append(called, r.Header.Get("Request-Id")) })
		p := prepare()
		whole := encode(t, &p)
		for _, c := range []struct {
			name string
			id   []string
			body []byte
			want int
		}{
			{"as it should be", []string{"6ba7b810-9dad-41d1-80b4-00c04fd430c8"}, whole, 202},
			{"another name", []string{strings.Repeat("~", 128)}, whole, 202},
			{"the same when the first is done", []string{strings.Repeat("~", 128)}, whole, 202},
			{"none", nil, whole, 400},
			{"an empty one", []string{""}, whole, 400},
			{"two", []string{"1", "2"}, whole, 400},
			{"a long one", []string{strings.Repeat("~", 129)}, whole, 400},
			{"one with a space", []string{"a b"}, whole, 400},
			{"one that is no ASCII", []string{"é"}, whole, 400},
			{"no packet", []string{"3"}, whole[:20], 400},
			{"a fulfill", []string{"4"}, encode(t, &packet.Fulfill{}), 400},
		} {
			status, text := n.post(t, ilphttp.Path, benToken, c.body, func(r *http.Request) {
				r.Header["Request-Id"] = c.id
				r.Header["Callback-Url"] = []string{benCallback}
			})
			if status != c.want || (text == "") != (status == 202) {
				t.Errorf("%s: %d, %q, want %d", c.name, status, text, c.want)
			}
			synctest.Wait()
		}
		if len(called) != 3 {
			t.Errorf("called back for %q", called)
		}
	})
}

// The peer hears that its packet is accepted before anything comes of it.
func TestAcceptedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		w := httptest.NewRecorder()
		a := newAnn(t, n, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			if w.Code != 202 || !w.Flushed {
				t.Errorf("status %d, sent: %t", w.Code, w.Flushed)
			}
			return fulfills(ctx, from, p)
		}, nil)
		called := make(chan struct{})
		n.serve(t, benAddr, func(http.ResponseWriter, *http.Request) { close(called) })
		p := prepare()
		r := httptest.NewRequest(http.MethodPost, ilphttp.Path, bytes.NewReader(encode(t, &p)))
		r.Header.Set("Authorization", "Bearer "+benToken)
		r.Header.Set("Content-Type", ilphttp.ContentType)
		r.Header.Set("Request-Id", "1")
		a.ServeHTTP(w, r)
		<-called
	})
}

// A Request-Id is used once at a time, by one peer; and what a peer can keep busy is limited.
func TestAsyncRequestsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		end := make(chan struct{})
		var handled, called atomic.Int64
		newAnn(t, n, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			handled.Add(1)
			<-end
			return fulfills(ctx, from, p)
		}, func(cfg *ilphttp.ServerConfig) { cfg.MaxInFlightPeer = 2 })
		n.serve(t, benAddr, func(w http.ResponseWriter, _ *http.Request) {
			called.Add(1)
			time.Sleep(time.Second)
		})
		send := func(id string, want int) {
			t.Helper()
			if status, text := n.sendAsync(t, id, prepare(), benCallback); status != want {
				t.Errorf("%s: %d, %q, want %d", id, status, text, want)
			}
		}
		send("1", 202)
		send("1", 400)
		send("2", 202)
		send("3", 429)
		close(end)
		synctest.Wait()
		send("3", 429) // the replies are on their way
		time.Sleep(2 * time.Second)
		synctest.Wait()
		send("1", 202)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if handled.Load() != 3 || called.Load() != 3 {
			t.Errorf("%d handled, %d called back, want 3", handled.Load(), called.Load())
		}
	})
}

func TestNobodyKnowsAndNobodyCallsBack(t *testing.T) {
	for name, h := range map[string]handler{
		"an error": func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
			return nil, connector.ErrUnknown
		},
		"a panic":   func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) { panic("no") },
		"no answer": func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) { return nil, nil },
		"an odd answer": func(context.Context, ilphttp.Peer, packet.Prepare) (packet.Reply, error) {
			return &packet.Reject{}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := new(network)
				var log bytes.Buffer
				newAnn(t, n, h, func(cfg *ilphttp.ServerConfig) {
					cfg.MaxInFlight, cfg.Log = 1, slog.New(slog.NewTextHandler(&log, nil))
				})
				n.serve(t, benAddr, func(http.ResponseWriter, *http.Request) { t.Error("called back") })
				for range 2 { // the second finds that the first is no longer in flight
					if status, text := n.sendAsync(t, "1", prepare(), benCallback); status != 202 {
						t.Errorf("%d, %q", status, text)
					}
					time.Sleep(time.Minute)
					synctest.Wait()
				}
				if got := strings.Count(log.String(), "a peer's packet gets no answer"); got != 2 {
					t.Errorf("logged %d times", got)
				}
			})
		})
	}
}
