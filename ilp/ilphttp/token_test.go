package ilphttp_test

import (
	"strings"
	"sync"
	"testing"

	"pochi/ilp/ilphttp"
)

func TestNewToken(t *testing.T) {
	a, b := ilphttp.NewToken(), ilphttp.NewToken()
	if a == b || len(a) != 43 || !ilphttp.ValidToken(a) {
		t.Errorf("%q and %q", a, b)
	}
}

func TestValidToken(t *testing.T) {
	for token, want := range map[string]bool{
		"": false, "a": true, "~!": true, "a b": false, "a\n": false, "é": false, "\x7f": false,
		strings.Repeat("x", 1024): true, strings.Repeat("x", 1025): false,
	} {
		if ilphttp.ValidToken(token) != want {
			t.Errorf("%.20q: %t", token, !want)
		}
	}
}

func hashes(tokens ...string) (h []ilphttp.TokenHash) {
	for _, token := range tokens {
		h = append(h, ilphttp.HashToken(token))
	}
	return h
}

func TestDirectory(t *testing.T) {
	d := new(ilphttp.Directory)
	find := func(token string) string {
		p, ok := d.PeerByToken(ilphttp.HashToken(token))
		if !ok && p != (ilphttp.Peer{}) {
			t.Errorf("%q: nobody, but %v", token, p)
		}
		return p.Name
	}
	if find("1") != "" {
		t.Error("the zero directory knows somebody")
	}
	ben := ilphttp.Peer{ID: [16]byte{0xb}, Name: "ben"}
	set := func(c ...ilphttp.Credentials) {
		t.Helper()
		if err := d.Set(c); err != nil {
			t.Fatal(err)
		}
	}
	set(ilphttp.Credentials{ann, hashes("1", "2", "2")}, ilphttp.Credentials{ben, hashes("3")}, ilphttp.Credentials{})
	for token, want := range map[string]string{"1": "ann", "2": "ann", "3": "ben", "4": "", "": ""} {
		if got := find(token); got != want {
			t.Errorf("%q is %q's, want %q's", token, got, want)
		}
	}
	if _, ok := d.PeerByToken(ilphttp.TokenHash{}); ok {
		t.Error("a hash of zeros is somebody's")
	}
	if err := d.Set([]ilphttp.Credentials{{ann, hashes("1")}, {ben, hashes("9", "1")}}); err == nil {
		t.Error("two peers have one token")
	}
	if find("3") != "ben" {
		t.Error("a failed Set changed something")
	}
	set(ilphttp.Credentials{ann, hashes("2")})
	if find("1") != "" || find("2") != "ann" || find("3") != "" {
		t.Error("the old peers are still there")
	}
}

func TestDirectoryIsSetWhileItIsAsked(t *testing.T) {
	d := new(ilphttp.Directory)
	var wait sync.WaitGroup
	defer wait.Wait()
	wait.Go(func() {
		for range 100 {
			if err := d.Set([]ilphttp.Credentials{{ann, hashes("1")}}); err != nil {
				t.Error(err)
			}
		}
	})
	for range 100 {
		d.PeerByToken(ilphttp.HashToken("1"))
	}
}
