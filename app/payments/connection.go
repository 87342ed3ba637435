package payments

import (
	"context"
	"sync"
	"time"

	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"

	"github.com/google/uuid"
)

// connection is a STREAM connection to a receiver, of which the quote's probes are
// the beginning and the payment's packets the rest.
type connection struct {
	*stream.Sender
	link *turn
}

// turn is a link that is turned from a quote's to its payment's.
type turn struct{ stream.Link }

// SendMoney implements stream.MinimumLink.
func (t *turn) SendMoney(ctx context.Context, p packet.Prepare, minimum uint64) (packet.Reply, error) {
	if link, ok := t.Link.(stream.MinimumLink); ok {
		return link.SendMoney(ctx, p, minimum)
	}
	return t.SendPacket(ctx, p)
}

// connect begins a connection for packets from an account, for a reference: zero
// for a quote. Errors are problems with the field "to".
func (s *Service) connect(ctx context.Context, to Receiver, account uuid.UUID, asset ilp.Asset, reference uuid.UUID) (connection, error) {
	details, err := s.details(ctx, to)
	if err != nil {
		return connection{}, err
	}
	link := &turn{s.Links.Link(connector.FromWallet(account, asset, reference))}
	return connection{stream.NewSender(stream.SenderConfig{
		Link: link, Destination: details.DestinationAccount, Secret: details.SharedSecret, Clock: s.Clock, Random: s.Random,
	}), link}, nil
}

// pay returns the connection over which a payment is sent: its quote's if it is
// still there, so that the other wallet isn't asked twice. One within this wallet
// begins anew: the pointer may pay another account by now.
func (s *Service) pay(ctx context.Context, to Receiver, p Outgoing) (connection, error) {
	asset := ilp.Asset(p.DebitAmount.Asset)
	if c, here := s.quoted.take(p.ID); here {
		c.link.Link = s.Links.Link(connector.FromWallet(p.AccountID, asset, p.ID))
		return c, nil
	}
	return s.connect(ctx, to, p.AccountID, asset, p.ID)
}

// quotedMax bounds the connections that are kept for quotes.
const quotedMax = 4096

// quoted keeps the connections of fresh quotes until these are paid or expire.
// Forgetting one costs a question to the other wallet.
type quoted struct {
	mu    sync.Mutex
	byID  map[uuid.UUID]connection
	queue []lapse // as they expire
}

type lapse struct {
	quote uuid.UUID
	at    time.Time
}

func newQuoted() *quoted { return &quoted{byID: map[uuid.UUID]connection{}} }

// keep keeps a quote's connection. Quotes expire in the order in which they come.
func (k *quoted) keep(q Quote, c connection) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.queue) > 0 && (len(k.queue) >= quotedMax || !q.CreatedAt.Before(k.queue[0].at)) {
		delete(k.byID, k.queue[0].quote)
		k.queue = k.queue[1:]
	}
	k.byID[q.ID] = c
	k.queue = append(k.queue, lapse{q.ID, q.ExpiresAt})
}

// take returns a quote's connection, once.
func (k *quoted) take(quote uuid.UUID) (c connection, here bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, here = k.byID[quote]
	delete(k.byID, quote)
	return c, here
}
