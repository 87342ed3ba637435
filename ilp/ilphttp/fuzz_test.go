package ilphttp_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// FuzzServer: whatever the body of a peer's request is, it is answered with 200 and a packet, 400 or 413, and only a Prepare
// reaches the handler.
func FuzzServer(f *testing.F) {
	handled := 0
	var d ilphttp.Directory
	if err := d.Set([]ilphttp.Credentials{{Peer: ann, Tokens: hashes(token)}}); err != nil {
		f.Fatal(err)
	}
	s, err := ilphttp.NewServer(ilphttp.ServerConfig{
		Address: "test.pochi", Peers: &d, Log: slog.New(slog.DiscardHandler), MaxInFlight: 1,
		Now: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) },
		Handler: handler(func(ctx context.Context, from ilphttp.Peer, p packet.Prepare) (packet.Reply, error) {
			handled++
			return fulfills(ctx, from, p)
		}),
	})
	if err != nil {
		f.Fatal(err)
	}
	p := prepare()
	whole := encode(f, &p)
	for _, body := range [][]byte{
		nil, {12}, {12, 0x80}, {12, 0x88, 0x80, 0, 0, 0, 0, 0, 0, 0}, whole, whole[:len(whole)-1], append(whole, 0),
		encode(f, &packet.Fulfill{}), encode(f, &packet.Reject{Code: "F00"}), make([]byte, ilphttp.MaxRequestBody+1),
	} {
		f.Add(body, false)
		f.Add(body, true)
	}
	f.Fuzz(func(t *testing.T, body []byte, chunked bool) {
		before := handled
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, ilphttp.Path, bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", ilphttp.ContentType)
		if chunked {
			r.ContentLength = -1
		}
		s.ServeHTTP(w, r)
		p, err := packet.DecodePrepare(body)
		want := 200
		switch {
		case len(body) > ilphttp.MaxRequestBody:
			want = 413
		case err != nil:
			want = 400
		}
		if w.Code != want {
			t.Fatalf("status %d, want %d: %s", w.Code, want, w.Body)
		}
		if want != 200 {
			if handled != before || w.Body.Len() == 0 {
				t.Fatalf("handled, or no reason: %q", w.Body)
			}
			return
		}
		reply, err := packet.DecodeReply(w.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		expired := !p.ExpiresAt.After(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		if expired != (reply.Type() == packet.TypeReject) || expired == (handled > before) {
			t.Fatalf("expires %v, answered %v", p.ExpiresAt, reply)
		}
	})
}
