package ilphttp_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// FuzzCallback: whatever a peer sends to the callback, a packet that waits gets its reply from a whole Fulfill or Reject under its
// Request-Id, once, and from nothing else; the status is 200, 400 or 413.
func FuzzCallback(f *testing.F) {
	d, pending := new(ilphttp.Directory), new(ilphttp.Pending)
	if err := d.Set([]ilphttp.Credentials{{Peer: ann, Tokens: hashes(token)}}); err != nil {
		f.Fatal(err)
	}
	s, err := ilphttp.NewServer(ilphttp.ServerConfig{
		Address: "test.pochi", Peers: d, Log: slog.New(slog.DiscardHandler), Handler: handler(fulfills), Pending: pending, MaxInFlight: 1,
	})
	if err != nil {
		f.Fatal(err)
	}
	p := prepare()
	whole := encode(f, &packet.Fulfill{Fulfillment: fulfillment})
	for _, body := range [][]byte{
		nil, {13}, {14, 0x80}, {13, 0x88, 0x80, 0, 0, 0, 0, 0, 0, 0}, whole, whole[:len(whole)-1], append(whole[:len(whole):len(whole)], 0),
		encode(f, &p), encode(f, &packet.Reject{Code: "F00"}), make([]byte, ilphttp.MaxResponseBody+1),
	} {
		f.Add(body, "", false)
		f.Add(body, "", true)
		f.Add(body, "9a2f3c64-5b1e-4d0a-8f7e-0123456789ab", false)
		f.Add(body, "a\r\nb\x00\xff", false)
	}
	f.Fuzz(func(t *testing.T, body []byte, other string, chunked bool) {
		id, replied := pending.Add(ann.ID)
		call := func(id string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, ilphttp.CallbackPath, bytes.NewReader(body))
			r.Header["Authorization"] = []string{"Bearer " + token}
			r.Header["Content-Type"] = []string{ilphttp.ContentType}
			r.Header["Request-Id"] = []string{id}
			if chunked {
				r.ContentLength = -1
			}
			s.ServeHTTP(w, r)
			return w
		}
		if w := call(other); w.Code != 400 || w.Body.Len() == 0 || pending.Len() != 1 {
			t.Fatalf("under %q: status %d, %d wait", other, w.Code, pending.Len())
		}
		_, err := packet.DecodeReply(body)
		want, left := 200, 0
		switch {
		case len(body) > ilphttp.MaxResponseBody:
			want, left = 413, 1
		case err != nil:
			want, left = 400, 1
		}
		if w := call(id); w.Code != want || (w.Body.Len() == 0) != (want == 200) || pending.Len() != left {
			t.Fatalf("status %d, want %d, %d wait: %s", w.Code, want, pending.Len(), w.Body)
		}
		if left == 0 {
			<-replied
			if w := call(id); w.Code != 400 {
				t.Fatalf("the second time: status %d", w.Code)
			}
			return
		}
		body = whole
		if w := call(id); w.Code != 200 {
			t.Fatalf("the right one afterwards: status %d", w.Code)
		}
	})
}
