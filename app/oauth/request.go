package oauth

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"pochi/app/problem"

	hydra "github.com/ory/hydra-client-go/v2"
)

// Reason codes that an app is told (RFC 6749, section 4.1.2.1; RFC 9396,
// section 5; OpenID Connect Core, section 3.1.2.6).
const (
	InvalidRequest = "invalid_request"
	InvalidScope   = "invalid_scope"
	InvalidDetails = "invalid_authorization_details"
	AccessDenied   = "access_denied"
)

const detailsParameter = "authorization_details"

// judge says why an authorization request is refused, nil when it isn't. What
// isn't in the request's address isn't seen here: Hydra takes parameters from a
// POST's body, too, and that body first. So whatever a person decides upon has
// to be in the address, once, and has to be what Hydra understood.
func judge(requestURL string, client *hydra.OAuth2Client, understood []string) *Reason {
	asked, err := parameters(requestURL)
	if err != nil {
		return invalid("The address of the request can't be read.")
	}
	for _, check := range []func() *Reason{
		func() *Reason { return repeated(asked) },
		func() *Reason { return elsewhere(asked) },
		func() *Reason { return hidden(asked, client, understood) },
		func() *Reason { return unproven(asked) },
		func() *Reason { return scopeFault(scopesOf(asked.Get("scope")), asked.Has(detailsParameter)) },
	} {
		if reason := check(); reason != nil {
			return reason
		}
	}
	return nil
}

// parameters returns all parameters of a request, or an error when there may be
// more than can be read.
func parameters(requestURL string) (url.Values, error) {
	u, err := url.Parse(requestURL)
	if err != nil {
		return nil, err
	}
	return url.ParseQuery(u.RawQuery)
}

func invalid(sentence string) *Reason { return &Reason{Code: InvalidRequest, Description: sentence} }

// repeated refuses a parameter that comes more than once (RFC 6749, section
// 3.1): two readers could take two values.
func repeated(asked url.Values) *Reason {
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if len(asked[name]) > 1 && name != "resource" && name != "audience" { // lists (RFC 8707)
			return invalid("The request includes a parameter more than once: " + name)
		}
	}
	return nil
}

// elsewhere refuses a request whose parameters, or whose answer, are somewhere
// else than in an address.
func elsewhere(asked url.Values) *Reason {
	for _, name := range []string{"request", "request_uri", "registration"} {
		if asked.Has(name) {
			return &Reason{Code: name + "_not_supported", Description: "The parameter " + name + " isn't supported."}
		}
	}
	if asked.Has("claims") {
		return invalid("The parameter claims isn't supported: scopes say what is told.")
	}
	if mode := asked.Get("response_mode"); mode != "" && mode != "query" {
		return invalid("The only response_mode is query.")
	}
	return nil
}

// hidden refuses a request of which Hydra understood something else than its
// address says.
func hidden(asked url.Values, client *hydra.OAuth2Client, understood []string) *Reason {
	to, known := asked.Get("redirect_uri"), client.GetRedirectUris()
	switch {
	case asked.Get("client_id") != client.GetClientId():
		return invalid("client_id must be in the address of the request.")
	case asked.Get("response_type") != "code":
		return invalid("response_type must be code, in the address of the request.")
	case to == "" && len(known) != 1 || to != "" && !slices.ContainsFunc(known, func(uri string) bool { return sameRedirect(to, uri) }):
		return invalid("redirect_uri must be in the address of the request, and one of those that are registered.")
	case !sameSet(strings.Fields(asked.Get("scope")), understood):
		return invalid("scope must be in the address of the request.")
	}
	return nil
}

// sameRedirect tells whether an address to come back to is a registered one.
// On the person's own computer the port may be any (RFC 8252, section 7.3).
func sameRedirect(to, registered string) bool {
	if to == registered {
		return true
	}
	a, err := url.Parse(to)
	b, err2 := url.Parse(registered)
	if err != nil || err2 != nil || a.Scheme != "http" || !isLoopback(b.Hostname()) || b.Hostname() == "localhost" {
		return false
	}
	a.Host, b.Host = a.Hostname(), b.Hostname()
	return a.String() == b.String()
}

func sameSet(a, b []string) bool {
	sorted := func(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }
	return slices.Equal(sorted(a), sorted(b))
}

// unproven refuses a request without PKCE (RFC 7636) before anybody is asked:
// Hydra would do so afterwards.
func unproven(asked url.Values) *Reason {
	if asked.Get("code_challenge") == "" || asked.Get("code_challenge_method") != "S256" {
		return invalid("code_challenge must be in the address of the request, with the code_challenge_method S256.")
	}
	return nil
}

// scopeFault refuses scopes that no person can grant, and an agreement that
// isn't alone: who may spend is told nothing else but who somebody is.
func scopeFault(scopes []Scope, details bool) *Reason {
	if len(scopes) == 0 {
		return &Reason{Code: InvalidScope, Description: "The request names no scope."}
	}
	forAgreement := slices.Contains(scopes, AgreementScope)
	for _, scope := range scopes {
		switch {
		case !slices.Contains(known(), scope):
			return &Reason{Code: InvalidScope, Description: "The request names a scope that people can't grant."}
		case forAgreement && !slices.Contains([]Scope{OpenID, Profile, OfflineAccess, AgreementScope}, scope):
			return &Reason{Code: InvalidScope, Description: "The scope agreement goes with openid, profile and offline_access only."}
		}
	}
	switch {
	case forAgreement && !details:
		return &Reason{Code: InvalidDetails, Description: "The scope agreement needs authorization_details."}
	case details && !forAgreement:
		return &Reason{Code: InvalidDetails, Description: "authorization_details need the scope agreement."}
	}
	return nil
}

// DetailsFault is what an app is told whose authorization_details can't be used.
func DetailsFault(err error) *Reason {
	return &Reason{Code: InvalidDetails, Description: problem.MessageOf(err)}
}

// detail reads the agreement that a request asks for; nil when it asks for none.
func (p *Provider) detail(requestURL string) (*Detail, *Reason) {
	asked := query(requestURL)
	if !asked.Has(detailsParameter) {
		return nil, nil
	}
	detail, err := p.terms.Details(asked.Get(detailsParameter))
	if err != nil {
		return nil, DetailsFault(err)
	}
	return &detail, nil
}
