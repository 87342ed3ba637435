package fetch_test

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/fetch"

	"pgregory.net/rapid"
)

const bodyMax = 64 << 10

func get(client *http.Client, url string) ([]byte, error) {
	resp, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func TestWhatIsNotAllowed(t *testing.T) {
	tests := []struct {
		name string
		url  string
		dev  bool
	}{
		{"plain http", "http://93.184.216.34/", false},
		{"another scheme", "ftp://93.184.216.34/", false},
		{"no host", "https:///x", false},
		{"a user name", "https://ann:secret@93.184.216.34/", false},
		{"an odd port", "https://93.184.216.34:8443/", false},
		{"the plain port", "https://93.184.216.34:80/", false},
		{"loopback", "https://127.0.0.1/", false},
		{"loopback by name", "https://localhost/", false},
		{"loopback, IPv6", "https://[::1]/", false},
		{"loopback, mapped", "https://[::ffff:127.0.0.1]/", false},
		{"cloud metadata", "https://169.254.169.254/", false},
		{"link local, IPv6", "https://[fe80::1]/", false},
		{"unique local, IPv6", "https://[fd00::1]/", false},
		{"NAT64 of loopback", "https://[64:ff9b::7f00:1]/", false},
		{"this network", "https://0.0.0.0/", false},
		{"dev: plain http to a public address", "http://93.184.216.34/", true},
		{"dev: plain http to a private address", "http://10.0.0.1/", true},
		{"dev: https to a private address", "https://192.168.1.1/", true},
		{"dev: https to an odd public port", "https://93.184.216.34:8443/", true},
		{"dev: this network", "http://0.0.0.0/", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := get(fetch.New(fetch.Options{AllowLoopback: tt.dev}), tt.url); !errors.Is(err, fetch.ErrNotAllowed) {
				t.Errorf("err = %v, want ErrNotAllowed", err)
			}
		})
	}
}

func TestNoPrivateAddressIsAllowed(t *testing.T) {
	prefixes := []string{"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "fc00::/7", "fe80::/10", "ff00::/8"}
	client := fetch.New(fetch.Options{})
	rapid.Check(t, func(t *rapid.T) {
		prefix := netip.MustParsePrefix(rapid.SampledFrom(prefixes).Draw(t, "prefix"))
		raw := prefix.Addr().AsSlice()
		for i := range raw {
			keep := min(max(prefix.Bits()-8*i, 0), 8)
			mask := byte(0xff) >> keep
			raw[i] = raw[i]&^mask | rapid.Byte().Draw(t, "byte")&mask
		}
		addr, _ := netip.AddrFromSlice(raw)
		if addr.Is4() && rapid.Bool().Draw(t, "mapped") {
			addr = netip.AddrFrom16(addr.As16())
		}
		target := "https://" + netip.AddrPortFrom(addr, 443).String() + "/"
		if _, err := get(client, target); !errors.Is(err, fetch.ErrNotAllowed) {
			t.Fatalf("%s: %v, want ErrNotAllowed", target, err)
		}
	})
}

func TestLoopbackServerIsNotReachedOutsideDevelopment(t *testing.T) {
	var hits atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(server.Close)
	if _, err := get(fetch.New(fetch.Options{}), server.URL); !errors.Is(err, fetch.ErrNotAllowed) {
		t.Errorf("err = %v, want ErrNotAllowed", err)
	}
	if hits.Load() != 0 {
		t.Error("the request arrived")
	}
}

func TestDialContext(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	local := server.Listener.Addr().String()
	for _, c := range []struct {
		addr    string
		dev     bool
		allowed bool
	}{
		{local, true, true}, {local, false, false},
		{"10.0.0.1:443", true, false}, {"93.184.216.34:80", true, false}, {"169.254.169.254:443", false, false},
	} {
		conn, err := fetch.DialContext(c.dev)(t.Context(), "tcp", c.addr)
		if err == nil {
			conn.Close()
		}
		if errors.Is(err, fetch.ErrNotAllowed) == c.allowed || (err == nil) != c.allowed {
			t.Errorf("%s, dev %t: %v", c.addr, c.dev, err)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	deadURL := "http://" + dead.Addr().String()
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	end := make(chan struct{})
	silent := serve(t, func(_ http.ResponseWriter, _ *http.Request) { <-end })
	stalled := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half of ")
		w.(http.Flusher).Flush()
		<-end
	})
	cut := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "short")
	})
	long := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 20<<10))
	})
	private := httptest.NewTLSServer(http.NotFoundHandler()) // its certificate is nobody's
	t.Cleanup(private.Close)
	t.Cleanup(func() { close(end) })

	tests := []struct{ name, url string }{
		{"nothing listens", deadURL},
		{"never answers", silent.URL},
		{"stops in the body", stalled.URL},
		{"ends too early", cut.URL},
		{"huge headers", long.URL},
		{"unknown certificate", private.URL},
		{"no such name", "https://wallet.invalid/"},
	}
	client := fetch.New(fetch.Options{AllowLoopback: true, Timeout: 200 * time.Millisecond})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := get(client, tt.url); !errors.Is(err, fetch.ErrNoAnswer) {
				t.Errorf("err = %v, want ErrNoAnswer", err)
			}
		})
	}
}

func TestCallerWhoGivesUpGetsTheContextsError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan struct{})
	server := serve(t, func(_ http.ResponseWriter, _ *http.Request) { cancel(); <-end })
	t.Cleanup(func() { close(end) })
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fetch.New(fetch.Options{AllowLoopback: true}).Do(req)
	if !errors.Is(err, context.Canceled) || errors.Is(err, fetch.ErrNoAnswer) {
		t.Errorf("err = %v, want only context.Canceled", err)
	}
}

func TestBodyLimit(t *testing.T) {
	tests := []struct {
		name string
		send http.HandlerFunc
		want error
	}{
		{"exactly the limit", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, bodyMax)) }, nil},
		{"announced", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(bodyMax+1))
			w.Write(make([]byte, bodyMax+1))
		}, fetch.ErrTooLarge},
		{"chunked", func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(make([]byte, bodyMax+1))
		}, fetch.ErrTooLarge},
		{"compressed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			zip.Write(make([]byte, 100*bodyMax))
			zip.Close()
		}, fetch.ErrTooLarge},
	}
	client := fetch.New(fetch.Options{AllowLoopback: true})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := get(client, serve(t, tt.send).URL)
			if !errors.Is(err, tt.want) {
				t.Fatalf("err = %v, want %v", err, tt.want)
			}
			if tt.want == nil && len(got) != bodyMax {
				t.Errorf("%d bytes, want %d", len(got), bodyMax)
			}
			if len(got) > bodyMax {
				t.Errorf("%d bytes passed", len(got))
			}
		})
	}
}

func TestTooLargeStaysSo(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		w.Write(make([]byte, bodyMax+1))
	})
	resp, err := fetch.New(fetch.Options{AllowLoopback: true}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for range 2 {
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, fetch.ErrTooLarge) {
			t.Errorf("err = %v, want ErrTooLarge", err)
		}
	}
}

func TestRedirects(t *testing.T) {
	var elsewhere atomic.Int32
	other := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var left int
		switch _, err := fmt.Sscanf(r.URL.Path, "/hops/%d", &left); {
		case r.URL.Path == "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case r.URL.Path == "/renamed": // the same machine under another name
			http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
		case r.URL.Path == "/upgraded":
			http.Redirect(w, r, "https://"+r.Host+"/hops/0", http.StatusFound)
		case err == nil && left > 0:
			http.Redirect(w, r, fmt.Sprintf("/hops/%d", left-1), http.StatusFound)
		default:
			fmt.Fprint(w, "there")
		}
	})
	tests := []struct {
		path string
		want error
	}{
		{"/hops/0", nil},
		{"/hops/3", nil},
		{"/hops/4", fetch.ErrNoAnswer},
		{"/away", fetch.ErrNotAllowed},
		{"/renamed", fetch.ErrNotAllowed},
		{"/upgraded", fetch.ErrNotAllowed},
	}
	client := fetch.New(fetch.Options{AllowLoopback: true})
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			got, err := get(client, server.URL+tt.path)
			if !errors.Is(err, tt.want) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
			if tt.want == nil && string(got) != "there" {
				t.Errorf("got %q", got)
			}
		})
	}
	if elsewhere.Load() != 0 {
		t.Error("the other host was called")
	}
}

func TestCookiesAreNotKept(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "id", Value: rand.Text(), Path: "/"})
		fmt.Fprint(w, len(r.Cookies()))
	})
	client := fetch.New(fetch.Options{AllowLoopback: true})
	for range 2 {
		if got, err := get(client, server.URL); err != nil || string(got) != "0" {
			t.Errorf("%s cookies sent, %v", got, err)
		}
	}
}

func TestRedirectsShareOneDeadline(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/there", http.StatusFound)
		}
	})
	client := fetch.New(fetch.Options{AllowLoopback: true})
	var deadlines []time.Time
	guarded := client.Transport
	client.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := guarded.RoundTrip(req)
		if err == nil {
			at, _ := resp.Request.Context().Deadline()
			deadlines = append(deadlines, at)
		}
		return resp, err
	})
	if _, err := get(client, server.URL); err != nil {
		t.Fatal(err)
	}
	if len(deadlines) != 2 || deadlines[0].IsZero() || !deadlines[0].Equal(deadlines[1]) {
		t.Errorf("deadlines = %v, want the same twice", deadlines)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
