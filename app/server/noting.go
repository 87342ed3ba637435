package server

import (
	"context"
	"log/slog"

	"pochi/app/apps"
	"pochi/app/oauth"
	"pochi/app/problem"
)

// noting tells what tokens stand for, those of clients that are no apps of this wallet
// left out, and notes that their apps were used, which their developers see.
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
	err = n.apps.Registered(ctx, found.ClientID)
	switch code := problem.CodeOf(err); {
	case code == problem.NotFound && found.OfService(): // the API asks Hydra whether the client is one
		return found, nil
	case code == problem.NotFound, code == problem.Gone: // Hydra knows it, or doesn't know yet
		return oauth.Token{}, problem.New(problem.Unauthenticated, "%s", problem.MessageOf(err)).Because(err)
	case err != nil:
		return oauth.Token{}, err
	}
	if err := n.apps.Used(ctx, found.ClientID); err != nil {
		n.log.WarnContext(ctx, "that an app was used isn't noted", "client", found.ClientID, "error", err)
	}
	return found, nil
}
