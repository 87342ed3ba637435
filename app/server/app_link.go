package server

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"pochi/app/agreements"
	"pochi/app/limit"
	"pochi/app/memory"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/ilp/connector"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"

	"github.com/google/uuid"
)

const (
	// How many packets of one agreement come at once, and in a second.
	packetsAtOnce = 10_000
	packetsEvery  = time.Second / packetsAtOnce

	// How many tokens that aren't valid come from one network at once, and in how
	// long another: each costs a question to Hydra. Tokens are counted when that is
	// answered: many that are valid may be asked about at once.
	badTokensAtOnce = 300
	badTokenEvery   = 200 * time.Millisecond

	linksMax = 1 << 14 // agreements and networks that are remembered
)

// tokens tells what an access token stands for, as oauth.Provider does.
type tokens interface {
	Introspect(ctx context.Context, token string) (oauth.Token, error)
}

// clientAgreements knows an app's agreements. Errors: problem.NotFound.
type clientAgreements interface {
	OfClient(ctx context.Context, clientID string, id uuid.UUID) (agreements.Agreement, error)
}

// appLink is where apps send packets under agreements: it implements
// ilphttp.Agreements. Whether an agreement holds, and what is left of it, the
// connector asks with each packet.
type appLink struct {
	tokens     tokens
	agreements clientAgreements
	connector  *connector.Connector
	audience   string
	now        func() time.Time

	known     *memory.Rows[uuid.UUID, opened]
	strangers *limit.Limiter
	packets   *limit.Limiter
}

// opened is what never changes of an agreement.
type opened struct {
	clientID string
	userID   string
	packets  bool // are allowed
}

func newAppLink(t tokens, a clientAgreements, c *connector.Connector, audience string, now func() time.Time) *appLink {
	return &appLink{
		tokens: t, agreements: a, connector: c, audience: audience, now: now,
		known:     memory.New[uuid.UUID, opened](linksMax),
		strangers: limit.New(limit.Rate{Burst: badTokensAtOnce, Every: badTokenEvery}, linksMax),
		packets:   limit.New(limit.Rate{Burst: packetsAtOnce, Every: packetsEvery}, linksMax),
	}
}

// Admit implements ilphttp.Agreements: the token is a person's, for this agreement
// of the client that it was given to.
func (l *appLink) Admit(ctx context.Context, id [16]byte, token string, from netip.Addr) error {
	found, err := l.introspect(ctx, token, from)
	if err != nil {
		return err
	}
	if found.Agreement != id || !found.For(l.audience) || !found.Has(oauth.AgreementScope) || found.Subject == found.ClientID {
		return refusedLink(found, id)
	}
	of, err := l.opened(ctx, found)
	switch {
	case problem.CodeOf(err) == problem.NotFound, err == nil && of.userID != found.Subject:
		return ilphttp.ErrNoAgreement
	case err != nil:
		return err
	case !of.packets:
		return ilphttp.ErrNotAllowed
	case l.packets.Take(uuid.UUID(id).String(), l.now()) > 0:
		return ilphttp.ErrTooFast
	}
	return nil
}

// refusedLink tells a token for another agreement from one that isn't for
// packets at all.
func refusedLink(found oauth.Token, id [16]byte) error {
	if found.Agreement != uuid.Nil && found.Agreement != id {
		return ilphttp.ErrNoAgreement
	}
	return ilphttp.ErrNotAllowed
}

// introspect asks what a token is, unless too many that were none came from the
// same network.
func (l *appLink) introspect(ctx context.Context, token string, from netip.Addr) (oauth.Token, error) {
	network := limit.Network(from.String())
	if wait := l.strangers.Wait(network, l.now()); wait > 0 {
		return oauth.Token{}, &ilphttp.TooOftenError{Wait: wait}
	}
	found, err := l.tokens.Introspect(ctx, token)
	if problem.CodeOf(err) == problem.Unauthenticated {
		l.strangers.Count(network, l.now())
		return oauth.Token{}, ilphttp.ErrToken
	}
	if err != nil {
		return oauth.Token{}, fmt.Errorf("introspect: %w", err)
	}
	return found, nil
}

// opened returns what never changes of a token's agreement: from memory, but for
// the first time.
func (l *appLink) opened(ctx context.Context, token oauth.Token) (opened, error) {
	of, here, changes := l.known.Get(token.Agreement)
	if here && of.clientID == token.ClientID {
		return of, nil
	}
	found, err := l.agreements.OfClient(ctx, token.ClientID, token.Agreement)
	if err != nil {
		return opened{}, err
	}
	of = opened{found.ClientID, found.UserID.String(), found.Packets()}
	l.known.Put(token.Agreement, of, changes)
	return of, nil
}

// HandlePacket implements ilphttp.Handler.
func (l *appLink) HandlePacket(ctx context.Context, from ilphttp.Peer, p *packet.PrepareView) (packet.Reply, error) {
	return l.connector.Handle(ctx, connector.FromAgreement(from.ID), p)
}
