package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"pochi/ilp/address"
	"pochi/ilp/ilphttp"
	"pochi/ilp/stream"
)

func (c Config) publicURL() *url.URL {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return &url.URL{} // validate has refused it
	}
	return u
}

// canonical writes a base URL as payment pointers and browsers do: in lower
// case, without the port that its scheme implies. What it can't read it
// leaves to validateAddresses.
func canonical(base string) string {
	u, err := url.Parse(base)
	if err != nil || !strings.EqualFold(base, u.Scheme+"://"+u.Host) {
		return base
	}
	u.Host = strings.ToLower(u.Host)
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return u.String()
	}
	bare := strings.TrimSuffix(u.Host, ":"+u.Port())
	if u.Scheme == "http" && port == 80 || u.Scheme == "https" && port == 443 {
		u.Host = bare
	} else {
		u.Host = fmt.Sprintf("%s:%d", bare, port)
	}
	return u.String()
}

func (c Config) validateAddresses() error {
	for _, v := range []struct{ name, value string }{
		{"POCHI_PUBLIC_URL", c.PublicURL}, {"POCHI_HYDRA_ADMIN_URL", c.HydraAdminURL}, {"POCHI_HYDRA_PUBLIC_URL", c.HydraPublicURL},
	} {
		u, err := url.Parse(v.value)
		if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" ||
			strings.HasSuffix(u.Host, ":") || u.Port() != "" && !isPort(u.Port()) {
			return fmt.Errorf("%s is %q: it must be a URL such as http://localhost:3000", v.name, v.value)
		}
	}
	if u := c.publicURL(); c.PublicURL != u.Scheme+"://"+u.Host {
		return fmt.Errorf("POCHI_PUBLIC_URL is %q: it must be a scheme and a host only, such as https://wallet.example", c.PublicURL)
	}
	for _, v := range []struct{ name, value string }{{"POCHI_LISTEN", c.Listen}, {"POCHI_ILP_LISTEN", c.ILPListen}, {"POCHI_OPS_LISTEN", c.OpsListen}} {
		_, port, err := net.SplitHostPort(v.value)
		if err != nil || !isPort(port) {
			return fmt.Errorf("%s is %q: it must be an address and a port, such as 127.0.0.1:3000", v.name, v.value)
		}
	}
	if err := c.validateILPAddress(); err != nil {
		return err
	}
	return c.validateCallbackURL()
}

// validateILPAddress refuses what isn't an address that packets can come to from
// elsewhere, with receivers below it.
func (c Config) validateILPAddress() error {
	own, err := address.Parse(c.ILPAddress)
	if err == nil {
		err = stream.CheckBase(own)
	}
	if err != nil {
		return fmt.Errorf("POCHI_ILP_ADDRESS is %q: %w", c.ILPAddress, err)
	}
	switch own.Scheme() {
	case "peer", "self", "local":
		return fmt.Errorf("POCHI_ILP_ADDRESS is %q: addresses that begin with %s. can't be reached from another node", c.ILPAddress, own.Scheme())
	}
	return nil
}

// validateILPListen refuses in production to take peers' tokens in clear: whoever
// ends TLS in front is on this machine, or a proxy elsewhere that is named.
// TrustedProxies must be parsed.
func (c Config) validateILPListen() error {
	host, _, _ := net.SplitHostPort(c.ILPListen) // validateAddresses has refused what it can't be
	if !c.Production() || isLoopback(host) || slices.ContainsFunc(c.TrustedProxies, isElsewhere) {
		return nil
	}
	return fmt.Errorf("POCHI_ILP_LISTEN is %q: in production peers' tokens must not come in without TLS: "+
		"listen on 127.0.0.1, behind a proxy with TLS, or name its address in POCHI_TRUSTED_PROXIES", c.ILPListen)
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// isElsewhere reports whether a proxy, as parseProxies writes it, is on another
// machine.
func isElsewhere(proxy string) bool {
	host, _, _ := strings.Cut(proxy, "/")
	return !isLoopback(host)
}

// CallbackURL returns where peers send their replies in asynchronous mode, ""
// when they can't reach this node. In dev a listener on this machine is reached
// as it listens, unless its port is any.
func (c Config) CallbackURL() string { return c.packetsURL(ilphttp.CallbackPath) }

// AgreementsURL returns where agreements take packets, each below it by its id; ""
// when apps can't reach this node.
func (c Config) AgreementsURL() string { return c.packetsURL(ilphttp.AgreementPath) }

func (c Config) packetsURL(path string) string {
	base := c.ILPPublicURL
	if base == "" && !c.Production() {
		base = "http://" + c.ILPListen
	}
	u, err := ilphttp.ParseURL(base, !c.Production())
	if err != nil || u.Port() == "0" {
		return ""
	}
	return base + path
}

func (c Config) validateCallbackURL() error {
	if c.ILPPublicURL == "" {
		return nil
	}
	_, err := ilphttp.ParseURL(c.ILPPublicURL, !c.Production())
	if err != nil || strings.Contains(c.ILPPublicURL, "?") || c.CallbackURL() == "" {
		return fmt.Errorf("POCHI_ILP_PUBLIC_URL is %q: it must be an https URL such as https://ilp.wallet.example, in dev also http on this machine", c.ILPPublicURL)
	}
	return nil
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}
