package oauth

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	hydra "github.com/ory/hydra-client-go/v2"
)

const appNameMax = 60 // characters

// App is the program that asks: an OAuth client.
type App struct {
	ID        string
	Name      string // what it calls itself, or its ID; printable, 60 characters at most
	PolicyURL string // "" for none, as in the following
	TermsURL  string
}

// appOf returns who asks; the zero App when Hydra names nobody.
func appOf(client *hydra.OAuth2Client) App {
	if client == nil {
		return App{}
	}
	app := App{ID: client.GetClientId(), Name: printable(client.GetClientName())}
	if app.Name == "" {
		app.Name = printable(app.ID)
	}
	if isLink(client.GetPolicyUri()) {
		app.PolicyURL = client.GetPolicyUri()
	}
	if isLink(client.GetTosUri()) {
		app.TermsURL = client.GetTosUri()
	}
	return app
}

// printable is printableUpTo for a name.
func printable(name string) string { return printableUpTo(name, appNameMax) }

// printableUpTo leaves of a text what can be read: invisible characters and
// those that turn the direction of the text around could make it look like
// another one. A long one is cut.
func printableUpTo(text string, characters int) string {
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))), " ")
	if runes := []rune(text); len(runes) > characters {
		return string(runes[:characters-1]) + "…"
	}
	return text
}

// hostOf names where a redirect URI leads, for people: its host or, where an
// installed program has an address of its own, its scheme, whatever host it names.
func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return u.Scheme
	}
	return printable(u.Host)
}

// hostsOf names where an answer may go: where it should, and wherever else the
// app may have it sent.
func hostsOf(to string, client *hydra.OAuth2Client) []string {
	var hosts []string
	for _, uri := range append([]string{to}, client.GetRedirectUris()...) {
		if host := hostOf(uri); host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// formURLs are the stations of a browser that sends a form to the wallet: to
// Hydra, and from there to the app, if it is known where.
func (p *Provider) formURLs(to string) []string {
	out := []string{p.public.String()}
	if to != "" {
		out = append(out, to)
	}
	return out
}

// query returns the parameters of the URL with which an app started a request,
// empty when it can't be read.
func query(requestURL string) url.Values {
	u, err := url.Parse(requestURL)
	if err != nil {
		return url.Values{}
	}
	return u.Query()
}

// redirectURI returns where the answer to an authorization request goes: the
// URI in the request or, when it names none, the only one of the client (RFC
// 6749, section 3.1.2.3).
func redirectURI(requestURL string, client *hydra.OAuth2Client) string {
	if uri := query(requestURL).Get("redirect_uri"); uri != "" {
		return uri
	}
	if uris := client.GetRedirectUris(); len(uris) == 1 {
		return uris[0]
	}
	return ""
}
