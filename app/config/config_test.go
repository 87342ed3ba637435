package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pochi/app/config"

	"github.com/google/go-cmp/cmp"
)

func load(pairs map[string]string) (config.Config, error) {
	return config.Load(func(name string) string { return pairs[name] })
}

func TestDefaultsServeALaptop(t *testing.T) {
	c, err := load(nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.DB != "sqlite:"+filepath.Join("data", "pochi.db") || c.Host() != "localhost:3000" {
		t.Errorf("DB %q, host %q", c.DB, c.Host())
	}
	if !c.FaucetOn() || c.Production() {
		t.Error("a laptop should have a faucet and not be production")
	}
	assets, err := c.Assets()
	if err != nil || len(assets) != 6 {
		t.Errorf("assets %v, %v", assets, err)
	}
}

func TestRefusedConfigurationNamesItsVariable(t *testing.T) {
	production := map[string]string{
		"POCHI_ENV": "production", "POCHI_SECRET": strings.Repeat("s", 40),
		"POCHI_PUBLIC_URL": "https://wallet.example", "POCHI_HYDRA_PUBLIC_URL": "https://id.wallet.example",
		"POCHI_TRUSTED_PROXIES": "none", "POCHI_RATES": "USD=1,EUR=0.9,GBP=0.8,JPY=150,KES=130,MXN=18",
		"POCHI_ILP_ADDRESS": "g.wallet",
	}
	if c, err := load(production); err != nil || c.FaucetOn() {
		t.Fatalf("complete production: %v, faucet %v", err, c.FaucetOn())
	}
	for _, test := range []struct {
		production  bool
		name, value string
	}{
		{true, "POCHI_SECRET", ""},
		{true, "POCHI_SECRET", "short"},
		{true, "POCHI_PUBLIC_URL", "http://wallet.example"},
		{true, "POCHI_PUBLIC_URL", "https://wallet.example:8443"},
		{true, "POCHI_HYDRA_PUBLIC_URL", "http://id.wallet.example"},
		{true, "POCHI_FAUCET", "on"},
		{true, "POCHI_RATES", ""},
		{true, "POCHI_TRUSTED_PROXIES", ""},
		{false, "POCHI_TRUSTED_PROXIES", "proxy.example"},
		{false, "POCHI_TRUSTED_PROXIES", "10.0.0.1,"},
		{false, "POCHI_TRUSTED_PROXIES", "10.0.0.1:3000"},
		{false, "POCHI_TRUSTED_PROXIES", "10.0.0.0/33"},
		{false, "POCHI_TRUSTED_PROXIES", "10.0.0.1 10.0.0.2"},
		{false, "POCHI_TRUSTED_PROXIES", "none,10.0.0.1"},
		{false, "POCHI_ENV", "staging"},
		{false, "POCHI_PUBLIC_URL", "localhost:3000"},
		{false, "POCHI_PUBLIC_URL", "https://wallet.example/path"},
		{false, "POCHI_PUBLIC_URL", "https://wallet.example?a=b"},
		{false, "POCHI_PUBLIC_URL", "https://wallet.example?"},
		{false, "POCHI_PUBLIC_URL", "https://wallet.example#top"},
		{false, "POCHI_PUBLIC_URL", "https://wallet.example/#"},
		{false, "POCHI_PUBLIC_URL", "https://ann@wallet.example"},
		{false, "POCHI_PUBLIC_URL", "https://ann:secret@wallet.example"},
		{false, "POCHI_PUBLIC_URL", "https://wallet.example:99999"},
		{false, "POCHI_PUBLIC_URL", "https://wallet.example:"},
		{false, "POCHI_LISTEN", "3000"},
		{false, "POCHI_LISTEN", "127.0.0.1:http"},
		{false, "POCHI_LISTEN", "127.0.0.1:99999"},
		{false, "POCHI_OPS_LISTEN", "localhost"},
		{false, "POCHI_ILP_LISTEN", "3002"},
		{false, "POCHI_ILP_ADDRESS", "nowhere"},
		{false, "POCHI_ILP_ADDRESS", "peer.wallet"},
		{false, "POCHI_ILP_ADDRESS", "self.wallet"},
		{false, "POCHI_ILP_ADDRESS", "local.wallet"},
		{false, "POCHI_ILP_ADDRESS", "test." + strings.Repeat("x", 900)},
		{true, "POCHI_ILP_ADDRESS", ""},
		{true, "POCHI_ILP_ADDRESS", "test.wallet"},
		{true, "POCHI_ILP_ADDRESS", "test2.wallet"},
		{false, "POCHI_ILP_PUBLIC_URL", "ilp.wallet.example"},
		{false, "POCHI_ILP_PUBLIC_URL", "http://ilp.wallet.example"},
		{false, "POCHI_ILP_PUBLIC_URL", "https://ilp.wallet.example?a=b"},
		{false, "POCHI_ILP_PUBLIC_URL", "https://ilp.wallet.example/#top"},
		{false, "POCHI_ILP_PUBLIC_URL", "https://ann@ilp.wallet.example"},
		{false, "POCHI_ILP_PUBLIC_URL", "http://127.0.0.1:0"},
		{true, "POCHI_ILP_PUBLIC_URL", "http://127.0.0.1:3002"},
		{false, "POCHI_CURRENCIES", "USD/10"},
		{false, "POCHI_CURRENCIES", "USD"},
		{false, "POCHI_CURRENCIES", "USD/2,EUR/2,USD/4"},
		{false, "POCHI_RATES", "USD=0"},
		{false, "POCHI_RATES", "USD=1"},
		{false, "POCHI_EXCHANGE_LIMIT", "10000000000000000000"},
		{false, "POCHI_EXCHANGE_LIMIT", "-1"},
		{false, "POCHI_QUOTE_TTL", "0s"},
		{false, "POCHI_QUOTE_TTL", "5"},
		{false, "POCHI_SEND_TIMEOUT", "soon"},
		{false, "POCHI_FAUCET", "yes"},
	} {
		pairs := map[string]string{}
		if test.production {
			for k, v := range production {
				pairs[k] = v
			}
		}
		pairs[test.name] = test.value
		_, err := load(pairs)
		if err == nil || !strings.Contains(err.Error(), test.name) {
			t.Errorf("%s=%q: %v, want an error that names it", test.name, test.value, err)
		}
	}
}

// In production peers' tokens come in from a proxy with TLS only: one on this
// machine, or one that is named.
func TestTokensDontTravelInClear(t *testing.T) {
	for _, test := range []struct {
		listen, proxies string
		ok              bool
	}{
		{"127.0.0.1:3002", "none", true},
		{"[::1]:3002", "none", true},
		{"localhost:3002", "none", true},
		{"0.0.0.0:3002", "none", false},
		{":3002", "none", false},
		{"[::]:3002", "127.0.0.1,::1", false},
		{"10.0.0.7:3002", "127.0.0.0/8", false},
		{"wallet.internal:3002", "none", false},
		{"127.0.0.1:3002", "10.0.0.0/8", true},
		{"0.0.0.0:3002", "10.0.0.0/8", true},
		{":3002", "127.0.0.1,10.0.0.1", true},
	} {
		pairs := map[string]string{
			"POCHI_ENV": "production", "POCHI_SECRET": strings.Repeat("s", 40), "POCHI_PUBLIC_URL": "https://wallet.example",
			"POCHI_HYDRA_PUBLIC_URL": "https://id.wallet.example", "POCHI_RATES": "USD=1,EUR=0.9,GBP=0.8,JPY=150,KES=130,MXN=18",
			"POCHI_ILP_ADDRESS": "g.wallet", "POCHI_ILP_LISTEN": test.listen, "POCHI_TRUSTED_PROXIES": test.proxies,
		}
		_, err := load(pairs)
		if (err == nil) != test.ok || err != nil && (!strings.Contains(err.Error(), "POCHI_ILP_LISTEN") || !strings.Contains(err.Error(), "POCHI_TRUSTED_PROXIES")) {
			t.Errorf("%+v: %v", test, err)
		}
		delete(pairs, "POCHI_ENV")
		if _, err := load(pairs); err != nil {
			t.Errorf("%+v in dev: %v", test, err)
		}
	}
}

// Commands that look after files need nothing of what only serves.
func TestFilesNeedNoSecrets(t *testing.T) {
	for _, test := range []struct {
		pairs map[string]string
		want  string // the database, or in the error
	}{
		{nil, "sqlite:" + filepath.Join("data", "pochi.db")},
		{map[string]string{"POCHI_ENV": "production", "POCHI_DATA": "there"}, "sqlite:" + filepath.Join("there", "pochi.db")},
		{map[string]string{"POCHI_ENV": "production", "POCHI_DB": "sqlite:other.db", "POCHI_RATES": "x", "POCHI_QUOTE_TTL": "x"}, "sqlite:other.db"},
		{map[string]string{"POCHI_ENV": "staging"}, "POCHI_ENV"},
	} {
		c, err := config.LoadFiles(func(name string) string { return test.pairs[name] })
		if err != nil && !strings.Contains(err.Error(), test.want) || err == nil && c.DB != test.want {
			t.Errorf("%v: %q, %v, want %q", test.pairs, c.DB, err, test.want)
		}
	}
}

// Commands that add people and peers need no secrets either, but what the wallet
// is.
func TestAdminNeedsNoSecrets(t *testing.T) {
	pairs := map[string]string{"POCHI_ENV": "production", "POCHI_ILP_ADDRESS": "g.pochi", "POCHI_CURRENCIES": "XRP/9", "POCHI_RATES": "x", "POCHI_PUBLIC_URL": "https://Wallet.example/"}
	load := func() (config.Config, error) {
		return config.LoadAdmin(func(name string) string { return pairs[name] })
	}
	c, err := load()
	if err != nil || c.ILPAddress != "g.pochi" || c.Currencies != "XRP/9" || c.Host() != "wallet.example" {
		t.Errorf("%+v, %v", c, err)
	}
	for name, value := range map[string]string{"POCHI_ILP_ADDRESS": "pochi", "POCHI_ILP_PUBLIC_URL": "http://127.0.0.1:3002", "POCHI_CURRENCIES": "XRP", "POCHI_EXCHANGE_LIMIT": "10000000000000000000"} {
		before := pairs[name]
		pairs[name] = value
		if _, err := load(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
		pairs[name] = before
	}
}

// Commands that look after rates use the configuration's too.
func TestRatesNeedNoSecrets(t *testing.T) {
	for rates, want := range map[string]string{"USD=1,XRP=2": "", "USD=0": "POCHI_RATES"} {
		pairs := map[string]string{"POCHI_ENV": "production", "POCHI_RATES": rates}
		c, err := config.LoadRates(func(name string) string { return pairs[name] })
		if want == "" && (err != nil || c.Rates != rates) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %q, %v, want %q", rates, c.Rates, err, want)
		}
	}
}

// Payment pointers are compared in lower case and without the port that their scheme implies.
func TestPublicURLIsWrittenAsPointersAre(t *testing.T) {
	for value, want := range map[string]string{
		"https://Wallet.Example:443":   "https://wallet.example",
		"HTTPS://wallet.example/":      "https://wallet.example",
		"http://wallet.example:80":     "http://wallet.example",
		"http://wallet.example:443":    "http://wallet.example:443",
		"https://WALLET.example:08443": "https://wallet.example:8443",
		"http://LocalHost:3100":        "http://localhost:3100",
		"http://[::1]:80":              "http://[::1]",
		"http://[::1]:3000":            "http://[::1]:3000",
	} {
		c, err := load(map[string]string{"POCHI_PUBLIC_URL": value})
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		_, host, _ := strings.Cut(want, "://")
		if c.PublicURL != want || c.Host() != host {
			t.Errorf("%s: URL %s, host %s; want %s", value, c.PublicURL, c.Host(), want)
		}
	}
}

// Where peers call back is known, or it is known that they can't.
func TestCallbackURL(t *testing.T) {
	production := map[string]string{
		"POCHI_ENV": "production", "POCHI_SECRET": strings.Repeat("s", 40), "POCHI_PUBLIC_URL": "https://wallet.example",
		"POCHI_HYDRA_PUBLIC_URL": "https://id.wallet.example", "POCHI_TRUSTED_PROXIES": "none", "POCHI_ILP_ADDRESS": "g.wallet",
		"POCHI_RATES": "USD=1,EUR=0.9,GBP=0.8,JPY=150,KES=130,MXN=18",
	}
	for _, test := range []struct {
		production            bool
		listen, public, wants string
	}{
		{false, "", "", "http://127.0.0.1:3002/ilp/callback"},
		{false, "[::1]:1", "", "http://[::1]:1/ilp/callback"},
		{false, "127.0.0.1:0", "", ""},
		{false, "0.0.0.0:3002", "", ""},
		{false, ":3002", "", ""},
		{false, "0.0.0.0:3002", "http://localhost:1/", "http://localhost:1/ilp/callback"},
		{false, "", "https://wallet.example/from/peers", "https://wallet.example/from/peers/ilp/callback"},
		{true, "", "", ""},
		{true, "", "https://ilp.wallet.example", "https://ilp.wallet.example/ilp/callback"},
	} {
		pairs := map[string]string{}
		if test.production {
			maps.Copy(pairs, production)
		}
		pairs["POCHI_ILP_LISTEN"], pairs["POCHI_ILP_PUBLIC_URL"] = test.listen, test.public
		if c, err := load(pairs); err != nil || c.CallbackURL() != test.wants {
			t.Errorf("%+v: %q, %v", test, c.CallbackURL(), err)
		}
	}
}

func TestUnknownVariableIsRefused(t *testing.T) {
	if err := config.CheckNames([]string{"HOME=/", "POCHI_LISTEN=:1", "POCHI_HYDRA_SECRET=s", "POCHI_E2E=1", "POCHI_CHROMIUM=c"}); err != nil {
		t.Error(err)
	}
	err := config.CheckNames([]string{"POCHI_LISTEN=:1", "POCHI_LISTENN=:2"})
	if err == nil || !strings.Contains(err.Error(), "POCHI_LISTENN") {
		t.Errorf("%v, want an error that names it", err)
	}
}

func TestTrustedProxies(t *testing.T) {
	for value, want := range map[string][]string{
		"":                                nil,
		"none":                            nil,
		"10.0.0.1":                        {"10.0.0.1"},
		" 10.0.0.1 , 2001:DB8::0:1 ":      {"10.0.0.1", "2001:db8::1"},
		"10.1.2.3/8,::ffff:192.0.2.1":     {"10.0.0.0/8", "192.0.2.1"},
		"2001:db8:0:0::1/64,127.0.0.1/32": {"2001:db8::/64", "127.0.0.1/32"},
	} {
		c, err := load(map[string]string{"POCHI_TRUSTED_PROXIES": value})
		if err != nil {
			t.Errorf("%q: %v", value, err)
		}
		if diff := cmp.Diff(want, c.TrustedProxies); diff != "" {
			t.Errorf("%q: %s", value, diff)
		}
	}
}

func TestSecretIsMadeOnceAndPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	c, err := load(map[string]string{"POCHI_DATA": dir})
	if err != nil {
		t.Fatal(err)
	}
	var keys [2][32]byte
	for i := range keys {
		secrets, err := c.Secrets()
		if err != nil {
			t.Fatal(err)
		}
		if keys[i], err = secrets.Key("stream"); err != nil {
			t.Fatal(err)
		}
		if other, _ := secrets.Key("csrf"); other == keys[i] {
			t.Error("two purposes share a key")
		}
	}
	if keys[0] != keys[1] {
		t.Error("the second start has another key")
	}
	info, err := os.Stat(filepath.Join(dir, "pochi.secret"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("secret file: %v, %v", info, err)
	}
}

func TestReadmeHasTheTable(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), config.Table()) {
		t.Errorf("README.md lacks this table:\n%s", config.Table())
	}
}

func TestTheHookKeyIsMadeOnceWhoeverStartsFirst(t *testing.T) {
	c := config.Config{Data: filepath.Join(t.TempDir(), "data")}
	keys := make(chan string)
	for range 20 {
		go func() {
			key, err := c.HookKey()
			if err != nil {
				t.Error(err)
			}
			keys <- key
		}()
	}
	first := <-keys
	for range 19 {
		if key := <-keys; key != first || len(key) < 32 {
			t.Errorf("%q and %q", first, key)
		}
	}
	left, err := os.ReadDir(c.Data)
	if err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	if stat, err := os.Stat(filepath.Join(c.Data, "hook.key")); err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", stat, err)
	}
	if err := os.WriteFile(filepath.Join(c.Data, "hook.key"), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.HookKey(); err == nil || !strings.Contains(err.Error(), "hook.key") {
		t.Errorf("an empty key: %v", err)
	}
}
