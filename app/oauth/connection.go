package oauth

import (
	"context"
	"fmt"
	"slices"
	"time"

	hydra "github.com/ory/hydra-client-go/v2"
)

// connectionsMax is how many of a person's consents are looked at.
const connectionsMax = 500

// Connection is what a person has allowed an app, agreements left out: those are
// on record in package agreements.
type Connection struct {
	App    App
	Scopes []Scope
	Since  time.Time // they last allowed it something
}

// Connections returns the apps that somebody has allowed more than agreements and
// has not disconnected, those allowed last first.
func (p *Provider) Connections(ctx context.Context, subject string) ([]Connection, error) {
	answer, resp, err := p.oauth2.ListOAuth2ConsentSessions(ctx).Subject(subject).PageSize(connectionsMax).Execute()
	if err != nil {
		return nil, p.failed("list somebody's consents", resp, err)
	}
	var out []Connection
	for _, session := range answer {
		if session.ConsentRequest == nil || session.ConsentRequest.Client == nil || slices.Contains(session.GrantScope, string(AgreementScope)) {
			continue
		}
		out = connected(out, session)
	}
	slices.SortFunc(out, func(a, b Connection) int { return b.Since.Compare(a.Since) })
	return out, nil
}

// connected adds what was allowed to what the app is allowed already.
func connected(all []Connection, session hydra.OAuth2ConsentSession) []Connection {
	app, at := appOf(session.ConsentRequest.Client), session.GetHandledAt().UTC()
	i := slices.IndexFunc(all, func(c Connection) bool { return c.App.ID == app.ID })
	if i < 0 {
		return append(all, Connection{App: app, Scopes: knownOf(session.GrantScope), Since: at})
	}
	all[i].Scopes = knownOf(append(names(all[i].Scopes), session.GrantScope...))
	if at.After(all[i].Since) {
		all[i].Since = at
	}
	return all
}

// Disconnect takes from an app everything that somebody has allowed it: its
// tokens for them are worth nothing from then on. That is so for tokens of their
// agreements, too, which themselves stay as they are.
func (p *Provider) Disconnect(ctx context.Context, subject, clientID string) error {
	if err := checkClientID(clientID); err != nil {
		return err
	}
	resp, err := p.oauth2.RevokeOAuth2ConsentSessions(ctx).Subject(subject).Client(clientID).Execute()
	p.cache.forget(func(t Token) bool { return t.Subject == subject && t.ClientID == clientID })
	if err != nil {
		return p.failed(fmt.Sprintf("disconnect the app %s", clientID), resp, err)
	}
	return nil
}
