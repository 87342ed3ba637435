package ilphttp_test

import (
	"strings"
	"testing"

	"pochi/ilp/ilphttp"
)

func TestParseURL(t *testing.T) {
	const never, always, dev = 0, 1, 2
	for url, want := range map[string]int{
		"https://ben.example/ilp": always, "HTTPS://ben.example:8443": always, "https://127.0.0.1/ilp": always, "https://[::1]/": always,
		"https://ben.example/accounts/x/ilp?a=b": always,
		"http://localhost:1/ilp":                 dev, "http://LOCALHOST/": dev, "http://127.8.8.8:80/": dev, "http://[::1]:80/": dev, "http://[::ffff:127.0.0.1]/": dev,
		"http://ben.example/ilp": never, "http://localhost.example/": never, "http://10.0.0.1/": never, "http://127.0.0.1.example/": never,
		"": never, "ben.example": never, "//ben.example/ilp": never, "/ilp": never, "https:///ilp": never, "https:ben.example": never,
		"ftp://ben.example/": never, "https://ann:secret@ben.example/": never, "https://ann@ben.example/": never,
		"https://ben.example/#x": never, "https://ben.example/#": never, "https://ben.example:port/": never, "https://ben example/": never,
		"https://ben.example/\n": never, "https://ben.example/" + strings.Repeat("x", 2048): never,
	} {
		for _, loopback := range []bool{false, true} {
			u, err := ilphttp.ParseURL(url, loopback)
			if ok := want == always || want == dev && loopback; (err == nil) != ok || ok && u.Hostname() == "" {
				t.Errorf("%.60q, loopback %t: %v, %v", url, loopback, u, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		}
	}
}
