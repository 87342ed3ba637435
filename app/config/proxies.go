package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// noProxies is the value that says that nothing stands in front.
const noProxies = "none"

// parseProxies returns each entry, an address or a CIDR range, in its usual
// form; nil for noProxies. Any other entry is an error: a proxy that isn't
// recognised makes everybody behind it one visitor.
func parseProxies(entries []string) ([]string, error) {
	if len(entries) == 1 && strings.TrimSpace(entries[0]) == noProxies {
		return nil, nil
	}
	var out []string
	for _, entry := range entries {
		text := strings.TrimSpace(entry)
		if prefix, err := netip.ParsePrefix(text); err == nil {
			out = append(out, prefix.Masked().String())
			continue
		}
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return nil, fmt.Errorf("POCHI_TRUSTED_PROXIES: %q is neither an address, such as 10.0.0.1, nor a range, such as 10.0.0.0/8", entry)
		}
		out = append(out, addr.Unmap().String())
	}
	return out, nil
}
