package ilphttp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// Hazard 31: both ends are ours.
func TestAsync(t *testing.T) {
	for name, reply := range map[string]packet.Reply{
		"a fulfill": &packet.Fulfill{Fulfillment: fulfillment, Data: bytes.Repeat([]byte{7}, packet.MaxData)},
		"a reject":  &packet.Reject{Code: "F99", TriggeredBy: "test.ben", Message: "no", Data: make([]byte, packet.MaxData)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := new(network)
				want := prepare()
				want.ExpiresAt = want.ExpiresAt.UTC()
				newBen(t, n, func(_ context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
					if from.ID != ann.ID || fmt.Sprint(p) != fmt.Sprint(want) {
						t.Errorf("%v from %v", p, from)
					}
					time.Sleep(3 * time.Second)
					return reply, nil
				}, nil)
				begin := time.Now()
				got, err := newAnn(t, n, noPackets(t), nil).toBen(t, nil).SendPacket(t.Context(), want)
				if err != nil || !bytes.Equal(encode(t, got), encode(t, reply)) || time.Since(begin) != 3*time.Second {
					t.Errorf("answered %v, %v after %v", got, err, time.Since(begin))
				}
			})
		})
	}
}

func TestAsyncManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		newBen(t, n, func(_ context.Context, _ ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			return &packet.Fulfill{Fulfillment: fulfillment, Data: p.Data}, nil
		}, nil)
		e := newAnn(t, n, noPackets(t), nil).toBen(t, nil)
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				p := prepare()
				p.Data = fmt.Append(nil, i)
				reply, err := e.SendPacket(t.Context(), p)
				if f, ok := reply.(*packet.Fulfill); !ok || !bytes.Equal(f.Data, p.Data) {
					t.Errorf("%d: answered %v, %v", i, reply, err)
				}
			})
		}
		wg.Wait()
	})
}

// A peer that isn't asynchronous answers in the response, and is answered there.
func TestAsyncWithSynchronousPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		a := newAnn(t, n, fulfills, nil)
		b := newClient(t, n, benCallback)
		b.start(t, benAddr, fulfills, nil, []ilphttp.Credentials{{Peer: ann, Tokens: hashes(annToken)}})
		if reply, err := a.toBen(t, nil).SendPacket(t.Context(), prepare()); err != nil || reply.Type() != packet.TypeFulfill {
			t.Errorf("answered %v, %v", reply, err)
		}
		p := prepare()
		for name, h := range map[string]http.Header{
			"carol, who may not": {"Prefer": {"respond-async"}, "Request-Id": {"1"}, "Callback-Url": {"http://localhost:3/"}},
			"a preference only":  {"Prefer": {"respond-async"}},
			"nothing special":    {},
		} {
			token := benToken
			if h.Get("Callback-Url") != "" {
				token = carolToken
			}
			status, body := n.post(t, ilphttp.Path, token, encode(t, &p), func(r *http.Request) {
				for name, values := range h {
					r.Header[name] = values
				}
			})
			if _, err := packet.DecodeReply([]byte(body)); status != 200 || err != nil {
				t.Errorf("%s: %d, %v", name, status, err)
			}
		}
	})
}

// dassie's demands on a packet and on a callback, with a callback at a path of its own.
func TestAsyncWithStrictPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		const path = "/accounts/ann/replies?to=ben"
		a := newClient(t, n, annCallback)
		back, err := a.client.Callback(ilphttp.CallbackConfig{Name: "ben", URL: "http://" + benAddr + path, Token: annToken})
		if err != nil {
			t.Fatal(err)
		}
		a.start(t, annAddr, fulfills, nil, []ilphttp.Credentials{
			{Peer: ilphttp.Peer{ID: ben, Name: "ben", Callback: back}, Tokens: hashes(benToken)},
		})
		called := make(chan string, 1)
		n.serve(t, benAddr, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			h, id := r.Header, r.Header.Get("Request-Id")
			switch {
			case err != nil || r.Method != "POST" || id == "" || h.Get("Accept") != ilphttp.ContentType ||
				h.Get("Content-Type") != ilphttp.ContentType || h.Get("Authorization") != "Bearer "+annToken:
				http.Error(w, "not as it should be", http.StatusBadRequest)
			case r.RequestURI == path:
				if _, err := packet.DecodeReply(body); err != nil {
					t.Error(err)
				}
				called <- id
			case r.RequestURI != "/ilp" || h.Get("Prefer") != "respond-async" || h.Get("Callback-Url") != annCallback || !isUUIDv4(id):
				http.Error(w, "asynchronous mode only", http.StatusBadRequest)
			default:
				w.WriteHeader(http.StatusAccepted)
				go func() {
					time.Sleep(time.Second)
					if status := n.call(t, benToken, id, encode(t, &packet.Fulfill{Fulfillment: fulfillment})); status != 200 {
						t.Errorf("status %d", status)
					}
				}()
			}
		})
		reply, err := a.toBen(t, nil).SendPacket(t.Context(), prepare())
		if err != nil || reply.Type() != packet.TypeFulfill {
			t.Errorf("answered %v, %v", reply, err)
		}
		p := prepare()
		status, _ := n.post(t, ilphttp.Path, benToken, encode(t, &p), func(r *http.Request) { r.Header.Set("Request-Id", "17") })
		if status != 202 {
			t.Errorf("status %d", status)
		}
		if id := <-called; id != "17" {
			t.Errorf("called back with %q", id)
		}
		if reply, err := a.toBen(t, func(e *ilphttp.EndpointConfig) { e.Async = false }).SendPacket(t.Context(), prepare()); err != nil {
			t.Error(err)
		} else {
			wantReject(t, reply, packet.BadRequest)
		}
	})
}

// isUUIDv4 looks at the form, the version and the variant (RFC 9562).
func isUUIDv4(id string) bool {
	return len(id) == 36 && id[8] == '-' && id[13] == '-' && id[14] == '4' && id[18] == '-' &&
		bytes.IndexByte([]byte("89ab"), id[19]) >= 0 && id[23] == '-'
}

// peer is Ben as a test wants him: it gets the Request-Id of the one packet that Ann sends.
type peer func(t *testing.T, n *network, w http.ResponseWriter, id string)

// sendTo has Ann send a packet that expires in 10 s, and returns the answer and when it came. after may be nil; it is called when
// Ben's work has ended.
func sendTo(t *testing.T, p peer, after func(n *network, id string)) (reply packet.Reply, took time.Duration, err error) {
	n := new(network)
	a := newAnn(t, n, noPackets(t), nil)
	var asked atomic.Int64
	var last atomic.Value
	var working sync.WaitGroup
	n.serve(t, benAddr, func(w http.ResponseWriter, r *http.Request) {
		working.Add(1)
		defer working.Done()
		asked.Add(1)
		io.Copy(io.Discard, r.Body)
		last.Store(r.Header.Get("Request-Id"))
		p(t, n, w, r.Header.Get("Request-Id"))
	})
	begin := time.Now()
	reply, err = a.toBen(t, nil).SendPacket(t.Context(), prepare())
	took = time.Since(begin)
	if asked.Load() != 1 || a.pending.Len() != 0 {
		t.Errorf("asked %d times, %d packets wait", asked.Load(), a.pending.Len())
	}
	working.Wait()
	if after != nil {
		after(n, last.Load().(string))
	}
	return reply, took, err
}

// later calls back after a pause, when Ben's handler may have ended.
func later(t *testing.T, n *network, id string, pause time.Duration, body []byte, want int) {
	go func() {
		time.Sleep(pause)
		if status := n.call(t, benToken, id, body); status != want {
			t.Errorf("the callback's status is %d, want %d", status, want)
		}
	}()
}

func TestAsyncAnswers(t *testing.T) {
	good := encode(t, &packet.Fulfill{Fulfillment: fulfillment})
	refused := encode(t, packet.NewReject("F02", "test.ben", "no"))
	const expiry = 10 * time.Second
	for name, c := range map[string]struct {
		peer peer
		// The answer is good or refused if want is nil; else it is our reject with code, or unknown with code and status.
		want    []byte
		code    packet.Code
		status  int
		unknown bool
		took    time.Duration
	}{
		"a callback after the response": {peer: func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			w.WriteHeader(202)
			later(t, n, id, 2*time.Second, good, 200)
		}, want: good, took: 2 * time.Second},
		"a reject": {peer: func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			w.WriteHeader(202)
			later(t, n, id, time.Second, refused, 200)
		}, want: refused, took: time.Second},
		"a callback before the response": {peer: func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			later(t, n, id, 0, good, 200)
			time.Sleep(5 * time.Second)
			w.WriteHeader(202)
		}, want: good},
		"a callback and then a refusal": {peer: func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			if status := n.call(t, benToken, id, good); status != 200 {
				t.Errorf("status %d", status)
			}
			w.WriteHeader(404)
		}, want: good},
		"a callback though the connection broke": {peer: func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			later(t, n, id, 4*time.Second, good, 200)
			panic(http.ErrAbortHandler)
		}, want: good, took: 4 * time.Second},
		"a callback though the response never comes": {peer: func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			later(t, n, id, 4*time.Second, good, 200)
			time.Sleep(time.Minute)
		}, want: good, took: 4 * time.Second},
		"a reply in the response": {peer: func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			w.Header().Set("Content-Type", ilphttp.ContentType)
			w.Write(good)
			later(t, n, id, time.Second, refused, 400)
		}, want: good},
		"a wrong fulfillment": {peer: func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			w.WriteHeader(202)
			later(t, n, id, time.Second, encode(t, &packet.Fulfill{}), 200)
		}, code: packet.WrongCondition, took: time.Second},
		"in capitals": {peer: func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			w.WriteHeader(202)
			later(t, n, string(bytes.ToUpper([]byte(id))), time.Second, good, 200)
		}, want: good, took: time.Second},

		"no callback": {peer: func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			w.WriteHeader(202)
			later(t, n, id, expiry+time.Millisecond, good, 400)
		}, unknown: true, status: 202, code: packet.TimedOut, took: expiry},
		"a connection that breaks": {peer: func(*testing.T, *network, http.ResponseWriter, string) {
			panic(http.ErrAbortHandler)
		}, unknown: true, code: packet.TimedOut, took: expiry},
		"no response": {peer: func(*testing.T, *network, http.ResponseWriter, string) {
			time.Sleep(time.Minute)
		}, unknown: true, code: packet.TimedOut, took: expiry},

		"503": {peer: func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			w.WriteHeader(503)
			later(t, n, id, time.Second, good, 400)
		}, unknown: true, status: 503, code: packet.InternalError},
		"200 without a reply": {peer: func(*testing.T, *network, http.ResponseWriter, string) {}, unknown: true, status: 200, code: packet.InternalError},
		"201":                 {peer: answers(201), unknown: true, status: 201, code: packet.InternalError},
		"400":                 {peer: answers(400), code: packet.BadRequest},
		"401":                 {peer: answers(401), code: packet.Unreachable},
		"429":                 {peer: answers(429), code: packet.ConnectorBusy},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reply, took, err := sendTo(t, c.peer, nil)
				switch {
				case c.unknown:
					wantUnknown(t, reply, err, c.status, c.code)
				case err != nil:
					t.Error(err)
				case c.want == nil:
					wantReject(t, reply, c.code)
				case !bytes.Equal(c.want, encode(t, reply)):
					t.Errorf("answered %v", reply)
				}
				if took != c.took {
					t.Errorf("answered after %v, want %v", took, c.took)
				}
				time.Sleep(2 * time.Minute) // for Ben to end
			})
		})
	}
}

func answers(status int) peer {
	return func(_ *testing.T, _ *network, w http.ResponseWriter, _ string) { w.WriteHeader(status) }
}

// Only the peer that got the packet answers it, once, with a packet. Whatever else comes, the packet waits on. FuzzCallback has
// what is too long.
func TestCallbacksThatDontCount(t *testing.T) {
	good := encode(t, &packet.Fulfill{Fulfillment: fulfillment})
	p := prepare()
	synctest.Test(t, func(t *testing.T) {
		reply, _, err := sendTo(t, func(t *testing.T, n *network, w http.ResponseWriter, id string) {
			const otherID = "9a2f3c64-5b1e-4d0a-8f7e-0123456789ab"
			for _, c := range []struct {
				name   string
				token  string
				id     []string
				body   []byte
				change func(*http.Request)
				want   int
			}{
				{"nobody's token", "x", []string{id}, good, nil, 401},
				{"the token for the peer", annToken, []string{id}, good, nil, 401},
				{"another peer", carolToken, []string{id}, good, nil, 400},
				{"another id", benToken, []string{otherID}, good, nil, 400},
				{"no id", benToken, nil, good, nil, 400},
				{"an empty id", benToken, []string{""}, good, nil, 400},
				{"two ids", benToken, []string{id, id}, good, nil, 400},
				{"a long id", benToken, []string{id + string(bytes.Repeat([]byte("x"), 100))}, good, nil, 400},
				{"nothing", benToken, []string{id}, nil, nil, 400},
				{"half a reply", benToken, []string{id}, good[:20], nil, 400},
				{"a prepare", benToken, []string{id}, encode(t, &p), nil, 400},
				{"another type", benToken, []string{id}, good, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415},
				{"compressed", benToken, []string{id}, good, func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 415},
				{"another method", benToken, []string{id}, nil, func(r *http.Request) { r.Method = "PUT" }, 405},
				{"another path", benToken, []string{id}, good, func(r *http.Request) { r.URL.Path += "/" }, 404},
				{"as it should be", benToken, []string{id}, good, nil, 200},
			} {
				status, text := n.post(t, ilphttp.CallbackPath, c.token, c.body, func(r *http.Request) {
					r.Header["Request-Id"] = c.id
					if c.change != nil {
						c.change(r)
					}
				})
				if status != c.want || (text == "") != (status == 200 || status == 401) {
					t.Errorf("%s: %d, %q, want %d", c.name, status, text, c.want)
				}
			}
			w.WriteHeader(202)
		}, func(n *network, id string) {
			if status := n.call(t, benToken, id, good); status != 400 {
				t.Errorf("the callback again: %d", status)
			}
		})
		if err != nil || !bytes.Equal(encode(t, reply), good) {
			t.Errorf("answered %v, %v", reply, err)
		}
	})
}

// A node that has no asynchronous peers takes no callbacks.
func TestNoCallbacks(t *testing.T) {
	n := newNode(t, fulfills, nil)
	p := prepare()
	resp, _ := do(t, n.post(t, bytes.NewReader(encode(t, &p)), func(r *http.Request) { r.URL.Path = ilphttp.CallbackPath }))
	if resp.StatusCode != 404 {
		t.Errorf("%s", resp.Status)
	}
}

// An asynchronous packet counts against the peer's limit until it is answered.
func TestAsyncTooManyOnTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		newBen(t, n, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			time.Sleep(time.Second)
			return fulfills(ctx, from, p)
		}, nil)
		e := newAnn(t, n, noPackets(t), nil).toBen(t, func(e *ilphttp.EndpointConfig) { e.MaxInFlight = 1 })
		answer := make(chan packet.Reply, 1)
		go func() {
			reply, err := e.SendPacket(context.Background(), prepare())
			if err != nil {
				t.Error(err)
			}
			answer <- reply
		}()
		synctest.Wait()
		reply, err := e.SendPacket(t.Context(), prepare())
		if err != nil {
			t.Fatal(err)
		}
		wantReject(t, reply, packet.ConnectorBusy)
		if reply := <-answer; reply.Type() != packet.TypeFulfill {
			t.Errorf("answered %v", reply)
		}
		if reply, err := e.SendPacket(t.Context(), prepare()); err != nil || reply.Type() != packet.TypeFulfill {
			t.Errorf("answered %v, %v", reply, err)
		}
	})
}

// ctx is for not beginning, in this mode too.
func TestAsyncCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		ctx, cancel := context.WithCancel(t.Context())
		newBen(t, n, func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			cancel()
			time.Sleep(time.Second)
			return fulfills(ctx, from, p)
		}, nil)
		e := newAnn(t, n, noPackets(t), nil).toBen(t, nil)
		if reply, err := e.SendPacket(ctx, prepare()); err != nil || reply.Type() != packet.TypeFulfill {
			t.Errorf("answered %v, %v: once a packet has left, its answer counts", reply, err)
		}
		reply, err := e.SendPacket(ctx, prepare())
		if err != nil || !errors.Is(ctx.Err(), context.Canceled) {
			t.Fatal(err)
		}
		wantReject(t, reply, packet.InternalError)
	})
}

func TestAsyncNeedsEverything(t *testing.T) {
	n := new(network)
	cfg := ilphttp.ClientConfig{Address: "test.pochi", DialContext: n.DialContext, Log: quiet(t)}
	plain, err := ilphttp.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url     string
		pending *ilphttp.Pending
		ok      bool
	}{
		{"https://ann.example/ilp/callback", new(ilphttp.Pending), true},
		{"https://ann.example/ilp/callback", nil, false},
		{"", new(ilphttp.Pending), false},
		{"http://ann.example/ilp/callback", new(ilphttp.Pending), false},
		{"http://localhost/ilp/callback", new(ilphttp.Pending), false},
	} {
		cfg.CallbackURL, cfg.Pending = c.url, c.pending
		if _, err := ilphttp.NewClient(cfg); (err == nil) != c.ok {
			t.Errorf("%q, %t: %v", c.url, c.pending != nil, err)
		}
	}
	to := ilphttp.EndpointConfig{URL: "https://ben.example/ilp", Token: token, Async: true, Peer: ben}
	if _, err := plain.Endpoint(to); err == nil {
		t.Error("an endpoint of a client that takes no callbacks")
	}
	cfg.CallbackURL, cfg.Pending = "https://ann.example/ilp/callback", new(ilphttp.Pending)
	whole, err := ilphttp.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := whole.Endpoint(to); err != nil {
		t.Error(err)
	}
	to.Peer = [16]byte{}
	if _, err := whole.Endpoint(to); err == nil {
		t.Error("an endpoint of nobody")
	}
	for url, token := range map[string]string{
		"http://ben.example/": token, "http://localhost/": token, "https://x:secret@ben.example/": token, "https://ben.example/#": token,
		"https://ben.example/": "secret\r\n",
	} {
		if _, err := whole.Callback(ilphttp.CallbackConfig{URL: url, Token: token}); err == nil || bytes.Contains([]byte(err.Error()), []byte("secret")) {
			t.Errorf("%q: %v", url, err)
		}
	}
}
