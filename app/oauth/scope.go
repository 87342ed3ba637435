package oauth

import (
	"slices"
	"strings"
)

// Scope is one thing that an app may ask for.
type Scope string

// What apps ask people for. Others are never granted by a person.
const (
	OpenID           Scope = "openid"            // who somebody is: a stable id and nothing else
	Profile          Scope = "profile"           // their name and payment pointers
	OfflineAccess    Scope = "offline_access"    // a refresh token
	AccountsRead     Scope = "accounts:read"     // their accounts and balances
	TransactionsRead Scope = "transactions:read" // what moved on their accounts
	PaymentsRequest  Scope = "payments:request"  // to ask others for money in their name
	AgreementScope   Scope = "agreement"         // to spend under one agreement, and nothing else
)

// What programs are granted for themselves, with the client credentials grant
// (RFC 6749, section 4.4): the subject of such a token is the client.
const (
	AgreementsPropose Scope = "agreements:propose" // to make the agreements that it will ask people for
	AdminRead         Scope = "admin:read"         // the wallet's own back office
	AdminWrite        Scope = "admin:write"
)

// known returns every Scope that a person can grant, in the order in which
// they are shown.
func known() []Scope {
	return []Scope{OpenID, Profile, OfflineAccess, AccountsRead, TransactionsRead, PaymentsRequest, AgreementScope}
}

// ServiceScopes returns what the wallet's own services can be granted.
func ServiceScopes() []Scope { return []Scope{AdminRead, AdminWrite} }

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

// joined is the inverse of scopesOf.
func joined(scopes []Scope) string { return strings.Join(names(scopes), " ") }
