package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// loopback is the only address that Hydra listens on. Elsewhere than on a laptop a proxy with TLS stands before its
// public interface; the admin interface is for the wallet alone.
const loopback = "127.0.0.1"

const (
	secretMin  = 16 // characters of the shortest system secret that Hydra takes
	hookKeyMin = 32 // characters of the key that the wallet knows Hydra by
)

// settings is what Hydra needs to know of the wallet beside it.
type settings struct {
	Production bool
	Data       string   // folder of hydra.db and hydra.secret, absolute
	WalletURL  *url.URL // the wallet's pages, among them login and consent
	PublicURL  *url.URL // where browsers and apps reach Hydra; its issuer
	PublicPort int
	AdminPort  int
	Secret     string // encrypts what Hydra stores and signs its cookies
	HookURL    string // where the wallet says whether a token may be given
	HookKey    string // what it knows Hydra by
}

// readSettings reads the POCHI_* variables through getenv, with a laptop's defaults for those that are empty.
func readSettings(getenv func(string) string) (settings, error) {
	get := func(name, otherwise string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return otherwise
	}
	s := settings{Secret: getenv("POCHI_HYDRA_SECRET")}
	var err error
	switch value := get("POCHI_ENV", "dev"); value {
	case "dev":
	case "production":
		s.Production = true
	default:
		return s, fmt.Errorf("POCHI_ENV is %q: it must be dev or production", value)
	}
	if s.Data, err = filepath.Abs(get("POCHI_DATA", "data")); err != nil {
		return s, fmt.Errorf("POCHI_DATA: %w", err)
	}
	if s.WalletURL, err = parseURL("POCHI_PUBLIC_URL", get("POCHI_PUBLIC_URL", "http://localhost:3000")); err != nil {
		return s, err
	}
	if s.PublicURL, err = parseURL("POCHI_HYDRA_PUBLIC_URL", get("POCHI_HYDRA_PUBLIC_URL", "http://localhost:4444")); err != nil {
		return s, err
	}
	admin, err := parseURL("POCHI_HYDRA_ADMIN_URL", get("POCHI_HYDRA_ADMIN_URL", "http://127.0.0.1:4445"))
	if err != nil {
		return s, err
	}
	if s.HookURL, err = hookURL(get("POCHI_OPS_LISTEN", "127.0.0.1:3003")); err != nil {
		return s, err
	}
	s.PublicPort = port(s.PublicURL, 4444)
	s.AdminPort = port(admin, 4445)
	return s, s.validate()
}

// validate refuses what must not reach production, naming the variable.
func (s settings) validate() error {
	switch {
	case s.Secret != "" && len(s.Secret) < secretMin:
		return fmt.Errorf("POCHI_HYDRA_SECRET is shorter than %d characters", secretMin)
	case s.Production && s.Secret == "":
		return errors.New("POCHI_HYDRA_SECRET is missing: production doesn't make its own")
	case s.Production && s.WalletURL.Scheme != "https":
		return errors.New("POCHI_PUBLIC_URL must be https in production")
	case s.Production && s.PublicURL.Scheme != "https":
		return errors.New("POCHI_HYDRA_PUBLIC_URL must be https in production")
	}
	return nil
}

// parseURL takes an absolute http or https URL; the error names the variable it came from.
func parseURL(variable, value string) (*url.URL, error) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%s is %q: it must be a URL such as http://localhost:4444", variable, value)
	}
	return u, nil
}

// port is the port that u names, or otherwise if it names none: then a proxy stands before Hydra.
func port(u *url.URL, otherwise int) int {
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	return otherwise
}

// hookURL is where the wallet is asked about tokens that listens for its operators there. It is beside Hydra.
func hookURL(listens string) (string, error) {
	host, port, err := net.SplitHostPort(listens)
	if err != nil {
		return "", fmt.Errorf("POCHI_OPS_LISTEN is %q: it must be an address and a port, such as 127.0.0.1:3003", listens)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = loopback
	}
	return "http://" + net.JoinHostPort(host, port) + "/hooks/token", nil
}

// ensureHookKey reads the key that the wallet knows Hydra by. Whichever of the two starts first makes it; app/config has
// the same function.
func (s *settings) ensureHookKey() (err error) {
	path := filepath.Join(s.Data, "hook.key")
	if s.HookKey, err = readKey(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	made, err := os.CreateTemp(s.Data, "hook.key.*")
	if err != nil {
		return fmt.Errorf("data folder POCHI_DATA can't be written: %w", err)
	}
	defer os.Remove(made.Name())
	_, err = made.WriteString(rand.Text() + rand.Text() + "\n")
	if err = errors.Join(err, made.Close()); err != nil {
		return fmt.Errorf("data folder POCHI_DATA can't be written: %w", err)
	}
	// A link, unlike a rename, leaves alone what the other one made meanwhile.
	if err := os.Link(made.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("data folder POCHI_DATA can't be written: %w", err)
	}
	s.HookKey, err = readKey(path)
	return err
}

func readKey(path string) (string, error) {
	kept, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the key that the wallet knows Hydra by: %w", err)
	}
	key := strings.TrimSpace(string(kept))
	if len(key) < hookKeyMin {
		return "", fmt.Errorf("%s is not a key: remove it, and start the wallet and Hydra again", path)
	}
	return key, nil
}

// ensureSecret makes the system secret at the first start and reads it at each later one, unless one was given.
func (s *settings) ensureSecret() error {
	if s.Secret != "" {
		return nil
	}
	path := filepath.Join(s.Data, "hydra.secret")
	kept, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		s.Secret = rand.Text() + rand.Text()
		return writeWhole(path, s.Secret+"\n")
	}
	if err != nil {
		return fmt.Errorf("read Hydra's secret: %w", err)
	}
	s.Secret = strings.TrimSpace(string(kept))
	if len(s.Secret) < secretMin {
		return fmt.Errorf("%s is not a secret: remove it together with hydra.db to start afresh", path)
	}
	return nil
}

// writeWhole writes a private file so that it is there with all of its text or not at all.
func writeWhole(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return fmt.Errorf("data folder POCHI_DATA can't be written: %w", err)
	}
	return os.Rename(path+".new", path)
}

// DSN names Hydra's database, beside the wallet's own.
func (s settings) DSN() string {
	return "sqlite://" + filepath.Join(s.Data, "hydra.db") + "?_fk=true"
}

// Config is Hydra's configuration by the keys of its own schema. It wins over Hydra's environment variables.
func (s settings) Config() map[string]any {
	// Cookies ignore ports: two wallets on one host would overwrite each other's.
	cookie := func(name string) string { return fmt.Sprintf("pochi_hydra_%s_%d", name, s.PublicPort) }
	level := "error" // a laptop's warnings, such as plain HTTP, are no news
	if s.Production {
		level = "warn"
	}
	return map[string]any{
		"dev":                       !s.Production,
		"dsn":                       s.DSN(),
		"secrets.system":            []string{s.Secret},
		"log.level":                 level,
		"log.leak_sensitive_values": false,

		"serve.public.host":                loopback,
		"serve.public.port":                s.PublicPort,
		"serve.admin.host":                 loopback,
		"serve.admin.port":                 s.AdminPort,
		"serve.tls.enabled":                false, // a proxy's work
		"serve.cookies.same_site_mode":     "Lax",
		"serve.cookies.names.login_csrf":   cookie("login"),
		"serve.cookies.names.consent_csrf": cookie("consent"),
		"serve.cookies.names.session":      cookie("session"),

		"urls.self.issuer":          s.PublicURL.String(),
		"urls.self.public":          s.PublicURL.String(),
		"urls.login":                s.WalletURL.JoinPath("oauth/login").String(),
		"urls.consent":              s.WalletURL.JoinPath("oauth/consent").String(),
		"urls.logout":               s.WalletURL.JoinPath("oauth/logout").String(),
		"urls.error":                s.WalletURL.JoinPath("oauth/error").String(),
		"urls.post_logout_redirect": s.WalletURL.JoinPath("/").String(),

		"oauth2.pkce.enforced": true,
		// Before each token the wallet is asked, which knows what was revoked. Without an answer there is no token.
		"oauth2.token_hook": map[string]any{
			"url": s.HookURL,
			"auth": map[string]any{
				"type":   "api_key",
				"config": map[string]any{"in": "header", "name": "Authorization", "value": "Bearer " + s.HookKey},
			},
		},
		// Each refresh token is good once; for whoever lost the answer, once more for a moment.
		"oauth2.grant.refresh_token.rotation_grace_period": "30s",

		"strategies.scope":        "exact",
		"strategies.access_token": "opaque",
		"ttl.auth_code":           "1m",
		"ttl.access_token":        "15m",
		"ttl.refresh_token":       "-1", // a yearly subscription comes back after a year; the wallet says when it ends
	}
}
