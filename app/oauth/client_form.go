package oauth

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"pochi/app/problem"
)

const (
	clientIDMax    = 255 // bytes, Hydra's own
	redirectsMax   = 10
	redirectURIMax = 500 // bytes
	linkMax        = 500 // bytes
)

// Validate returns what can't be used of a client: Invalid, with the fields that
// CreateClient names.
func (c Client) Validate() error {
	var wrong problem.Errors
	if c.Name == "" || c.Name != printable(c.Name) {
		wrong = append(wrong, problem.Field("name", "A name has 1 to %d letters, digits or signs.", appNameMax))
	}
	if c.Service {
		wrong = append(wrong, c.checkService()...)
	} else {
		wrong = append(wrong, c.checkApp()...)
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

func (c Client) checkService() (wrong problem.Errors) {
	unfit := func(s Scope) bool { return !slices.Contains(ServiceScopes(), s) }
	if len(c.Scopes) == 0 || slices.ContainsFunc(c.Scopes, unfit) {
		wrong = append(wrong, problem.Field("scopes", "The scopes of a service are %s.", strings.Join(names(ServiceScopes()), " and ")))
	}
	return wrong
}

func (c Client) checkApp() (wrong problem.Errors) {
	if len(c.RedirectURIs) == 0 || len(c.RedirectURIs) > redirectsMax {
		wrong = append(wrong, problem.Field("redirect_uris", "An app has 1 to %d addresses to which people come back.", redirectsMax))
	}
	for _, uri := range c.RedirectURIs {
		if sentence := redirectFault(uri); sentence != "" {
			wrong = append(wrong, problem.Field("redirect_uris", "%s", sentence))
		}
	}
	for field, link := range map[string]string{"policy_url": c.PolicyURL, "terms_url": c.TermsURL, "logo_url": c.LogoURL} {
		if link != "" && !isLink(link) {
			wrong = append(wrong, problem.Field(field, "A link begins with https:// and has %d letters at most.", linkMax))
		}
	}
	if len(c.Scopes) > 0 {
		wrong = append(wrong, problem.Field("scopes", "The scopes of an app are fixed."))
	}
	return wrong
}

// redirectFault says what is wrong with an address to which people come back,
// "" if nothing is. It is an https URL, an http URL of the person's own
// computer, or in a scheme of the app's own (RFC 8252, section 7).
func redirectFault(uri string) string {
	if len(uri) > redirectURIMax {
		return "An address to come back to is too long."
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "" || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "An address to come back to isn't a whole URL such as https://shop.example/back."
	case strings.ContainsAny(uri, "#*"):
		return "An address to come back to has neither # nor * in it."
	case u.User != nil:
		return "An address to come back to has neither a user nor a password in it."
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r > '~' }): // escaped: it may look like another one
		return "The host of an address to come back to is written in plain letters, such as xn--bcher-kva.example."
	case u.Scheme == "https" && u.Hostname() != "", u.Scheme == "http" && isLoopback(u.Hostname()):
		return ""
	case u.Scheme == "https" || u.Scheme == "http":
		return "An address to come back to begins with https://, or with http://localhost while you try things out."
	case !strings.Contains(u.Scheme, ".") || !strings.HasPrefix(u.Path, "/"):
		return "A scheme of your own has a dot in it, and a path, such as com.example.app:/back."
	}
	return ""
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isLink tells whether people can be given a link to it: https, or their own
// computer.
func isLink(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= linkMax && u.User == nil && u.Hostname() != "" &&
		(u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
}
