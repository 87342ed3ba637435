package server

import (
	"context"
	"log/slog"

	"pochi/app/apps"
	"pochi/app/oauth"
	"pochi/app/problem"
)

// noting tells what tokens stand for, those of deleted apps left out, and notes that
// their apps were used, which their developers see.
type noting struct {
	tokens *oauth.Provider
	apps   *apps.Service
	log    *slog.Logger
}

// Introspect implements api.Introspector.
func (n noting) Introspect(ctx context.Context, token string) (oauth.Token, error) {
	found, err := n.tokens.Introspect(ctx, token)
	if err != nil {
		return oauth.Token{}, err
	}
	deleted, err := n.apps.Deleted(ctx, found.ClientID)
	if err != nil {
		return oauth.Token{}, err
	}
	if deleted { // Hydra doesn't know yet
		return oauth.Token{}, problem.New(problem.Unauthenticated, "The app that the access token was given to was deleted.")
	}
	if err := n.apps.Used(ctx, found.ClientID); err != nil {
		n.log.WarnContext(ctx, "that an app was used isn't noted", "client", found.ClientID, "error", err)
	}
	return found, nil
}
