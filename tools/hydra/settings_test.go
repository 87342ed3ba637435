package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// environment answers as os.Getenv does, from pairs of name and value; the first of a name counts.
func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestDefaultsServeALaptop(t *testing.T) {
	s, err := readSettings(environment())
	if err != nil {
		t.Fatal(err)
	}
	config := s.Config()
	for key, want := range map[string]any{
		"dev":                       true,
		"log.level":                 "error",
		"serve.public.host":         "127.0.0.1",
		"serve.public.port":         4444,
		"serve.admin.host":          "127.0.0.1",
		"serve.admin.port":          4445,
		"urls.self.issuer":          "http://localhost:4444",
		"urls.login":                "http://localhost:3000/oauth/login",
		"urls.post_logout_redirect": "http://localhost:3000/",
		"oauth2.pkce.enforced":      true,
		"ttl.auth_code":             "1m",
		"ttl.refresh_token":         "-1",
	} {
		if config[key] != want {
			t.Errorf("%s = %v, want %v", key, config[key], want)
		}
	}
}

func TestProductionIsRefusedHalfSet(t *testing.T) {
	complete := []string{
		"POCHI_ENV", "production",
		"POCHI_PUBLIC_URL", "https://wallet.example",
		"POCHI_HYDRA_PUBLIC_URL", "https://auth.wallet.example",
		"POCHI_HYDRA_SECRET", "sixteen characters and more",
	}
	s, err := readSettings(environment(complete...))
	if err != nil {
		t.Fatal(err)
	}
	if s.PublicPort != 4444 || s.Config()["dev"] != false {
		t.Errorf("port %d, dev %v; want 4444, false", s.PublicPort, s.Config()["dev"])
	}
	for _, broken := range [][2]string{
		{"POCHI_ENV", "prod"},
		{"POCHI_PUBLIC_URL", "http://wallet.example"},
		{"POCHI_HYDRA_PUBLIC_URL", "http://auth.wallet.example"},
		{"POCHI_HYDRA_PUBLIC_URL", "auth.wallet.example"},
		{"POCHI_HYDRA_SECRET", ""},
		{"POCHI_HYDRA_SECRET", "short"},
	} {
		_, err := readSettings(environment(append(broken[:], complete...)...))
		if err == nil || !strings.Contains(err.Error(), broken[0]) {
			t.Errorf("%s=%q: error %v, want one that names the variable", broken[0], broken[1], err)
		}
	}
}

func TestSecretIsMadeOnceAndPrivate(t *testing.T) {
	data := t.TempDir()
	first := settings{Data: data}
	if err := first.ensureSecret(); err != nil {
		t.Fatal(err)
	}
	stat, err := os.Stat(filepath.Join(data, "hydra.secret"))
	if err != nil {
		t.Fatal(err)
	}
	if stat.Mode().Perm() != 0o600 || len(first.Secret) < 32 {
		t.Errorf("mode %v, %d characters; want 0600, 32 at least", stat.Mode().Perm(), len(first.Secret))
	}
	second := settings{Data: data}
	if err := second.ensureSecret(); err != nil {
		t.Fatal(err)
	}
	if second.Secret != first.Secret {
		t.Error("the second start made another secret")
	}
}

func TestTheWalletIsAskedWhereItListens(t *testing.T) {
	for listens, want := range map[string]string{
		"":               "http://127.0.0.1:3003/hooks/token",
		"127.0.0.1:4003": "http://127.0.0.1:4003/hooks/token",
		":4003":          "http://127.0.0.1:4003/hooks/token",
		"0.0.0.0:4003":   "http://127.0.0.1:4003/hooks/token",
		"[::]:4003":      "http://127.0.0.1:4003/hooks/token",
		"[::1]:4003":     "http://[::1]:4003/hooks/token",
		"localhost:4003": "http://localhost:4003/hooks/token",
	} {
		s, err := readSettings(environment("POCHI_OPS_LISTEN", listens))
		if err != nil || s.HookURL != want {
			t.Errorf("%q: %q, %v; want %q", listens, s.HookURL, err, want)
		}
	}
	if _, err := readSettings(environment("POCHI_OPS_LISTEN", "4003")); err == nil || !strings.Contains(err.Error(), "POCHI_OPS_LISTEN") {
		t.Errorf("error %v, want one that names the variable", err)
	}
}

func TestTheHookKeyIsMadeOnceWhoeverStartsFirst(t *testing.T) {
	data := t.TempDir()
	keys := make(chan string)
	for range 20 {
		go func() {
			s := settings{Data: data}
			if err := s.ensureHookKey(); err != nil {
				t.Error(err)
			}
			keys <- s.HookKey
		}()
	}
	first := <-keys
	for range 19 {
		if key := <-keys; key != first || len(key) < 32 {
			t.Errorf("%q and %q", first, key)
		}
	}
	if stat, err := os.Stat(filepath.Join(data, "hook.key")); err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want a private file", stat, err)
	}
	s, err := readSettings(environment())
	if err != nil {
		t.Fatal(err)
	}
	s.HookKey = first
	hook := s.Config()["oauth2.token_hook"].(map[string]any)
	if auth := hook["auth"].(map[string]any)["config"].(map[string]any); auth["value"] != "Bearer "+first || hook["url"] != s.HookURL {
		t.Errorf("the hook is %v", hook)
	}
}

func TestTwoWalletsOnOneHostKeepTheirCookies(t *testing.T) {
	a, err := readSettings(environment())
	if err != nil {
		t.Fatal(err)
	}
	b, err := readSettings(environment("POCHI_HYDRA_PUBLIC_URL", "http://localhost:5444"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"login_csrf", "consent_csrf", "session"} {
		key := "serve.cookies.names." + name
		if a.Config()[key] == b.Config()[key] {
			t.Errorf("both wallets name %s %v", name, a.Config()[key])
		}
	}
}
