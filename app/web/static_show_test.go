package web_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"pochi/app/web"
)

// A browser that unpacks files gets them packed, and anybody else as they are.
func TestStaticFilesArePacked(t *testing.T) {
	app, _ := newSite(t, walletURL, web.OAuth{}, time.Now, nil)
	get := func(encodings string) (*http.Response, []byte) {
		r := httptest.NewRequest(http.MethodGet, "/static/app.css", nil)
		if encodings != "" {
			r.Header.Set("Accept-Encoding", encodings)
		}
		answer, err := app.Test(r, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.Header.Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("%q: Vary %q", encodings, got)
		}
		return answer, body
	}
	_, plain := get("")
	for encodings, packed := range map[string]bool{"": false, "identity": false, "gzip, deflate, br, zstd": true, "gzip;q=0": false} {
		answer, body := get(encodings)
		if (answer.Header.Get("Content-Encoding") == "gzip") != packed {
			t.Errorf("%q: Content-Encoding %q", encodings, answer.Header.Get("Content-Encoding"))
			continue
		}
		if !packed && string(body) != string(plain) {
			t.Errorf("%q: another file", encodings)
		}
	}
	_, packedBody := get("gzip")
	r, err := gzip.NewReader(bytes.NewReader(packedBody))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(r); err != nil || string(unpacked) != string(plain) {
		t.Errorf("unpacked it is another file: %v", err)
	}
}
