package paytest

import (
	"context"
	"sync"

	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// Links lets a test stand between a wallet's payments and its connector.
type Links struct {
	node *connector.Connector

	mu      sync.Mutex
	between func(p packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error)
	keeps   uint64
}

type link struct {
	next stream.MinimumLink
	l    *Links
}

// Link implements payments.Links.
func (l *Links) Link(from connector.Sender) stream.Link {
	return link{l.node.Link(from).(stream.MinimumLink), l}
}

func (l link) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	return l.SendMoney(ctx, p, 0)
}

// SendMoney implements stream.MinimumLink.
func (l link) SendMoney(ctx context.Context, p packet.Prepare, least uint64) (packet.Reply, error) {
	l.l.mu.Lock()
	between := l.l.between
	passed := p
	passed.Amount -= p.Amount * l.l.keeps / 1000
	l.l.mu.Unlock()
	next := func() (packet.Reply, error) { return l.next.SendMoney(ctx, passed, least) }
	if between == nil {
		return next()
	}
	return between(p, next)
}

// Between has f see each packet of the wallet's own payments; next sends it on.
func (l *Links) Between(f func(p packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.between = f
}

// Keep makes the way keep so many of each 1,000 units.
func (l *Links) Keep(keeps uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keeps = keeps
}
