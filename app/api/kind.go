package api

import (
	"net/http"

	"pochi/app/oauth"

	"github.com/google/uuid"
)

// kind is whose a token is, and for what. A line of the route table names those
// that it takes, joined by |.
type kind uint8

const (
	person    kind = 1 << iota // somebody's, for what its scopes say
	agreement                  // somebody's, to spend under one agreement
	service                    // an app's own (RFC 6749, section 4.4)
)

func kindOf(token oauth.Token) kind {
	switch {
	case token.Subject == token.ClientID:
		return service
	case token.Agreement != uuid.Nil:
		return agreement
	}
	return person
}

// takes returns why an endpoint for some kinds doesn't take a token, nil if it
// does.
func (k kind) takes(token oauth.Token) error {
	of := kindOf(token)
	switch {
	case k&of != 0:
		return nil
	case of == service:
		return newFault(http.StatusForbidden, "no_person", "Not allowed", "The access token belongs to an app itself, not to a person.")
	case k == service:
		return newFault(http.StatusForbidden, "no_service", "Not allowed",
			"The access token belongs to a person. This resource needs an app's own, from the client credentials grant.")
	case of == agreement:
		return newFault(http.StatusForbidden, "only_agreement", "Not allowed", "The access token is for an agreement and for nothing else.")
	}
	return newFault(http.StatusForbidden, "no_agreement", "Not allowed", "The access token isn't for an agreement.")
}
