package oauth

import (
	"slices"
	"strings"
)

// Scope is one thing that an app may ask for.
type Scope string

// The scopes that this wallet knows. Others are never granted.
const (
	OpenID        Scope = "openid"         // who somebody is: a stable id and nothing else
	Profile       Scope = "profile"        // their name and payment pointers
	OfflineAccess Scope = "offline_access" // a refresh token
)

// known returns every Scope, in the order in which they are shown.
func known() []Scope { return []Scope{OpenID, Profile, OfflineAccess} }

// knownOf returns those of the names that are known scopes, each once, in the
// order in which they are shown.
func knownOf[S ~string](names []S) []Scope {
	var out []Scope
	for _, scope := range known() {
		if slices.Contains(names, S(scope)) {
			out = append(out, scope)
		}
	}
	return out
}

// scopesOf splits a space-separated list (RFC 6749, section 3.3).
func scopesOf(list string) []Scope {
	var out []Scope
	for name := range strings.FieldsSeq(list) {
		out = append(out, Scope(name))
	}
	return out
}
