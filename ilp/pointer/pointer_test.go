package pointer_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"pochi/ilp/internal/vectors"
	"pochi/ilp/pointer"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, url, dollar string }{
		{"$wallet.example", "https://wallet.example/.well-known/pay", "$wallet.example"},
		{"$wallet.example/", "https://wallet.example/.well-known/pay", "$wallet.example"},
		{"$wallet.example/.well-known/pay", "https://wallet.example/.well-known/pay", "$wallet.example"},
		{"$wallet.example/ann", "https://wallet.example/ann", "$wallet.example/ann"},
		{"$wallet.example/ann/", "https://wallet.example/ann", "$wallet.example/ann"},
		{"$WALLET.Example/Ann", "https://wallet.example/Ann", "$wallet.example/Ann"},
		{"$wallet.example/p/ann@mail.example", "https://wallet.example/p/ann@mail.example", "$wallet.example/p/ann@mail.example"},
		{"$wallet.example/%C3%A9", "https://wallet.example/%C3%A9", "$wallet.example/%C3%A9"},
		{"$localhost", "https://localhost/.well-known/pay", "$localhost"},
		{"$192.0.2.1/ann", "https://192.0.2.1/ann", "$192.0.2.1/ann"},
		{"https://wallet.example/ann", "https://wallet.example/ann", "$wallet.example/ann"},
		{"HTTPS://wallet.example/ann", "https://wallet.example/ann", "$wallet.example/ann"},
		{"https://wallet.example", "https://wallet.example/.well-known/pay", "$wallet.example"},
	} {
		p, err := pointer.Parse(c.in)
		if err != nil || p.URL() != c.url || p.String() != c.dollar {
			t.Errorf("Parse(%q) = %q, %q, %v; want %q, %q", c.in, p.URL(), p, err, c.url, c.dollar)
		}
		if again, err := pointer.Parse(p.String()); err != nil || again != p {
			t.Errorf("Parse(%q) = %v, %v; want %v", p.String(), again, err, p)
		}
		if again, err := pointer.Parse(p.URL()); err != nil || again != p {
			t.Errorf("Parse(%q) = %v, %v; want %v", p.URL(), again, err, p)
		}
	}
}

// Hazard 34: what a URL parser would let pass.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		in   string
		want pointer.Error
	}{
		{"", pointer.ErrEmpty},
		{"ann", pointer.ErrForm},
		{"wallet.example/ann", pointer.ErrForm},
		{"ftp://wallet.example/ann", pointer.ErrForm},
		{"$", pointer.ErrNoHost},
		{"$/ann", pointer.ErrNoHost},
		{"https:///ann", pointer.ErrNoHost},
		{"$https://wallet.example/ann", pointer.ErrTwoForms},
		{"$HTTP://wallet.example/ann", pointer.ErrTwoForms},
		{"http://wallet.example/ann", pointer.ErrPlainHTTP},
		{"http://localhost/ann", pointer.ErrPlainHTTP},
		{"$user:pass@wallet.example/ann", pointer.ErrUser},
		{"$wallet.example@evil.example/ann", pointer.ErrUser},
		{"$wallet.example:443/ann", pointer.ErrPort},
		{"$wallet.example:8080/ann", pointer.ErrPort},
		{"$wallet.example:/ann", pointer.ErrPort},
		{"$localhost:3000/ann", pointer.ErrPort},
		{"$wallet.example/ann?x=1", pointer.ErrQuery},
		{"$wallet.example?", pointer.ErrQuery},
		{"$wallet.example/ann#x", pointer.ErrFragment},
		{"$wallet.example/ann#", pointer.ErrFragment},
		{"$wallet.example/a/../ann", pointer.ErrPath},
		{"$wallet.example/./ann", pointer.ErrPath},
		{"$wallet.example/..", pointer.ErrPath},
		{"$wallet.example/%2e%2E/ann", pointer.ErrPath},
		{"$wallet.example/a%2fb", pointer.ErrPath},
		{"$wallet.example/a%5cb", pointer.ErrPath},
		{"$wallet.example/a%00b", pointer.ErrPath},
		{"$wallet.example/a%zz", pointer.ErrPath},
		{"$wallet.example/a%4", pointer.ErrPath},
		{"$wallet.example//ann", pointer.ErrPath},
		{"$wallet.example//", pointer.ErrPath},
		{`$wallet.example/a\b`, pointer.ErrPath},
		{`$wallet.example\ann`, pointer.ErrHost},
		{"$wallet.example/<b>", pointer.ErrPath},
		{"$wället.example/ann", pointer.ErrCharacters},
		{"$wallet.example/änn", pointer.ErrCharacters},
		{" $wallet.example/ann", pointer.ErrCharacters},
		{"$wallet.example/ann\n", pointer.ErrCharacters},
		{"$wallet..example/ann", pointer.ErrHost},
		{"$wallet.example./ann", pointer.ErrHost},
		{"$-wallet.example/ann", pointer.ErrHost},
		{"$wallet_1.example/ann", pointer.ErrHost},
		{"$%77allet.example/ann", pointer.ErrHost},
		{"$2130706433/ann", pointer.ErrHost},
		{"$127.1/ann", pointer.ErrHost},
		{"$0x7f.0.0.1/ann", pointer.ErrHost},
		{"$1.2.3.0x4/ann", pointer.ErrHost},
		{"$[::1]/ann", pointer.ErrHost},
		{"$" + strings.Repeat("a", 64) + ".example/ann", pointer.ErrHost},
		{"$" + strings.Repeat("a.", 130) + "example/ann", pointer.ErrHost},
		{"$wallet.example/" + strings.Repeat("a", 1000), pointer.ErrTooLong},
	} {
		p, err := pointer.Parse(c.in)
		if !errors.Is(err, c.want) || !p.IsZero() {
			t.Errorf("Parse(%q) = %q, %v; want: %v", c.in, p.URL(), err, c.want)
		}
	}
}

func TestLoopbackInDevelopment(t *testing.T) {
	dev := pointer.Parser{AllowLoopback: true}
	for _, c := range []struct{ in, url, dollar string }{
		{"$localhost:3000/ann", "http://localhost:3000/ann", "$localhost:3000/ann"},
		{"http://localhost:3000/ann", "http://localhost:3000/ann", "$localhost:3000/ann"},
		{"https://localhost:3000/ann", "http://localhost:3000/ann", "$localhost:3000/ann"},
		{"$LocalHost:3000", "http://localhost:3000/.well-known/pay", "$localhost:3000"},
		{"$localhost/ann", "http://localhost/ann", "$localhost/ann"},
		{"$127.0.0.1:3000/ann", "http://127.0.0.1:3000/ann", "$127.0.0.1:3000/ann"},
		{"$[::1]:3000/ann", "http://[::1]:3000/ann", "$[::1]:3000/ann"},
		{"$[::1]/ann", "http://[::1]/ann", "$[::1]/ann"},
		{"$wallet.example/ann", "https://wallet.example/ann", "$wallet.example/ann"},
	} {
		p, err := dev.Parse(c.in)
		if err != nil || p.URL() != c.url || p.String() != c.dollar {
			t.Errorf("Parse(%q) = %q, %q, %v; want %q, %q", c.in, p.URL(), p, err, c.url, c.dollar)
		}
		if again, err := dev.Parse(p.String()); err != nil || again != p {
			t.Errorf("Parse(%q) = %v, %v; want %v", p.String(), again, err, p)
		}
	}
	for _, c := range []struct {
		in   string
		want pointer.Error
	}{
		{"$wallet.example:3000/ann", pointer.ErrPort},
		{"http://wallet.example/ann", pointer.ErrPlainHTTP},
		{"http://wallet.example:3000/ann", pointer.ErrPort},
		{"$localhost:0/ann", pointer.ErrPort},
		{"$localhost:/ann", pointer.ErrPort},
		{"$localhost:+80/ann", pointer.ErrPort},
		{"$localhost:080/ann", pointer.ErrPort},
		{"$localhost:65536/ann", pointer.ErrPort},
		{"$localhost:80:80/ann", pointer.ErrPort},
		{"$a@localhost:3000/ann", pointer.ErrUser},
		{"$localhost.evil.example:3000/ann", pointer.ErrPort},
		{"$127.0.0.2:3000/ann", pointer.ErrPort},
		{"$[::2]:3000/ann", pointer.ErrHost},
	} {
		if p, err := dev.Parse(c.in); !errors.Is(err, c.want) {
			t.Errorf("Parse(%q) = %q, %v; want: %v", c.in, p.URL(), err, c.want)
		}
	}
}

func TestParts(t *testing.T) {
	p, err := pointer.Parser{AllowLoopback: true}.Parse("$localhost:3000/ann")
	if err != nil || p.Host() != "localhost:3000" || p.Path() != "/ann" {
		t.Errorf("%q, %q, %v", p.Host(), p.Path(), err)
	}
}

// What is accepted is read by net/url as exactly the host and path that were meant.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"$wallet.example/ann", "https://wallet.example", "$localhost:3000/ann", "http://[::1]:80/x", "$a/../b", "$a@b/c",
		"$https://x.y/z", "$x/%2e%2e/", "$[::1", "$:1", "$a:1]/b",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, dev bool) {
		parser := pointer.Parser{AllowLoopback: dev}
		p, err := parser.Parse(s)
		if err != nil {
			var known pointer.Error
			if !errors.As(err, &known) {
				t.Errorf("%q: %v is no pointer.Error", s, err)
			}
			return
		}
		u, err := url.Parse(p.URL())
		if err != nil || u.Host != p.Host() || u.EscapedPath() != p.Path() || u.User != nil || u.RawQuery+u.Fragment != "" {
			t.Errorf("%q became %q, which reads as %#v, %v", s, p.URL(), u, err)
		}
		if again, err := parser.Parse(p.String()); err != nil || again != p {
			t.Errorf("%q became %q, which becomes %q, %v", s, p, again, err)
		}
	})
}

func TestPublishedPointers(t *testing.T) {
	var v struct {
		RFC     [][2]string `json:"rfc26"`
		Quilt   [][2]string `json:"quilt_valid"`
		Invalid []string
	}
	vectors.Read(t, "text/payment-pointers.json", &v)
	for _, c := range append(v.RFC, v.Quilt...) {
		if p, err := pointer.Parse(c[0]); err != nil || p.URL() != c[1] {
			t.Errorf("Parse(%q) = %q, %v; want %q", c[0], p.URL(), err, c[1])
		}
	}
	for _, s := range v.Invalid {
		if p, err := pointer.Parse(s); err == nil {
			t.Errorf("Parse(%q) = %q", s, p.URL())
		}
	}
}
