package apps

import (
	"net/url"
	"strings"

	"pochi/app/names"
	"pochi/app/oauth"
	"pochi/app/problem"
)

// Form is what people say about their app.
type Form struct {
	Name         string
	Confidential bool // only when it is registered: it stays what it is
	RedirectURIs []string
	PolicyURL    string // "" for none
	TermsURL     string // "" for none
}

// trimmed returns the form without the space around what was typed, and each
// redirect URI once.
func (f Form) trimmed() Form {
	f.Name = strings.Join(strings.Fields(f.Name), " ")
	f.PolicyURL, f.TermsURL = strings.TrimSpace(f.PolicyURL), strings.TrimSpace(f.TermsURL)
	var uris []string
	seen := map[string]bool{}
	for _, uri := range f.RedirectURIs {
		if uri = strings.TrimSpace(uri); uri != "" && !seen[uri] {
			seen[uri] = true
			uris = append(uris, uri)
		}
	}
	f.RedirectURIs = uris
	return f
}

// client returns what Hydra is to have of the form.
func (f Form) client(id string) oauth.Client {
	return oauth.Client{
		ID: id, Name: f.Name, Confidential: f.Confidential, RedirectURIs: f.RedirectURIs, PolicyURL: f.PolicyURL, TermsURL: f.TermsURL,
	}
}

// validate returns problem.Errors with the fields name, redirect_uris,
// policy_url and terms_url.
func (f Form) validate() error {
	if f.Name != "" && (!names.Legible(f.Name) || names.Official(f.Name)) {
		return problem.Errors{problem.Field("name", "Choose a name that can be read and that nobody takes for the wallet's own.")}
	}
	if err := f.client("").Validate(); err != nil {
		return err
	}
	if len(f.places()) > 1 {
		return problem.Errors{problem.Field("redirect_uris",
			"All addresses of an app lead to one host, which people are shown. Register another app for another host, also while you try things out.")}
	}
	return nil
}

// places are the hosts that people can be sent to, and the schemes of programs
// that are installed: consent is asked for one of them.
func (f Form) places() map[string]bool {
	places := map[string]bool{}
	for _, uri := range f.RedirectURIs {
		if u, err := url.Parse(uri); err == nil {
			places[Place(u)] = true
		}
	}
	return places
}

// Place names where a redirect URI leads, for people: its host or, of a program
// that is installed, its scheme.
func Place(u *url.URL) string {
	if u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return u.Scheme
	}
	return u.Host
}

// form returns what is said about an app now.
func (a App) form() Form {
	return Form{Name: a.Name, Confidential: a.Confidential, RedirectURIs: a.RedirectURIs, PolicyURL: a.PolicyURL, TermsURL: a.TermsURL}
}
